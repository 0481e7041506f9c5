"""The training corpus: jobs spoken by several processes, each kept as it ends, then joined.

A job writes `jobs/NAME.i16` and `jobs/NAME.jsonl`; what is there already is not spoken again, so
an interrupted run goes on where it was.  `Corpus` reads the joined `audio.i16` and `index.jsonl`.
"""

from __future__ import annotations

import json
import multiprocessing
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from . import voices
from .synthesis import Clip, Split, draw, speak_espeak, speak_process, usable

ESPEAK_JOB, PROCESS_JOB = 1000, 100  # clips a job: the loss when interrupted
ENGLISH_SHARE = 0.58  # English has many accents, German one
KIND_SHARES = {"grammar": 0.62, "names": 0.2, "free": 0.18}


@dataclass(frozen=True, slots=True)
class Job:
    """Clips of one voice (or of espeak-ng's many) drawn from one seed."""

    voice: str
    count: int
    seed: int
    split: Split = "train"
    held_out: bool = False

    @property
    def name(self) -> str:
        """The name of the job's files: what it depends on."""
        parts = (self.voice.replace(":", "-"), self.split, self.seed, self.count, self.held_out)
        return "-".join(str(part) for part in parts)


def plan(espeak: int, natural: int, seed: int) -> list[Job]:
    """List the jobs of a training corpus: `espeak` clips, and `natural` of each other voice."""
    starts = range(0, espeak, ESPEAK_JOB)
    jobs = [Job("espeak", min(ESPEAK_JOB, espeak - i), seed * 10007 + i) for i in starts]
    for number, voice in enumerate((*voices.NATURAL, *voices.FESTIVAL)):
        for i in range(0, natural, PROCESS_JOB):
            first = seed * 7919 + number * 1_000_003 + i
            jobs.append(Job(voice, min(PROCESS_JOB, natural - i), first))
    return jobs


def clips(job: Job) -> Iterator[Clip]:
    """Speak the job's clips, one after another."""
    rng = random.Random(job.seed)
    kinds, weights = list(KIND_SHARES), list(KIND_SHARES.values())
    for _ in range(job.count):
        kind = rng.choices(kinds, weights)[0]
        if job.voice == "espeak":
            language = "en" if rng.random() < ENGLISH_SHARE else "de"
            voice = voices.espeak_voice(rng, language, held_out=job.held_out)
            sentence = draw(rng, job.split, language, kind)
            clip = speak_espeak(rng, sentence, voice)
        else:
            sentence = draw(rng, job.split, "en", kind)
            clip = speak_process(rng, sentence, voices.parse(job.voice))
        if usable(clip):
            yield clip


def run_job(item: tuple[Job, Path]) -> int:
    """Speak one job into its files unless they are there; the number of samples."""
    job, folder = item
    audio, index = folder / f"{job.name}.i16", folder / f"{job.name}.jsonl"
    if not index.exists():
        rows = []
        with audio.open("wb") as file:
            for clip in clips(job):
                file.write(clip.audio.tobytes())
                rows.append(json.dumps({"n": len(clip.audio), **clip.row()}, ensure_ascii=False))
        partial = index.with_suffix(".part")
        partial.write_text("".join(row + "\n" for row in rows))
        partial.rename(index)  # the index appears last: a job with one is complete
    return audio.stat().st_size // 2


def speak(jobs: list[Job], out: Path, workers: int) -> None:
    """Speak all jobs and join them in the order of the plan."""
    folder = out / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    items = [(job, folder) for job in jobs]
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=8) as pool:
        for _ in tqdm(pool.imap_unordered(run_job, items), "speech", len(items), unit="job"):
            pass
    offset = 0
    with (out / "audio.i16").open("wb") as audio, (out / "index.part").open("w") as index:
        for job in jobs:
            audio.write((folder / f"{job.name}.i16").read_bytes())
            for line in (folder / f"{job.name}.jsonl").read_text().splitlines():
                row = json.loads(line)
                index.write(json.dumps({"offset": offset, **row}, ensure_ascii=False) + "\n")
                offset += row["n"]
    (out / "index.part").rename(out / "index.jsonl")


class Corpus:
    """A spoken corpus, its audio mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self._audio = np.memmap(folder / "audio.i16", np.int16, "r")
        lines = (folder / "index.jsonl").read_text().splitlines()
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def audio(self, row: dict[str, Any]) -> NDArray[np.float32]:
        """Give the samples of one row of the index, -1 to 1."""
        part = self._audio[row["offset"] : row["offset"] + row["n"]]
        return np.asarray(part, np.float32) / np.float32(32768)
