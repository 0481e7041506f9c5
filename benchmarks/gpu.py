"""What a device carries: time by batch size, share of each stage, and live satellites.

    python -m benchmarks.gpu --model turbo --device cuda --json result.json

The engine alone is measured, without sockets and event loop: what it could carry if nothing before
it were the limit. The live part lets satellites speak in real time: each asks for a partial every
0.4 s unless one is under way, and 0.2 s behind the end for the final, which a client with 0.7 s of
silence at the end wants 0.5 s later. `--device cpu --model demo --batches 1,2 --live 1,2
--seconds 3` shows on any machine that it works.
"""

import argparse
import asyncio
import json
import math
import random
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import Request, Timing
from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.options import EngineOptions
from wyoming_streamwhisper.engine.silero import make_vad

STEP, SETTLE, SILENCE = 0.4, 0.2, 0.7
"""Seconds of new speech for a partial, from the end to the final's decode, and to audio-stop."""
WINDOW = 6.0
"""Seconds that a partial looks back at most."""
STAGES = ("features", "encode", "generate", "align")
UTILISATION = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits")


@dataclass(frozen=True, slots=True)
class Batch:
    """Decodes of one size."""

    kind: str
    size: int
    median_ms: float
    request_ms: float
    shares: dict[str, float]
    """Of the time, by stage; what is left goes into tokens and words."""


@dataclass(frozen=True, slots=True)
class Live:
    """Satellites that spoke at once; delays in milliseconds, median and 95th percentile."""

    satellites: int
    partial: tuple[float, float]
    """From the wish for a partial to its answer."""
    final: tuple[float, float]
    """From audio-stop to the final; 0 where it was there before."""
    answers: int
    batch: float
    """Requests in a batch, as a request sees it."""
    utilisation: float | None
    """Percent of the time in which the GPU did anything; None where nobody can tell."""


@dataclass(slots=True)
class Seen:
    """What the satellites of a live run saw, in seconds."""

    partials: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)


def speech(seconds: float) -> Samples:
    """Return so much of the bundled speech, one sentence after the other."""
    parts = [spoken.samples for spoken in clip.read_trial(("en",))[:6]]
    whole = np.concatenate(parts)
    return np.resize(whole, int(seconds * RATE))


def ask(number: int, kind: Kind, samples: Samples) -> Request:
    """Return a request in a known language, as Home Assistant makes them."""
    return Request(f"{number}", f"s{number}", kind, samples, languages=("en",), timeout=30.0)


def measure_batch(
    backend: CTranslate2Backend, kind: Kind, size: int, seconds: float, times: int
) -> Batch:
    """Decode batches of one size; the first, which takes memory and finds kernels, is not kept."""
    requests = [ask(number, kind, speech(seconds)) for number in range(size)]
    taken, timings = [], []
    for _ in range(times + 1):
        begun = time.perf_counter()
        timings.append(backend.decode(requests)[0].timing)
        taken.append(time.perf_counter() - begun)
    whole = sum(taken[1:])
    shares = {stage: round(_sum(timings[1:], stage) / whole, 3) for stage in STAGES}
    median = statistics.median(taken[1:]) * 1e3
    return Batch(kind.name.lower(), size, round(median, 2), round(median / size, 2), shares)


def _sum(timings: Sequence[Timing], stage: str) -> float:
    return sum(float(getattr(timing, stage)) for timing in timings)


def measure_vad(name: str, streams: int, times: int) -> float:
    """Return milliseconds for a frame of each of so many streams; each has 31 a second."""
    vad = make_vad(name)
    states = [vad.new_state() for _ in range(streams)]
    frames = np.resize(speech(2.0), (streams, FRAME))
    taken = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        states, _ = vad.step(states, frames)
        taken.append(time.perf_counter() - begun)
    return round(statistics.median(taken[1:]) * 1e3, 3)


async def measure_live(
    backend: CTranslate2Backend, satellites: int, seconds: float, max_batch: int
) -> Live:
    """Let satellites speak for so many seconds, each for itself, in real time."""
    engine = LocalEngine(lambda: backend, backend.info, max_batch=max_batch)
    await engine.start()
    seen = Seen()
    spoken = speech(8.0)
    try:
        async with utilisation() as percent, asyncio.TaskGroup() as group:
            until = time.monotonic() + seconds
            for number in range(satellites):
                group.create_task(_speak(engine, number, spoken, until, seen))
    finally:
        await engine.close()
    return Live(
        satellites,
        _percentiles(seen.partials),
        _percentiles(seen.finals),
        len(seen.partials) + len(seen.finals),
        round(statistics.fmean(seen.batches or [0]), 1),
        round(statistics.fmean(percent), 1) if percent else None,
    )


async def _speak(
    engine: LocalEngine, number: int, spoken: Samples, until: float, seen: Seen
) -> None:
    """Speak utterances of 2 to 8 s with pauses of 1 to 3 s until the time is over."""
    dice = random.Random(number)
    await asyncio.sleep(dice.uniform(0.0, 3.0))  # not all at once
    while time.monotonic() < until:
        length, begun = dice.uniform(2.0, len(spoken) / RATE), time.monotonic()
        while (heard := time.monotonic() - begun) < length:
            window = spoken[int(max(0.0, heard - WINDOW) * RATE) : int(heard * RATE)]
            await _answered(engine, number, Kind.PARTIAL, window, seen.partials, seen.batches)
            late = time.monotonic() - begun - heard
            await asyncio.sleep(max(0.0, min(STEP, length - heard) - late))
        await asyncio.sleep(max(0.0, begun + length + SETTLE - time.monotonic()))
        took: list[float] = []
        whole = spoken[: int((length + SETTLE) * RATE)]
        await _answered(engine, number, Kind.SPECULATIVE, whole, took, seen.batches)
        seen.finals.append(max(0.0, time.monotonic() - begun - length - SILENCE))
        await asyncio.sleep(dice.uniform(1.0, 3.0))


async def _answered(
    engine: LocalEngine,
    number: int,
    kind: Kind,
    samples: Samples,
    took: list[float],
    batches: list[int],
) -> None:
    begun = time.monotonic()
    result = await engine.decode(ask(number, kind, samples))
    took.append(time.monotonic() - begun)
    batches.append(result.timing.batch)


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile in milliseconds."""
    if not seconds:
        return (math.nan, math.nan)
    median, high = np.percentile(seconds, [50, 95]) * 1e3
    return (round(float(median), 1), round(float(high), 1))


@asynccontextmanager
async def utilisation() -> AsyncIterator[list[float]]:
    """Gather the GPU's utilisation in percent twice a second; nothing without nvidia-smi."""
    percent: list[float] = []
    if not shutil.which(UTILISATION[0]):
        yield percent
        return
    watch = await asyncio.create_subprocess_exec(
        *UTILISATION, "-lms", "500", stdout=asyncio.subprocess.PIPE
    )
    assert watch.stdout is not None
    try:
        yield percent
    finally:
        watch.terminate()
        lines = (await watch.stdout.read()).decode().split()
        percent.extend(float(line) for line in lines if line.replace(".", "").isdecimal())
        await watch.wait()


def table(curve: Sequence[Batch], vad: dict[int, float], live: Sequence[Live]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| kind | batch | ms | ms a request | " + " | ".join(f"{s} %" for s in STAGES) + " |",
        "| --- " * (4 + len(STAGES)) + "|",
    ]
    for one in curve:
        shares = " | ".join(f"{one.shares[stage]:.0%}"[:-1] for stage in STAGES)
        size = f"{one.size} | {one.median_ms} | {one.request_ms}"
        lines.append(f"| {one.kind} | {size} | {shares} |")
    lines += ["", "| streams | ms for a frame of each (VAD) |", "| --- | --- |"]
    lines += [f"| {streams} | {ms} |" for streams, ms in vad.items()]
    lines += [
        "",
        "| satellites | partial ms, p50 / p95 | stop → final ms, p50 / p95 | batch | GPU % |",
        "| --- | --- | --- | --- | --- |",
    ]
    for run in live:
        delays = " | ".join(f"{p50} / {p95}" for p50, p95 in (run.partial, run.final))
        busy = "–" if run.utilisation is None else run.utilisation
        lines.append(f"| {run.satellites} | {delays} | {run.batch} | {busy} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure as the arguments say."""
    options = _parser().parse_args(argv)
    engine = EngineOptions(
        device=options.device,
        compute_type=options.compute_type,
        cpu_threads=options.cpu_threads,
        audio_context=options.audio_context,
        features=options.features,
    )
    backend = CTranslate2Backend(resolve(ModelOptions(model=options.model)), engine)
    backend.warm_up()
    curve = [
        measure_batch(backend, kind, size, options.audio, options.times)
        for kind in (Kind.PARTIAL, Kind.FINAL)
        for size in options.batches
    ]
    vad = {size: measure_vad(options.vad, size, 10 * options.times) for size in options.live}
    live = [
        asyncio.run(measure_live(backend, size, options.seconds, options.max_batch))
        for size in options.live
    ]
    print(f"{options.model} on {backend.info.running}, audio of {options.audio:g} s\n")
    print(table(curve, vad, live))
    if options.json:
        found: dict[str, Any] = {
            "options": {key: str(value) for key, value in vars(options).items()},
            "running": backend.info.running,
            "batches": [asdict(one) for one in curve],
            "vad_ms": vad,
            "live": [asdict(run) for run in live],
        }
        options.json.write_text(json.dumps(found, indent=1))


def _sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--model", default="demo", help="as for the daemon (%(default)s)")
    add("--device", default="auto", help="as for the daemon (%(default)s)")
    add("--compute-type", default="default", help="as for the daemon")
    add("--cpu-threads", type=int, default=0, help="as for the daemon")
    add("--audio-context", default="auto", choices=("auto", "short", "full"), help="(%(default)s)")
    add("--features", default="auto", choices=("auto", "numpy", "torch"), help="(%(default)s)")
    add("--vad", default="onnx", choices=("onnx", "torch", "cuda"), help="(%(default)s)")
    add("--max-batch", type=int, default=64, help="in the live part (%(default)s)")
    add("--batches", type=_sizes, default=_sizes("1,2,4,8,16,32,64,128"), metavar="N,N")
    add("--audio", type=float, default=4.0, metavar="S", help="seconds of speech (%(default)s)")
    add("--times", type=int, default=10, metavar="N", help="decodes of each size (%(default)s)")
    add("--live", type=_sizes, default=_sizes("50,100,200,400"), metavar="N,N", help="satellites")
    add("--seconds", type=float, default=20.0, metavar="S", help="of each live run (%(default)s)")
    add("--json", type=Path, metavar="OUT", help="write all figures")
    return parser


if __name__ == "__main__":
    main()
