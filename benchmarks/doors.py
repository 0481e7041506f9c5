"""What a second of audio costs a daemon by the door it comes through, and what looking on costs.

    python -m benchmarks.doors --clients 8 --seconds 10 --json doors.json

Clients send faint noise in real time, 100 ms a message, evenly spread: over Wyoming, to `/stream`
as 16 bit and as float32, to `/ws/transcription` as arrays. Nobody speaks, so nothing is decoded and
what is left is the door's, the converter's and voice activity's. All doors belong to one daemon and
take turns, several rounds each; what it spends while they are connected and nobody sends is taken
off. `looking on` is an open page: what one reader of `/events` costs while nobody speaks.
"""

import argparse
import asyncio
import contextlib
import io
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import numpy as np
import websockets
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart

from benchmarks.chunk import Spent, noise, spent
from benchmarks.command import measured
from benchmarks.serving import Running, free_port, ours, warm
from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.server.wire import encode

CHUNK = RATE // 10
"""Samples of a message."""
_SETTLE_S = 1.0
Send = Callable[[bytes], Awaitable[None]]
"""Sends 16 bit sound."""
Open = Callable[[str, int, str], contextlib.AbstractAsyncContextManager[Send]]
"""Connects somebody (Wyoming's address, HTTP's port, a name) who sends sound."""


@contextlib.asynccontextmanager
async def wyoming(uri: str, port: int, name: str) -> AsyncIterator[Send]:
    """Speak as a satellite."""
    host, _, number = uri.removeprefix("tcp://").rpartition(":")
    _, writer = await asyncio.open_connection(host, int(number))
    writer.write(encode(Transcribe(language="en").event()))
    writer.write(encode(AudioStart(RATE, 2, 1).event()))

    async def send(pcm: bytes) -> None:
        writer.write(encode(AudioChunk(RATE, 2, 1, pcm).event()))
        await writer.drain()

    try:
        yield send
    finally:
        writer.close()


def stream(sample_format: str) -> Open:
    """Return who speaks to `/stream`."""

    @contextlib.asynccontextmanager
    async def opened(uri: str, port: int, name: str) -> AsyncIterator[Send]:
        async with websockets.connect(f"ws://127.0.0.1:{port}/stream", compression=None) as socket:
            await socket.send(json.dumps({"language": "en", "sample_format": sample_format}))
            await socket.recv()

            async def send(pcm: bytes) -> None:
                await socket.send(floats(pcm).tobytes() if sample_format == "float32" else pcm)

            yield send

    return opened


@contextlib.asynccontextmanager
async def arrays(uri: str, port: int, name: str) -> AsyncIterator[Send]:
    """Speak to `/ws/transcription`."""
    where = f"ws://127.0.0.1:{port}/ws/transcription?client_id={name}&language=en"
    async with websockets.connect(where, compression=None) as socket:

        async def send(pcm: bytes) -> None:
            file = io.BytesIO()
            np.save(file, floats(pcm))
            await socket.send(file.getvalue())

        yield send


def floats(pcm: bytes) -> np.ndarray:
    """Return 16 bit sound as float32."""
    return np.frombuffer(pcm, "<i2").astype("<f4") / 32768


DOORS: dict[str, Open] = {
    "Wyoming": wyoming,
    "/stream, int16": stream("int16"),
    "/stream, float32": stream("float32"),
    "/ws/transcription": arrays,
}


async def speaking(senders: Sequence[Send], seconds: float) -> int:
    """Let all speak in real time; returns the messages that were sent."""
    sound = noise(10 * CHUNK)
    begun, gap = time.monotonic(), CHUNK / RATE / len(senders)
    total = int(seconds / gap)
    for number in range(total):
        await asyncio.sleep(max(0.0, begun + number * gap - time.monotonic()))
        at = number // len(senders) % 10 * 2 * CHUNK
        await senders[number % len(senders)](sound[at : at + 2 * CHUNK])
    return total


def total(used: Spent) -> float:
    """Return CPU seconds."""
    return used.loop + used.others


async def cost(daemon: Running, port: int, door: Open, count: int, seconds: float) -> float:
    """Measure what a second of one client's audio costs, in milliseconds of CPU."""
    async with contextlib.AsyncExitStack() as stack:
        names = [f"client-{number}" for number in range(count)]
        senders = [await stack.enter_async_context(door(daemon.uri, port, n)) for n in names]
        await speaking(senders, _SETTLE_S)
        await asyncio.sleep(_SETTLE_S)
        before = spent(daemon.pid)
        await asyncio.sleep(seconds / 2)
        idle = spent(daemon.pid).less(before)
        before, begun = spent(daemon.pid), time.monotonic()
        messages = await speaking(senders, seconds)
        took = time.monotonic() - begun
        used = spent(daemon.pid).less(before).less(idle, 2 * took / seconds)
    await asyncio.sleep(_SETTLE_S)
    return total(used) / (messages * CHUNK / RATE) * 1000


async def looking(daemon: Running, port: int, readers: int, seconds: float) -> float:
    """Measure what a reader of `/events` costs a second while nobody speaks, in milliseconds."""
    before = spent(daemon.pid)
    await asyncio.sleep(seconds)
    alone = total(spent(daemon.pid).less(before))
    request = b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(readers):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(request)
            await reader.readuntil(b"event: load")
        await asyncio.sleep(_SETTLE_S)
        before = spent(daemon.pid)
        await asyncio.sleep(seconds)
        together = total(spent(daemon.pid).less(before))
    return (together - alone) / readers / seconds * 1000


async def run(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Measure each door in turn, several times."""
    port = free_port()
    report: dict[str, list[float]] = {}
    async with ours(f"{arguments.serve} --http tcp://127.0.0.1:{port}").start() as daemon:
        await warm(daemon)
        for _ in range(arguments.rounds):
            for name, door in DOORS.items():
                value = await cost(daemon, port, door, arguments.clients, arguments.seconds)
                report.setdefault(name, []).append(value)
            value = await looking(daemon, port, arguments.clients, arguments.seconds)
            report.setdefault("looking on", []).append(value)
    return report


def table(report: dict[str, list[float]]) -> str:
    """Return the figures for people."""
    wyoming_costs = statistics.median(report["Wyoming"])
    rows = ["| door | ms of CPU a second | lowest, highest | times Wyoming |", "|---|---|---|---|"]
    for name, values in report.items():
        middle = statistics.median(values)
        spread = f"{min(values):.2f}, {max(values):.2f}"
        rows.append(f"| {name} | {middle:.2f} | {spread} | {middle / wyoming_costs:.2f} |")
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print."""
    ask = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ask.add_argument("--clients", type=int, default=8)
    ask.add_argument("--seconds", type=float, default=8.0)
    ask.add_argument("--rounds", type=int, default=3)
    return measured(ask, argv, run, table)


if __name__ == "__main__":
    sys.exit(main())
