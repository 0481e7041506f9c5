"""What a second of audio costs, in utterances of different lengths and along a long one."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.field import Field, quiet
from benchmarks.processes import cpu_s
from benchmarks.settings import Settings
from benchmarks.speech import Spoken, stream
from benchmarks.svg import Lines
from benchmarks.tables import Table, number
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.sources import Pacing

Rows = list[dict[str, Any]]

_SAMPLE_S = 5.0
"""How often CPU is read along an utterance."""

METHOD = """\
Seconds of CPU that the server uses for each second of audio, from the first sample until it is idle
again behind its answer, by length of the utterance: commands of one language joined with half a
second between them, without an end, in real time. A cost that does not grow with the length is
flat. In brackets milliseconds from audio-stop to transcript."""


async def run(
    field: Field, clips: Sequence[Spoken], settings: Settings
) -> AsyncIterator[dict[str, Any]]:
    """Speak each length to all servers in turns; those that find ends themselves are left out."""
    language = clips[0].clip.lang
    spoken = [one for one in clips if one.clip.lang == language]
    pacing = Pacing(chunk_ms=settings.chunk_ms, trailing_silence=settings.usual_s)
    for seconds in settings.lengths_s:
        audio = stream(spoken, seconds)
        for entrant in field.entrants:
            if entrant.endpoints:
                continue
            async with field.turn(entrant) as running, _sampled(running.pid) as used:
                record = await speak(
                    running.uri,
                    audio,
                    Asking(language=language),
                    pacing,
                    patience=settings.patience_s,
                    connect=running.connect,
                )
                await quiet(running.pid)
            yield {
                "server": entrant.name,
                "seconds": seconds,
                "cpu_s": used[-1],
                "along_s": used[1:-1],
                "stop_to_text": record.stop_to_transcript_s,
                "error": record.failure.code if record.failure else None,
            }


@asynccontextmanager
async def _sampled(pid: int) -> AsyncIterator[list[float]]:
    """Note the CPU seconds used since the begin: at it (0), every 5 s, and at the end."""
    begun = cpu_s(pid)
    used = [0.0]

    async def sample() -> None:
        while True:
            await asyncio.sleep(_SAMPLE_S)
            used.append(cpu_s(pid) - begun)

    async with asyncio.TaskGroup() as group:
        sampling = group.create_task(sample())
        yield used
        sampling.cancel()
    used.append(cpu_s(pid) - begun)


def table(rows: Rows) -> Table:
    """Return the cost of a second of audio by length."""
    lengths = sorted({row["seconds"] for row in rows})
    header = ["server", *(f"{length:g} s" for length in lengths)]
    made = Table("length", "CPU for a second of audio", METHOD, header)
    for server in dict.fromkeys(row["server"] for row in rows):
        own = {row["seconds"]: row for row in rows if row["server"] == server}
        made.add(server, *(_cell(own.get(length)) for length in lengths))
    return made


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return number(None)
    if row["error"]:
        return str(row["error"])
    late = row["stop_to_text"]
    return f"{number(row['cpu_s'] / row['seconds'], 2)} ({number(late and 1000 * late)})"


def chart(rows: Rows) -> Lines:
    """Draw the cost of a second along the longest utterance."""
    longest = max(row["seconds"] for row in rows)
    lines = []
    for row in rows:
        if row["seconds"] == longest:
            used = [0.0, *row["along_s"]]
            cost = [(late - early) / _SAMPLE_S for early, late in itertools.pairwise(used)]
            points = [((i + 1) * _SAMPLE_S, one) for i, one in enumerate(cost)]
            lines.append((row["server"], [point for point in points if point[0] <= longest]))
    title = f"Seconds of CPU for a second of audio, along an utterance of {longest:g} s"
    return Lines("length", title, "seconds of audio", lines, logarithmic=False)
