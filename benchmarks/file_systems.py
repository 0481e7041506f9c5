"""The systems that `benchmarks.files` compares, each run in a process of its own."""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.seams import Cutting, Timed, timed
from wyoming_streamwhisper.build import share_one_heap
from wyoming_streamwhisper.client.sources import RATE
from wyoming_streamwhisper.core.words import Word
from wyoming_streamwhisper.files.heard import Heard
from wyoming_streamwhisper.files.journal import Journal
from wyoming_streamwhisper.transcribe import Transcriber
from wyoming_streamwhisper.transcribe.transcriber import journals

T = TypeVar("T")

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all systems."""

    file: Path
    text: str
    model: str
    language: str
    threads: int
    compute_type: str


@dataclass(frozen=True, slots=True)
class Run:
    """What one system did."""

    name: str
    seconds: float
    """Of the recording."""
    elapsed: float
    """Seconds, without loading the model."""
    text: str
    loaded_mib: float
    """Resident with the model loaded, before the recording."""
    peak_mib: float
    stages: dict[str, float]
    cpu: float = 0.0
    """Seconds of all threads' processor time: others at work on the machine change it least."""
    cutting: Cutting | None = None
    """Where it was cut, as far as that is known."""

    @property
    def speed(self) -> float:
        """How many times faster than real time."""
        return self.seconds / self.elapsed


def ours(setting: Setting, *options: str) -> Run:
    """Run this project's Transcriber as the command does; `options` are name=value."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # this process is for this run only
        share_one_heap()  # as the command does
        with _transcriber(setting, *options) as transcriber:
            loaded, begun = _resident_mib(), time.process_time()
            result = transcriber.transcribe(setting.file)
            cpu = time.process_time() - begun
        took = result.metrics
        run = _run("ours", result.duration, took.elapsed, result.text, loaded, took.stages, cpu)
        (journal,) = journals().glob("*.jsonl")
        with Journal(journal, resume=True) as kept:
            chunks = tuple(_placed(heard) for heard in kept.chunks())
    output = _timed([word for segment in result.segments for word in segment.words])
    name = ", ".join(["ours", *options])
    return replace(run, name=name, cutting=Cutting(output, chunks))


def alone(setting: Setting, *files: str) -> dict[str, str]:
    """Transcribe clips, each by itself, as `ours` does."""
    with _transcriber(setting) as transcriber:
        return {file: transcriber.transcribe(file).text for file in files}


def _transcriber(setting: Setting, *options: str) -> Transcriber:
    more: dict[str, Any] = dict(option.split("=", 1) for option in options)
    return Transcriber(
        cache=True,
        model=setting.model,
        language=setting.language,
        cpu_threads=setting.threads,
        compute_type=setting.compute_type,
        **more,
    )


def _placed(heard: Heard) -> tuple[float, float, tuple[Timed, ...]]:
    chunk = heard.chunk
    return chunk.start / RATE, chunk.end / RATE, _timed(heard.hypothesis.words)


def _timed(found: Sequence[Word]) -> tuple[Timed, ...]:
    return tuple(one for word in found for one in timed(word.text, word.start, word.end))


def one_pass(setting: Setting) -> Run:
    """Run faster-whisper's sequential transcription, greedy, as it comes."""
    whisper = _whisper(setting)
    loaded, begun, cpu = _resident_mib(), time.perf_counter(), time.process_time()
    segments, info = whisper.transcribe(
        str(setting.file),
        language=setting.language,
        beam_size=1,
        condition_on_previous_text=False,
    )
    text = " ".join(segment.text for segment in segments)
    elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return _run("one pass", info.duration, elapsed, text, loaded, {}, cpu)


def batched(setting: Setting, chunk_length: str = "30") -> Run:
    """Run faster-whisper's BatchedInferencePipeline, batch 8, greedy."""
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_whisper(setting))
    loaded, begun, cpu = _resident_mib(), time.perf_counter(), time.process_time()
    segments, info = pipeline.transcribe(
        str(setting.file),
        language=setting.language,
        beam_size=1,
        batch_size=8,
        chunk_length=int(chunk_length),
    )
    text = " ".join(segment.text for segment in segments)
    elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return _run(f"batched, {chunk_length} s", info.duration, elapsed, text, loaded, {}, cpu)


SYSTEMS: dict[str, Callable[..., Run]] = {"ours": ours, "one-pass": one_pass, "batched": batched}


def _whisper(setting: Setting) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        setting.model, compute_type=setting.compute_type, cpu_threads=setting.threads
    )


def _run(
    name: str,
    seconds: float,
    elapsed: float,
    text: str,
    loaded: float,
    stages: dict[str, float],
    cpu: float,
) -> Run:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(name, seconds, elapsed, text, loaded, peak, stages, cpu)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / _MIB


def run_apart(system: str, setting: Setting) -> Run:
    """Run a system, `NAME[:OPTION,...]`, in a new process, so that its memory is its own."""
    name, _, options = system.partition(":")
    return apart(SYSTEMS[name], setting, *filter(None, options.split(",")))


def apart(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a new process and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
