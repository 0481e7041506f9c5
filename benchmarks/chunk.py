"""What one 10 ms chunk costs a daemon: CPU time through event loop, wire, core and voice activity.

    python -m benchmarks.chunk --satellites 8 40 --serve '--model demo' --json chunk.json

Satellites send faint noise in real time, evenly spread over each 10 ms, as Home Assistant does: an
event of 320 bytes in the three writes of the wyoming library. Nobody speaks, so nothing is
decoded; what the daemon spends while they are connected and nobody sends is taken off. With few
satellites the process sleeps before each chunk, and finds its caches cold; with many it does not.
The stages are timed apart, each in a loop of its own and so with warm caches; what they leave of
the whole is the event loop's, the kernel's and what the caches cost.
"""

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event

from benchmarks.command import measured
from benchmarks.serving import Running, ours, warm
from wyoming_streamwhisper.core.audio import RATE, AudioFormat
from wyoming_streamwhisper.core.convert import Converter
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.utterance import Utterance
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine.silero import make_vad
from wyoming_streamwhisper.server.messages import read_format
from wyoming_streamwhisper.server.wire import Wire, encode

CHUNK = RATE // 100
"""Samples of a chunk."""
_LOUDNESS = 30
"""Standard deviation of the noise, of 32768: a quiet room."""
_ROUNDS = 5000
"""Chunks that each stage is timed with."""
_SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU time of a process in seconds, from its begin."""

    loop: float
    """Its first thread, which runs the event loop."""
    others: float
    system: float
    """What the kernel took of both."""

    def less(self, before: "Spent", share: float = 1.0) -> "Spent":
        """Return what was spent since, or a share of something else less."""
        return Spent(
            self.loop - share * before.loop,
            self.others - share * before.others,
            self.system - share * before.system,
        )


def spent(pid: int) -> Spent:
    """Read what a process has spent up to now."""
    loop, others, system = 0.0, 0.0, 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        used = int((task / "schedstat").read_text().split()[0]) / 1e9
        loop, others = (used, others) if task.name == str(pid) else (loop, others + used)
        # The name in brackets may hold spaces; the 15th field is counted in hundredths.
        system += int((task / "stat").read_text().rsplit(")", 1)[1].split()[12]) / 100
    return Spent(loop, others, system)


def noise(samples: int) -> bytes:
    """Return the sound of a quiet room, the same each time."""
    sound = np.random.default_rng(0).normal(0, _LOUDNESS, samples)
    return sound.astype("<i2").tobytes()


def parts(event: Event) -> tuple[bytes, ...]:
    """Cut an event into the writes of the wyoming library: header, data, payload."""
    whole = encode(event)
    header = whole.index(b"\n") + 1
    payload = len(whole) - len(event.payload or b"")
    cuts = (whole[:header], whole[header:payload], whole[payload:])
    return tuple(part for part in cuts if part)


class Satellite:
    """A connection that sends noise."""

    def __init__(self, uri: str) -> None:
        where = urlsplit(uri)
        self._socket = socket.create_connection((where.hostname, where.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send(Transcribe(language="en").event())
        self._send(AudioStart(RATE, 2, 1).event())
        sound = noise(RATE)
        size = 2 * CHUNK
        self._chunks = [
            parts(AudioChunk(RATE, 2, 1, sound[at : at + size]).event())
            for at in range(0, len(sound), size)
        ]
        self._at = 0

    def chunk(self) -> None:
        """Send the next 10 ms."""
        for part in self._chunks[self._at]:
            self._socket.sendall(part)
        self._at = (self._at + 1) % len(self._chunks)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _send(self, event: Event) -> None:
        for part in parts(event):
            self._socket.sendall(part)


def send(satellites: Sequence[Satellite], seconds: float) -> int:
    """Let all speak in real time; returns the chunks that were sent."""
    begun = time.monotonic()
    gap = CHUNK / RATE / len(satellites)
    total = int(seconds / gap)
    for number in range(total):
        time.sleep(max(0.0, begun + number * gap - time.monotonic()))
        satellites[number % len(satellites)].chunk()
    return total


async def whole(daemon: Running, count: int, seconds: float) -> dict[str, float]:
    """Measure what a daemon spends for a chunk, in microseconds."""
    satellites = [Satellite(daemon.uri) for _ in range(count)]
    try:
        await asyncio.to_thread(send, satellites, _SETTLE_S)
        await asyncio.sleep(_SETTLE_S)
        before = spent(daemon.pid)
        await asyncio.sleep(seconds)
        idle = spent(daemon.pid).less(before)
        before, begun = spent(daemon.pid), time.monotonic()
        chunks = await asyncio.to_thread(send, satellites, seconds)
        took = time.monotonic() - begun
        used = spent(daemon.pid).less(before).less(idle, took / seconds)
    finally:
        for satellite in satellites:
            satellite.close()
    cost = {name: value / chunks * 1e6 for name, value in asdict(used).items()}
    return {"total": cost["loop"] + cost["others"], **cost}


def stages() -> dict[str, float]:
    """Time each stage by itself, in microseconds a chunk."""
    sound = noise(CHUNK)
    event = AudioChunk(RATE, 2, 1, sound).event()
    wire, cut = Wire(), parts(event)
    form = AudioFormat()

    def parse() -> None:
        for part in cut:
            wire.receive(part)
            wire.next_event()

    converter, heard = Converter(form), Utterance(Streaming())
    converter.feed(sound)
    vad = make_vad("onnx")
    frame = Converter(form).feed(noise(FRAME))[None]
    state = vad.new_state()
    eight, many = np.repeat(frame, 8, axis=0), [state] * 8
    read = wire_event(cut)
    samples = converter.feed(sound)

    def listen() -> None:
        heard.audio(samples)
        if heard.room < FRAME:
            heard.speech([0.0] * 900)

    return {
        "wire": timed(parse),
        "format": timed(lambda: read_format(read, form)),
        "convert": timed(lambda: converter.feed(sound)),
        "core": timed(listen),
        "speech": timed(lambda: heard.speech([0.0])) * CHUNK / FRAME,
        "vad_alone": timed(lambda: vad.step([state], frame)) * CHUNK / FRAME,
        "vad_of_eight": timed(lambda: vad.step(many, eight)) / 8 * CHUNK / FRAME,
    }


def wire_event(cut: Sequence[bytes]) -> Event:
    """Return an event as the wire gives it."""
    wire = Wire()
    wire.receive(b"".join(cut))
    event = wire.next_event()
    assert event is not None
    return event


def timed(work: Callable[[], object]) -> float:
    """Return the CPU time that a call takes, in microseconds."""
    work()
    begun = time.thread_time()
    for _ in range(_ROUNDS):
        work()
    return (time.thread_time() - begun) / _ROUNDS * 1e6


def table(report: dict[str, dict[str, float]]) -> str:
    """Return the figures for people."""
    rows = ["| part | microseconds a chunk |", "|---|---|"]
    for group, costs in report.items():
        rows += [f"| {group}: {name} | {value:.1f} |" for name, value in costs.items()]
    return "\n".join(rows)


async def run(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure the whole for each number of satellites, then the stages."""
    report = {}
    async with ours(arguments.serve).start() as daemon:
        await warm(daemon)
        for count in arguments.satellites:
            report[f"whole, {count} satellites"] = await whole(daemon, count, arguments.seconds)
    return {**report, "stages": stages()}


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print."""
    ask = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ask.add_argument("--satellites", type=int, nargs="+", default=[8, 40], metavar="N")
    ask.add_argument("--seconds", type=float, default=10.0)
    return measured(ask, argv, run, table)


if __name__ == "__main__":
    sys.exit(main())
