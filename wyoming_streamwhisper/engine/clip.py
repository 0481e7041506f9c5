"""Bundled speech of synthetic voices: to warm up with, to check a model, to try its contexts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from wyoming_streamwhisper.core.audio import RATE, AudioFormat, Samples
from wyoming_streamwhisper.core.convert import Converter

_ASSETS = Path(__file__).parent.parent / "assets"
PATH = _ASSETS / "check.wav"
FORMAT = AudioFormat(16_000, 2, 1)
_TRIAL = _ASSETS / "trial"
_PAUSE = np.zeros(int(0.4 * RATE), np.float32)
"""Between the sentences of a longer one."""
_LONGER = (3, 6)
"""Sentences that are joined, so that longer audio contexts are tried too."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Speech and what is said in it."""

    language: str
    text: str
    samples: Samples


def read() -> Samples:
    """Return the samples of a clip of two seconds."""
    return Converter(FORMAT).feed(PATH.read_bytes())


def read_trial(languages: Sequence[str]) -> list[Spoken]:
    """Return the speech for trials in those languages: single sentences, then joined ones."""
    listed = json.loads((_TRIAL / "clips.json").read_bytes())
    single = [
        Spoken(line["language"], line["text"], _decoded(_TRIAL / line["file"]))
        for line in listed
        if line["language"] in languages
    ]
    joined = [
        _joined(together[:count])
        for _, group in groupby(single, key=lambda spoken: spoken.language)
        for together in [list(group)]
        for count in _LONGER
    ]
    return single + joined


def _joined(parts: Sequence[Spoken]) -> Spoken:
    sound = np.concatenate([piece for part in parts for piece in (part.samples, _PAUSE)])
    return Spoken(parts[0].language, " ".join(part.text for part in parts), sound)


def _decoded(file: Path) -> Samples:
    import av  # late: a listening socket shall not wait for it

    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(str(file)) as opened:
        frames = [
            frame for heard in opened.decode(audio=0) for frame in resampler.resample(heard)
        ] + resampler.resample(None)
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts).astype(np.float32) / np.float32(32768)
