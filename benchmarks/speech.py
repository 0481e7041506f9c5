"""The speech that benchmarks speak: a folder with `manifest.jsonl`, and where its voices end."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from benchmarks.accuracy import Clip
from wyoming_streamwhisper.client.conversation import SPEECH_RMS
from wyoming_streamwhisper.client.sources import RATE, Samples, read_file

_BLOCK = RATE // 100
_GAP_S = 0.5
"""Silence between two clips of a long stream."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip with its audio, 16 kHz mono."""

    clip: Clip
    audio: Samples
    end_s: float
    """Seconds into the audio at which the voice ends."""


def manifest(folder: Path, sets: Sequence[str] = (), limit: int | None = None) -> list[Clip]:
    """Read the clips of some sets (all, if none is named), `limit` of each set and language."""
    taken = Counter[tuple[str, str]]()
    clips = []
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        kind = (row["set"], row["lang"])
        taken[kind] += 1
        if (sets and row["set"] not in sets) or (limit is not None and taken[kind] > limit):
            continue
        marks = tuple((begin, end) for begin, end in row["words"] or ())
        clips.append(Clip(row["file"], *kind, row["seconds"], row["text"], marks))
    return clips


def load(folder: Path, clips: Sequence[Clip]) -> list[Spoken]:
    """Read the clips' audio."""
    audios = [read_file(folder / clip.file) for clip in clips]
    return [
        Spoken(clip, audio, end_of_speech(clip, audio))
        for clip, audio in zip(clips, audios, strict=True)
    ]


def end_of_speech(clip: Clip, audio: Samples) -> float:
    """Return seconds at which the voice ends: the last word's mark, else the last loud 10 ms.

    Loud is one percent of full scale, as where the client looks for the begin of speech.
    """
    if clip.marks:
        return clip.marks[-1][1]
    whole = audio[: len(audio) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    loud = np.sqrt(np.mean(np.square(whole, dtype=np.float32), axis=1)) > SPEECH_RMS
    return float((np.flatnonzero(loud)[-1] + 1) * _BLOCK / RATE) if loud.any() else clip.seconds


def choose(clips: Sequence[Clip], count: int, seed: int = 0) -> list[Clip]:
    """Choose clips at random, the languages in turn, those with marks of their words first."""
    mixed = random.Random(seed).sample(clips, len(clips))
    mixed.sort(key=lambda clip: not clip.marks)
    languages = sorted({clip.lang for clip in mixed})
    turns = zip_longest(*([clip for clip in mixed if clip.lang == lang] for lang in languages))
    return [clip for turn in turns for clip in turn if clip is not None][:count]


def stream(spoken: Sequence[Spoken], seconds: float) -> Samples:
    """Join clips, with half a second between them, to speech of exactly so many seconds."""
    gap = np.zeros(round(_GAP_S * RATE), np.int16)
    once = np.concatenate([part for one in spoken for part in (one.audio, gap)])
    return np.resize(once, round(seconds * RATE))
