"""Recordings whose words an engine without a model can hear: each is a tone of its own level."""

import wave
from pathlib import Path

import numpy as np

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.words import Hypothesis, Word
from wyoming_streamwhisper.engine.api import Request, Result

_STEP = 16
"""Levels of 16 bit samples between two words: more than rounding moves them."""
_LOUD = 1000
"""Level of the first word, loud enough for the stand-in for voice activity."""


def samples(words: list[tuple[float, float]]) -> np.ndarray:
    """Return 16 bit samples of words (seconds of speech, seconds of silence behind it)."""
    parts = []
    for number, (speech, silence) in enumerate(words):
        parts.append(np.full(int(speech * RATE), _LOUD + _STEP * number, np.int16))
        parts.append(np.zeros(int(silence * RATE), np.int16))
    return np.concatenate([np.zeros(0, np.int16), *parts])


def write(path: Path, words: list[tuple[float, float]]) -> Path:
    """Write them as a WAV file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples(words).tobytes())
    return path


def hear(request: Request) -> Result:
    """Hear the words in a request's audio; one that its begin or end cuts is misheard."""
    levels = np.round(request.samples * 32768).astype(int)
    edges = np.flatnonzero(np.diff(levels)) + 1
    heard = []
    for start, end in zip([0, *edges], [*edges, len(levels)], strict=True):
        if start == end or levels[start] < _LOUD:
            continue
        cut = start == 0 or end == len(levels)
        said = "mumble" if cut else f"w{(levels[start] - _LOUD) // _STEP}"
        heard.append(Word(f" {said}", start / RATE, end / RATE, 0.9, ()))
    return Result(Hypothesis(tuple(heard), "en"))
