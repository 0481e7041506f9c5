"""Real speech for tests: synthetic voices, 16 kHz mono, with what they say; `audio/` has them."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

FOLDER = Path(__file__).parent / "audio"
RATE = 16_000


@dataclass(frozen=True)
class Clip:
    """One recording."""

    name: str
    kind: str
    """`command`, `command-new-voice` (a voice the demo model was not taught), `pauses`, `noise`."""
    language: str
    text: str
    words: tuple[tuple[float, float], ...]
    """Begin and end of each word in seconds, where they are known."""

    @functools.cached_property
    def pcm(self) -> bytes:
        """The sound, 16 bit."""
        with av.open(str(FOLDER / self.name)) as file:
            frames = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
        return np.concatenate(frames).astype("<i2").tobytes()


def _read(line: str) -> Clip:
    said = json.loads(line)
    words = tuple((begin, end) for begin, end in said["words"] or ())
    return Clip(said["file"], said["set"], said["lang"], said["text"], words)


CLIPS = tuple(map(_read, (FOLDER / "manifest.jsonl").read_text("utf-8").splitlines()))


def clip(name: str) -> Clip:
    """Return a clip by its file's name without the ending."""
    return next(c for c in CLIPS if c.name == f"{name}.flac")


TURN_ON = clip("turn-on")
SHORT = clip("command-en-098")
GERMAN = clip("command-de-009")
NOISE = clip("noise-en-230")
SILENCE = bytes(2 * RATE)
"""A second of it."""
