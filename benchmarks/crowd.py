"""How many satellites may speak at once before answers come late.

Each satellite speaks one clip after another in real time, on a new connection each, with 0.7 s of
silence behind it, and begins the next one when it has its answer. They begin at random moments, so
they end at random moments. The number rises until answers are later than the last limit.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.conditions import watched
from benchmarks.field import Field
from benchmarks.figures import percentile
from benchmarks.servers import Running
from benchmarks.settings import Settings
from benchmarks.speech import Spoken
from benchmarks.svg import Lines
from benchmarks.tables import Table, number
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.sources import RATE, Pacing

LIMITS_S = (0.3, 1.0)
"""Up to the first an answer seems immediate; behind the last one people say it again."""
REFUSED_S = 1.0
"""Pause of a satellite that got an error: else it would ask again thousands of times."""

Rows = list[dict[str, Any]]

METHOD = """\
So many satellites speak at once until the p95 of audio-stop to transcript (0.7 s of silence behind
the voice, as Home Assistant's detection leaves) passes 300 ms, and until it passes 1 s. Each speaks
one command after the other without a pause, begins the next when it is answered, and all begin at
random moments. An error counts as an answer that never came: so does a refusal (`overloaded`). The
first seconds of each number are not counted; all utterances begun after them are. Carried is the
largest number before the first that passed the limit. Client and servers share the machine's cores:
`client` is the client's share of one core at the last number, `sent late` the worst delay of its
audio behind real time there."""


@dataclass(slots=True)
class Level:
    """What a number of satellites showed; times in seconds."""

    server: str
    satellites: int
    answers: list[float] = field(default_factory=list)
    """Audio-stop to transcript; 0 where the transcript came before."""
    errors: dict[str, int] = field(default_factory=dict)
    """How often each code came."""
    sent_late: float = 0.0
    client: float = 0.0
    """The client's share of one core."""
    servers: float = 0.0
    others: float = 0.0

    @property
    def p95(self) -> float:
        """The 95th percentile, in which an error is infinitely late."""
        return percentile([*self.answers, *[math.inf] * sum(self.errors.values())], 0.95)

    def note(self, record: Conversation) -> None:
        """Count one utterance."""
        if record.failure is not None:
            self.errors[record.failure.code] = self.errors.get(record.failure.code, 0) + 1
        else:
            self.answers.append(record.stop_to_transcript_s or 0.0)
        self.sent_late = max(self.sent_late, record.lag_s)

    def row(self) -> dict[str, Any]:
        """Return it as plain data; `p95` is None where it is infinite."""
        return {
            "server": self.server,
            "satellites": self.satellites,
            "utterances": len(self.answers) + sum(self.errors.values()),
            "p50": percentile(self.answers, 0.5) if self.answers else None,
            "p95": self.p95 if math.isfinite(self.p95) else None,
            "errors": self.errors,
            "sent_late": self.sent_late,
            "client": self.client,
            "servers": self.servers,
            "others": self.others,
        }


def carried(levels: Sequence[tuple[int, float]], limit_s: float) -> int:
    """Return the largest number before the first whose p95 passes a limit; levels rise."""
    most = 0
    for satellites, p95 in levels:
        if p95 > limit_s:
            break
        most = satellites
    return most


async def run(
    fields: Field, clips: Sequence[Spoken], settings: Settings
) -> AsyncIterator[dict[str, Any]]:
    """Raise the number for all servers in turns, for each until it is late; yields its levels."""
    going = [one for one in fields.entrants if not one.endpoints]
    for satellites in settings.levels:
        for entrant in list(going):
            async with fields.turn(entrant) as running:
                level = Level(entrant.name, satellites)
                with watched(fields.pids) as work:
                    await _speak(running, clips, level, settings)
                level.client, level.servers, level.others = work.client, work.servers, work.others
            yield level.row()
            if level.p95 > LIMITS_S[-1]:
                going.remove(entrant)


async def _speak(
    running: Running, clips: Sequence[Spoken], level: Level, settings: Settings
) -> None:
    """Let a number of satellites speak; counts what is begun after each had time for one clip."""
    longest = max(len(one.audio) for one in clips) / RATE + settings.usual_s
    chance = random.Random(f"{settings.seed} {level.satellites}")
    begin = time.monotonic()
    counting_from = begin + longest
    window = _Window(counting_from, settings)
    async with asyncio.TaskGroup() as group:
        for _ in range(level.satellites):
            own = random.Random(chance.random())
            wait = own.uniform(0, longest)
            group.create_task(_satellite(running, clips, own, wait, window, level))


@dataclass(slots=True)
class _Window:
    """Which utterances of a level count, and when it is over."""

    begin: float
    settings: Settings
    begun: int = 0

    def counts(self) -> bool:
        """Note that an utterance begins; return whether it counts."""
        counts = time.monotonic() >= self.begin
        self.begun += counts
        return counts

    def over(self) -> bool:
        """Return whether no further utterance is to begin."""
        spent = time.monotonic() - self.begin
        enough = spent >= self.settings.level_s and self.begun >= self.settings.level_utterances
        return enough or spent >= self.settings.level_limit_s


async def _satellite(
    running: Running,
    clips: Sequence[Spoken],
    chance: random.Random,
    wait_s: float,
    window: _Window,
    level: Level,
) -> None:
    settings = window.settings
    pacing = Pacing(chunk_ms=settings.chunk_ms, trailing_silence=settings.usual_s)
    await asyncio.sleep(wait_s)
    for spoken in _endless(clips, chance):
        if window.over():
            return
        counts = window.counts()
        record = await speak(
            running.uri,
            spoken.audio,
            Asking(language=spoken.clip.lang),
            pacing,
            patience=settings.patience_s,
            connect=running.connect,
        )
        if counts:
            level.note(record)
        if record.failure is not None:
            await asyncio.sleep(REFUSED_S)


def _endless(clips: Sequence[Spoken], chance: random.Random) -> Iterator[Spoken]:
    while True:
        yield from chance.sample(clips, len(clips))


def table(rows: Rows) -> Table:
    """Return how many satellites each server carries within each limit."""
    header = [
        "server",
        *(f"within {1000 * limit:.0f} ms" for limit in LIMITS_S),
        "p95 ms at 1, 2, 4, 8, 16 satellites",
        "errors at the last number",
        "client",
        "sent late, ms",
    ]
    made = Table("crowd", "Satellites speaking at once", METHOD, header)
    for server, own in _by_server(rows).items():
        levels = [(row["satellites"], _p95(row)) for row in own]
        last = own[-1]
        errors = ", ".join(f"{count} {code}" for code, count in last["errors"].items()) or "0"
        known = dict(levels)
        made.add(
            server,
            *(_carried(levels, limit) for limit in LIMITS_S),
            ", ".join(number(1000 * known[n]) if n in known else "–" for n in (1, 2, 4, 8, 16)),
            f"{errors} of {last['utterances']} at {last['satellites']}",
            f"{100 * last['client']:.0f} %",
            f"{1000 * last['sent_late']:.0f}",
        )
    return made


def _carried(levels: Sequence[tuple[int, float]], limit_s: float) -> str:
    most = carried(levels, limit_s)
    # Where the search ended before the limit, more may be carried.
    return f"{most}" if levels[-1][1] > limit_s else f"≥ {most}"


def chart(rows: Rows) -> Lines:
    """Draw p95 against the number of satellites."""
    lines = [
        (server, [(float(row["satellites"]), 1000 * _p95(row)) for row in own])
        for server, own in _by_server(rows).items()
    ]
    title = "Audio-stop to transcript, p95 in ms, while so many satellites speak at once"
    levels = [1000 * limit for limit in LIMITS_S]
    return Lines("crowd", title, "satellites", lines, levels)


def _p95(row: dict[str, Any]) -> float:
    return math.inf if row["p95"] is None else row["p95"]


def _by_server(rows: Rows) -> dict[str, Rows]:
    return {
        server: [row for row in rows if row["server"] == server]
        for server in dict.fromkeys(row["server"] for row in rows)
    }
