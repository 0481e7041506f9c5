"""Long files: speed, errors and memory against faster-whisper with the same weights and threads.

Builds a recording of known text from an evaluation folder (clips in random order with random
pauses), then runs each system over it in a process of its own, one after the other.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import words
from benchmarks.file_systems import Run, Setting, alone, apart, run_apart
from benchmarks.seams import fates, summary, suspects
from wyoming_streamwhisper.client.sources import RATE, read_file

_NOISE = 12.0
"""Level of the noise in pauses, of 32768: as quiet as a good microphone."""
_SHORT_MINUTES = 5.0


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


# What it was worth


def figures(run: Run, text: str) -> dict[str, Any]:
    """Return what a run is judged by; rates are shares of the words that were said."""
    spoken, heard = words(text), words(run.text)
    errors = jiwer.process_words(" ".join(spoken), " ".join(heard) or "-")
    return {
        "system": run.name,
        "elapsed_s": round(run.elapsed, 2),
        "cpu_s": round(run.cpu, 2),
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
        "CPU s",
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
        speed = [f"{row[key]:.1f}" for key in ("elapsed_s", "cpu_s", "speed")]
        lines.append([row["system"], *speed, *rates, str(row["above_model_mib"])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seams_table(runs: Sequence[Run], said: Sequence[tuple[str, Path]], setting: Setting) -> str:
    """Tell of words near seams and away from them, as Markdown, and of what is suspicious."""
    heard = apart(alone, setting, *{str(file) for _, file in said})
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
