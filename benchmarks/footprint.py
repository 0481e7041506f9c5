"""What a satellite costs while it is only connected, while it listens, and while it speaks."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.crowd import REFUSED_S
from benchmarks.field import Entrant, Field
from benchmarks.processes import cpu_s, memory
from benchmarks.servers import Running
from benchmarks.settings import Settings
from benchmarks.speech import Spoken
from benchmarks.tables import Table, number
from wyoming_streamwhisper.client.conversation import Asking, converse
from wyoming_streamwhisper.client.sources import RATE, Pacing, Samples, paced

Rows = list[dict[str, Any]]

_SILENCE = np.zeros(300 * RATE, np.int16)
"""Longer than any state is held."""

METHOD = """\
Resident memory of the server and its children, with pages that they share counted once (PSS, MiB),
and what each of several satellites adds to it; CPU for each satellite in percent of one core. First
with nobody connected, then with satellites that have said that audio comes and send none, that send
digital silence, and that speak one command after the other, each with 0.7 s of silence and its
answer. CPU while speaking is that of one satellite alone: where several overload a server, it would
say how many cores there are. Warmed up with two utterances before."""


@dataclass(frozen=True, slots=True)
class State:
    """What some satellites cost a server while they all did one thing."""

    server: str
    state: str
    """`nobody`, `connected`, `listening` or `speaking`."""
    satellites: int
    cpu: float
    """Share of one core, of all together."""
    proportional_mib: float
    resident_mib: float


async def run(
    field: Field, clips: Sequence[Spoken], settings: Settings
) -> AsyncIterator[dict[str, Any]]:
    """Measure all servers, one after the other; the memory only grows, so states come in order."""
    for entrant in field.entrants:
        async with field.turn(entrant) as running:
            for state in await _states(entrant, running, clips, settings):
                yield asdict(state)


async def _states(
    entrant: Entrant, running: Running, clips: Sequence[Spoken], settings: Settings
) -> list[State]:
    most = settings.satellites
    steps = [("nobody", 0), *(("connected", most), ("listening", most))]
    # Alone first, for its CPU; all together then, for their memory.
    steps += [("speaking", one) for one in dict.fromkeys((1, most))]
    states = []
    for state, satellites in steps:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_satellite(running, state, _from(i, clips), settings))
                for i in range(satellites)
            ]
            await asyncio.sleep(settings.settle_s)
            states.append(await _held(entrant.name, running.pid, state, satellites, settings))
            for task in tasks:
                task.cancel()
    return states


def _from(place: int, clips: Sequence[Spoken]) -> list[Spoken]:
    """Return the clips, beginning with another one for each satellite."""
    place %= len(clips)
    return [*clips[place:], *clips[:place]]


async def _held(server: str, pid: int, state: str, satellites: int, settings: Settings) -> State:
    begun, before = time.monotonic(), cpu_s(pid)
    await asyncio.sleep(settings.hold_s)
    cpu = (cpu_s(pid) - before) / (time.monotonic() - begun)
    now = memory(pid)
    return State(server, state, satellites, cpu, now.proportional, now.resident)


async def _satellite(
    running: Running, state: str, clips: Sequence[Spoken], settings: Settings
) -> None:
    """Be in a state until cancelled."""
    pacing = Pacing(chunk_ms=settings.chunk_ms, trailing_silence=settings.usual_s)
    for spoken in itertools.cycle(clips):
        asking = Asking(language=spoken.clip.lang)
        blocks = _blocks(state, spoken, pacing)
        record = await converse(running.uri, blocks, asking, connect=running.connect)
        if record.failure is not None:
            await asyncio.sleep(REFUSED_S)


def _blocks(state: str, spoken: Spoken, pacing: Pacing) -> AsyncIterator[Samples]:
    if state == "connected":
        return _nothing()
    return paced(spoken.audio if state == "speaking" else _SILENCE, pacing)


async def _nothing() -> AsyncIterator[Samples]:
    await asyncio.sleep(len(_SILENCE) / RATE)
    yield _SILENCE[:0]


def table(rows: Rows) -> Table:
    """Return what a satellite costs in each state."""
    states = ("connected", "listening", "speaking")
    header = ["server", "MiB, nobody", *(f"+ MiB each, {state}" for state in states)]
    header += ["CPU %, nobody", *(f"CPU % each, {state}" for state in states), "satellites"]
    made = Table("footprint", "Memory and CPU of a satellite", METHOD, header)
    for server in dict.fromkeys(row["server"] for row in rows):
        own = [row for row in rows if row["server"] == server]
        nobody = next(row for row in own if row["state"] == "nobody")
        # Of the two rows of `speaking` the last has all satellites, the first has one.
        last = {row["state"]: row for row in own}
        first = {row["state"]: row for row in reversed(own)}
        made.add(
            server,
            number(nobody["proportional_mib"]),
            *(number(_more_mib(last[state], nobody), 1) for state in states),
            number(100 * nobody["cpu"], 1),
            *(
                number(100 * first[state]["cpu"] / first[state]["satellites"], 1)
                for state in states
            ),
            last["speaking"]["satellites"],
        )
    return made


def _more_mib(row: dict[str, Any], nobody: dict[str, Any]) -> float:
    return float((row["proportional_mib"] - nobody["proportional_mib"]) / row["satellites"])
