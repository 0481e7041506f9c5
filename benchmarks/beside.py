"""A file job beside commands: what each costs the other, idle and busy in turns within one run.

    python -m benchmarks.beside EVAL_DIR --serve '--model demo' --json result.json

One daemon. Somebody gives commands over Wyoming, in real time, with silence behind the voice and
without. In every other block an hour of speech lies in an upload over HTTP, begun with the block;
behind the commands it goes on alone for some seconds. Prints a Markdown table.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.conditions import machine, watched
from benchmarks.field import quiet
from benchmarks.figures import Spread, spread
from benchmarks.files import build
from benchmarks.serving import Running, free_port, ours, warm
from benchmarks.settings import SETS
from benchmarks.speech import Spoken, choose, load, manifest
from benchmarks.tables import Table, number, pair
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.sources import Pacing

CHUNK_MS = 10
"""As Home Assistant sends."""
TRAILING_S = (0.7, 0.0)
"""Silence that Home Assistant's detection waits for, and none."""
ANSWER_S = 60.0

METHOD = """\
Audio-stop to transcript of one satellite, in real time, milliseconds, p50 / p95, while nothing else
happens (`idle`) and while a long recording that was uploaded over HTTP is transcribed
(`busy`); blocks of both in turns on one daemon, the same clips in each. `times` is the p95 as a
multiple of the idle one. `file` is how many seconds of the recording are done in a second while
commands are spoken, and alone."""


@dataclass(frozen=True, slots=True)
class Said:
    """One command; times in seconds."""

    busy: bool
    trailing_s: float
    file: str
    text: str
    error: str | None
    stop_to_text: float | None
    sent_late: float


@dataclass(frozen=True, slots=True)
class Span:
    """How far a recording came in a stretch of time; both in seconds."""

    alone: bool
    wall_s: float
    done_s: float


@dataclass(slots=True)
class Report:
    """All that was measured."""

    said: list[Said] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def spread(self, busy: bool, trailing_s: float) -> Spread | None:
        """Return audio-stop to transcript in seconds."""
        return spread(
            one.stop_to_text
            for one in self.said
            if one.busy is busy and one.trailing_s == trailing_s
        )

    def speed(self, alone: bool) -> float | None:
        """Return seconds of the recording in a second."""
        spans = [span for span in self.spans if span.alone is alone]
        wall = sum(span.wall_s for span in spans)
        return sum(span.done_s for span in spans) / wall if wall else None


@dataclass(slots=True)
class Upload:
    """A recording that is transcribed again and again, and how far that has come."""

    url: str
    file: Path
    _before: float = 0.0
    _now: float = 0.0

    @property
    def done_s(self) -> float:
        """Seconds of audio that are done, of all times together."""
        return self._before + self._now

    async def run(self) -> None:
        """Upload and follow, until cancelled. Raises httpx.HTTPError, or RuntimeError."""
        async with httpx.AsyncClient(timeout=ANSWER_S) as client:
            while True:
                with self.file.open("rb") as recording:
                    form = {"stream": "true", "language": "en"}
                    request = client.stream(
                        "POST", self.url, data=form, files={"file": ("hour.wav", recording)}
                    )
                    async with request as answer:
                        await self._follow(answer)
                self._before += self._now
                self._now = 0.0

    async def _follow(self, answer: httpx.Response) -> None:
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"status {answer.status_code}")
        async for line in answer.aiter_lines():
            if not line:
                continue
            event = json.loads(line.removeprefix("data: "))
            if "error" in event:
                raise RuntimeError(str(event["error"]))
            self._now = event.get("done", event.get("duration", self._now))


@asynccontextmanager
async def uploading(url: str, file: Path) -> AsyncIterator[Upload]:
    """Let a recording be transcribed meanwhile."""
    upload = Upload(url, file)
    running = asyncio.create_task(upload.run())
    try:
        yield upload
        if running.done():
            running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Blocks:
    """Blocks of commands at one daemon."""

    def __init__(
        self, daemon: Running, url: str, recording: Path, alone_s: float, report: Report
    ) -> None:
        """Begin; the file goes on alone for `alone_s` in each block."""
        self._daemon, self._url, self._recording = daemon, url, recording
        self._alone_s, self._report = alone_s, report

    async def idle(self, clips: Sequence[Spoken]) -> None:
        """Speak while nothing else happens."""
        await quiet(self._daemon.pid)
        await self._speak(clips, busy=False)

    async def busy(self, clips: Sequence[Spoken]) -> None:
        """Speak while a recording is transcribed, then leave that alone for a while."""
        await quiet(self._daemon.pid)
        async with uploading(self._url, self._recording) as upload:
            with self._span(upload, alone=False):
                await self._speak(clips, busy=True)
            with self._span(upload, alone=True):
                await asyncio.sleep(self._alone_s)

    @contextmanager
    def _span(self, upload: Upload, *, alone: bool) -> Iterator[None]:
        wall, done = time.monotonic(), upload.done_s
        yield
        span = Span(alone, time.monotonic() - wall, upload.done_s - done)
        self._report.spans.append(span)

    async def _speak(self, clips: Sequence[Spoken], *, busy: bool) -> None:
        for spoken in clips:
            for trailing_s in TRAILING_S:
                self._report.said.append(await self._say(spoken, trailing_s, busy))

    async def _say(self, spoken: Spoken, trailing_s: float, busy: bool) -> Said:
        record = await speak(
            self._daemon.uri,
            spoken.audio,
            Asking(language=spoken.clip.lang),
            Pacing(chunk_ms=CHUNK_MS, trailing_silence=trailing_s),
            patience=ANSWER_S,
        )
        return Said(
            busy,
            trailing_s,
            spoken.clip.file,
            record.text,
            record.failure.code if record.failure else None,
            record.stop_to_transcript_s,
            record.lag_s,
        )


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run all blocks; returns the report as plain data."""
    report = Report()
    sets = [name for name in options.sets.split(",") if name]
    chosen = choose(manifest(options.folder, sets), options.rounds * options.clips, options.seed)
    clips = load(options.folder, chosen)
    url = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "hour.wav"
        build(options.folder, options.minutes, "en", options.seed, recording)
        server = ours(f"{options.serve} --http tcp://{url}")
        async with server.start() as daemon:
            await warm(daemon)
            target = f"http://{url}/transcribe"
            blocks = Blocks(daemon, target, recording, options.alone, report)
            with watched([daemon.pid]) as work:
                for turn in range(options.rounds):
                    part = clips[turn * options.clips : (turn + 1) * options.clips]
                    turns = [blocks.idle, blocks.busy]
                    for block in turns if turn % 2 == 0 else reversed(turns):
                        await block(part)
    return {
        "options": {key: str(value) for key, value in vars(options).items()},
        "machine": asdict(machine()),
        "work": asdict(work),
        **asdict(report),
    }


def merged(reports: Sequence[dict[str, Any]]) -> Report:
    """Return several runs' figures as one."""
    return Report(
        [Said(**row) for report in reports for row in report["said"]],
        [Span(**row) for report in reports for row in report["spans"]],
    )


def table(report: Report) -> Table:
    """Return what commands wait for, with and without a file beside."""
    header = ["silence", "idle", "busy", "times", "n", "errors", "sent late, ms"]
    made = Table("beside", "Commands beside a file", METHOD, header)
    for trailing_s in TRAILING_S:
        said = [one for one in report.said if one.trailing_s == trailing_s]
        idle, busy = (report.spread(state, trailing_s) for state in (False, True))
        made.add(
            f"{trailing_s:g} s",
            pair(idle, 1000, 1),
            pair(busy, 1000, 1),
            number(busy.p95 / idle.p95, 2) if idle and busy else "–",
            " / ".join(str(one.n) if one else "0" for one in (idle, busy)),
            sum(one.error is not None for one in said),
            f"{1000 * max((one.sent_late for one in said), default=0.0):.0f}",
        )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, or join what was measured before, and print."""
    ask = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ask.add_argument("folder", type=Path, metavar="EVAL_DIR")
    ask.add_argument("--serve", default="--model demo --log-level warning", metavar="ARGS")
    ask.add_argument("--minutes", type=float, default=60.0, help="of the recording (%(default)g)")
    ask.add_argument("--rounds", type=int, default=4, help="blocks of each kind (%(default)d)")
    ask.add_argument("--clips", type=int, default=5, help="in each block (%(default)d)")
    ask.add_argument("--alone", type=float, default=8.0, metavar="S", help="(%(default)g)")
    ask.add_argument("--sets", default=",".join(SETS), help="of the clips (%(default)s)")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--json", type=Path)
    ask.add_argument("--join", type=Path, nargs="*", default=[], help="earlier --json files")
    options = ask.parse_args(argv)
    earlier = [json.loads(file.read_text()) for file in options.join]
    report = asyncio.run(measure(options))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    found = merged([*earlier, report])
    print(table(found).markdown())
    speeds = [number(found.speed(alone), 1) for alone in (False, True)]
    print(f"file: {speeds[0]} x real time beside commands, {speeds[1]} x alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
