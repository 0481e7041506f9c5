"""Long files: speed, errors and memory against faster-whisper with the same weights and threads.

Builds a recording of known text from an evaluation folder (clips in random order with random
pauses), then runs each system over it in a process of its own, one after the other.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import jiwer
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import words
from benchmarks.seams import Cutting, Timed, fates, summary, suspects, timed
from wyoming_streamwhisper.client.sources import RATE, read_file
from wyoming_streamwhisper.core.words import Word
from wyoming_streamwhisper.files.journal import Journal
from wyoming_streamwhisper.transcribe import Transcriber
from wyoming_streamwhisper.transcribe.transcriber import journals

T = TypeVar("T")

_NOISE = 12.0
"""Level of the noise in pauses, of 32768: as quiet as a good microphone."""
_SHORT_MINUTES = 5.0
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
    cutting: Cutting | None = None
    """Where it was cut, as far as that is known."""

    @property
    def speed(self) -> float:
        """How many times faster than real time."""
        return self.seconds / self.elapsed


def build(
    folder: Path, minutes: float, language: str, seed: int, file: Path
) -> list[tuple[str, Path]]:
    """Write a recording of about so many minutes (WAV, 16 kHz); return the texts and their clips.

    Pauses between clips are log-normal with a median of 0.8 s, from 0.3 to 6 s.
    """
    chance, noise = random.Random(seed), np.random.default_rng(seed)
    lines = map(json.loads, (folder / "manifest.jsonl").read_text("utf-8").splitlines())
    clips = [c for c in lines if c["lang"] == language and c["text"]]
    left, said, samples = list[dict[str, Any]](), list[tuple[str, Path]](), 0
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        while samples < minutes * 60 * RATE:
            if not left:
                left = clips.copy()
                chance.shuffle(left)
            clip = left.pop()
            gap = min(max(chance.lognormvariate(-0.2, 0.7), 0.3), 6.0)
            silence: NDArray[np.float64] = noise.normal(0, _NOISE, int(gap * RATE))
            audio = np.concatenate([read_file(folder / clip["file"]), silence.astype(np.int16)])
            out.writeframes(audio.astype("<i2").tobytes())
            samples += len(audio)
            said.append((clip["text"], folder / clip["file"]))
    return said


# Systems; each runs in a process of its own


def ours(setting: Setting, *options: str) -> Run:
    """Run this project's Transcriber; `options` are name=value."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # this process is for this run only
        with _transcriber(setting, *options) as transcriber:
            loaded = _resident_mib()
            result = transcriber.transcribe(setting.file)
        took = result.metrics
        run = _run("ours", result.duration, took.elapsed, result.text, loaded, took.stages)
        (journal,) = journals().glob("*.jsonl")
        with Journal(journal, resume=True) as kept:
            chunks = [
                (c.start / RATE, c.end / RATE, _timed(heard.words)) for c, heard in kept.chunks()
            ]
    output = _timed([word for segment in result.segments for word in segment.words])
    name = ", ".join(["ours", *options])
    return replace(run, name=name, cutting=Cutting(output, tuple(chunks)))


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


def _timed(found: Sequence[Word]) -> tuple[Timed, ...]:
    return tuple(one for word in found for one in timed(word.text, word.start, word.end))


def one_pass(setting: Setting) -> Run:
    """Run faster-whisper's sequential transcription, greedy, as it comes."""
    whisper = _whisper(setting)
    loaded, begun = _resident_mib(), time.perf_counter()
    segments, info = whisper.transcribe(
        str(setting.file),
        language=setting.language,
        beam_size=1,
        condition_on_previous_text=False,
    )
    text = " ".join(segment.text for segment in segments)
    elapsed = time.perf_counter() - begun
    return _run("one pass", info.duration, elapsed, text, loaded, {})


def batched(setting: Setting, chunk_length: str = "30") -> Run:
    """Run faster-whisper's BatchedInferencePipeline, batch 8, greedy."""
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_whisper(setting))
    loaded, begun = _resident_mib(), time.perf_counter()
    segments, info = pipeline.transcribe(
        str(setting.file),
        language=setting.language,
        beam_size=1,
        batch_size=8,
        chunk_length=int(chunk_length),
    )
    text = " ".join(segment.text for segment in segments)
    elapsed = time.perf_counter() - begun
    return _run(f"batched, {chunk_length} s", info.duration, elapsed, text, loaded, {})


SYSTEMS: dict[str, Callable[..., Run]] = {"ours": ours, "one-pass": one_pass, "batched": batched}


def _whisper(setting: Setting) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        setting.model, compute_type=setting.compute_type, cpu_threads=setting.threads
    )


def _run(
    name: str, seconds: float, elapsed: float, text: str, loaded: float, stages: dict[str, float]
) -> Run:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(name, seconds, elapsed, text, loaded, peak, stages)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / _MIB


def run_apart(system: str, setting: Setting) -> Run:
    """Run a system, `NAME[:OPTION,...]`, in a new process, so that its memory is its own."""
    name, _, options = system.partition(":")
    return _apart(SYSTEMS[name], setting, *filter(None, options.split(",")))


def _apart(function: Callable[..., T], *arguments: Any) -> T:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


# What it was worth


def figures(run: Run, text: str) -> dict[str, Any]:
    """Return what a run is judged by; rates are shares of the words that were said."""
    spoken, heard = words(text), words(run.text)
    errors = jiwer.process_words(" ".join(spoken), " ".join(heard) or "-")
    return {
        "system": run.name,
        "elapsed_s": round(run.elapsed, 2),
        "speed": round(run.speed, 1),
        "wer": round(errors.wer, 4),
        "missing": round(errors.deletions / len(spoken), 4),
        "too_many": round(errors.insertions / len(spoken), 4),
        "wrong": round(errors.substitutions / len(spoken), 4),
        "model_mib": round(run.loaded_mib),
        "above_model_mib": round(run.peak_mib - run.loaded_mib),
        "stages_s": {name: round(seconds, 2) for name, seconds in run.stages.items()},
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Write figures as a Markdown table."""
    head = [
        "system",
        "s",
        "x real time",
        "WER %",
        "missing %",
        "too many %",
        "wrong %",
        "MiB above",
    ]
    lines = [head, ["---", *("---:" for _ in head[1:])]]
    for row in rows:
        rates = [f"{100 * row[key]:.1f}" for key in ("wer", "missing", "too_many", "wrong")]
        speed = [f"{row['elapsed_s']:.1f}", f"{row['speed']:.1f}"]
        lines.append([row["system"], *speed, *rates, str(row["above_model_mib"])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seams_table(runs: Sequence[Run], said: Sequence[tuple[str, Path]], setting: Setting) -> str:
    """Tell of words near seams and away from them, as Markdown, and of what is suspicious."""
    heard = _apart(alone, setting, *{str(file) for _, file in said})
    clips = [(text, heard[str(file)]) for text, file in said]
    head = ["system", "where", "seams", "words", *(name for name, _ in _RATES), "dropped"]
    lines, listed = [head, ["---", "---", *("---:" for _ in head[2:])]], []
    for run in (run for run in runs if run.cutting):
        assert run.cutting is not None
        found = fates(clips, run.cutting)
        for where, rates in summary(found).items():
            shown = [f"{100 * rates[key]:.1f}" for _, key in _RATES]
            counts = str(len(run.cutting.chunks) - 1), f"{rates['words']:.0f}"
            lines.append([run.name, where, *counts, *shown, f"{rates['dropped']:.0f}"])
        listed += [
            f"{run.name}: {one.at:.1f} s: {one.word!r} {'doubled' if one.doubled else one.kind}"
            f"{', though a chunk has it' if one.dropped else ''}"
            for one in suspects(found)
        ]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", *listed])


_RATES = (
    ("missing %", "missing"),
    ("wrong %", "wrong"),
    ("too many %", "extra"),
    ("doubled %", "doubled"),
    ("not heard alone %", "not_alone"),
    ("missing, heard alone %", "missing_not_alone"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Build the recording, run what is asked for, print a table."""
    ask = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ask.add_argument("folder", type=Path, help="evaluation folder")
    ask.add_argument("--minutes", type=float, default=60.0)
    ask.add_argument("--short", action="store_true", help=f"only {_SHORT_MINUTES:g} minutes")
    ask.add_argument("--language", default="en")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--model", required=True, help="folder of a model for CTranslate2")
    ask.add_argument("--compute-type", default="int8")
    ask.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    ask.add_argument(
        "--system",
        action="append",
        help="ours[:OPTION=VALUE,...], one-pass or batched[:CHUNK_LENGTH] (default: all three)",
    )
    ask.add_argument("--seams", action="store_true", help="tell what became of words at seams")
    ask.add_argument("--json", type=Path)
    asked = ask.parse_args(argv)
    systems = asked.system or ["one-pass", "batched", "ours"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording.wav"
        minutes = _SHORT_MINUTES if asked.short else asked.minutes
        said = build(asked.folder, minutes, asked.language, asked.seed, file)
        text = " ".join(one for one, _ in said)
        setting = Setting(
            file, text, asked.model, asked.language, asked.threads, asked.compute_type
        )
        runs = [run_apart(system, setting) for system in systems]
        rows = [figures(run, text) for run in runs]
        print(table(rows))
        if asked.seams:
            print("", seams_table(runs, said, setting), sep="\n")
    if asked.json:
        report = {"minutes": minutes, "threads": asked.threads, "model": asked.model, "runs": rows}
        asked.json.write_text(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
