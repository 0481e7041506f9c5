"""How long an answer takes to a recording that arrives over a slow network.

    python -m benchmarks.upload EVAL --minutes 20 --rate 20 --serve '--model demo' --json up.json

The same sound is sent twice in turns at a steady rate: as WAV, which is decoded while it arrives,
and as AIFF, whose bytes are as many and which is decoded once all of it is there. Times are seconds
from the first byte, and from the last one, to the answer.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from benchmarks.command import measured
from benchmarks.files import build
from benchmarks.serving import free_port, ours, warm
from wyoming_streamwhisper.core.audio import RATE

_PIECE = 1 << 15
_BOUNDARY = "boundary"


@dataclass(frozen=True, slots=True)
class Answer:
    """One upload."""

    kind: str
    megabytes: float
    sending: float
    """Seconds in which it was sent."""
    first: float
    """Seconds from the first byte to the answer."""
    last: float
    """Seconds from the last byte to the answer."""
    words: int


def aiff(wav: Path) -> bytes:
    """Return the samples of a WAV file as AIFF."""
    file = wav.with_suffix(".aiff")
    with av.open(str(wav)) as read, av.open(str(file), "w") as written:
        stream = written.add_stream("pcm_s16be", rate=RATE)
        stream.layout = "mono"
        for frame in read.decode(audio=0):
            frame.pts = None
            written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
    return file.read_bytes()


async def send(port: int, kind: str, data: bytes, rate: float) -> Answer:
    """Send a recording at a rate in megabits a second; returns what became of it."""
    parts = 'name="language"\r\n\r\nen', f'name="file"; filename="talk.{kind}"\r\n\r\n'
    head = "\r\n".join(f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {p}" for p in parts)
    body = head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = (
        f"POST /transcribe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(headers.encode())
    begun = time.perf_counter()
    for at in range(0, len(body), _PIECE):
        due = begun + at * 8 / (rate * 1e6)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(body[at : at + _PIECE])
        await writer.drain()
    sent = time.perf_counter()
    answer = await reader.read()
    ended = time.perf_counter()
    writer.close()
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    words = len(told["text"].split())
    return Answer(kind, len(body) / 1e6, sent - begun, ended - begun, ended - sent, words)


async def run(arguments: argparse.Namespace) -> list[Answer]:
    """Send each kind in turn."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "talk.wav"
        build(arguments.folder, arguments.minutes, "en", 0, wav)
        kinds = {"wav": wav.read_bytes(), "aiff": aiff(wav)}
    answers = []
    async with ours(f"{arguments.serve} --http tcp://127.0.0.1:{port}").start() as daemon:
        await warm(daemon)
        for _ in range(arguments.rounds):
            for kind, data in kinds.items():
                answers.append(await send(port, kind, data, arguments.rate))
    return answers


def table(answers: Sequence[Answer]) -> str:
    """Return the figures for people."""
    rows = ["| kind | MB | sending | first byte → answer | last byte → answer | words |"]
    rows.append("|---|---|---|---|---|---|")
    rows += [
        f"| {a.kind} | {a.megabytes:.1f} | {a.sending:.1f} s | {a.first:.1f} s | {a.last:.1f} s "
        f"| {a.words} |"
        for a in answers
    ]
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print."""
    ask = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ask.add_argument("folder", type=Path, help="speech with a manifest.jsonl")
    ask.add_argument("--minutes", type=float, default=20.0)
    ask.add_argument("--rate", type=float, default=20.0, help="megabits a second")
    ask.add_argument("--rounds", type=int, default=1)
    return measured(ask, argv, run, table)


if __name__ == "__main__":
    sys.exit(main())
