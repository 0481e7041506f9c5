"""A stretch of speech as a satellite hears it, and the windows that streaming cuts out of it.

A `Track` is one sentence or many with gaps between them.  `Track.window` cuts it where streaming
would: at a sentence's start or in the midst of one, and the same at its end.  Inside a sentence it
cuts only at words whose times the synthesizer gave.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .sound import RATE, Audio, stretch
from .sounds import numbers_of

FULL_S = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence on a track, its times in seconds of the track."""

    row: dict[str, Any]
    start: float
    end: float
    factor: float

    @property
    def words(self) -> list[str]:
        """Split the sentence into its written words."""
        return str(self.row["text"]).split()

    def span(self, word: int) -> tuple[float, float] | None:
        """Give a word's start and end on the track, None where the synthesizer gives none."""
        if not self.row["marks"]:
            return None
        a, b = self.row["marks"][word]
        return self.start + a / 1000 / self.factor, self.start + b / 1000 / self.factor

    def cuts(self) -> list[int]:
        """List the inner words whose start is known exactly: where the sentence can be cut."""
        if not self.row["marks"]:
            return []
        guessed = set(self.row["guessed"])
        return [i for i in range(1, len(self.row["marks"])) if i not in guessed]


@dataclass(slots=True)
class Piece:
    """The part of a line that a window holds: words `first` up to (not including) `last`."""

    line: Line
    first: int
    last: int
    start: float
    end: float

    @property
    def is_whole(self) -> bool:
        """Whether the window holds the whole line."""
        return self.first == 0 and self.last == len(self.line.words)

    @property
    def text(self) -> str:
        """Write the words that the window holds, without the mark after an unfinished sentence."""
        words = self.line.words
        text = " ".join(words[self.first : self.last])
        return text if self.last == len(words) else text.rstrip(".,?")

    @property
    def sounds(self) -> list[int]:
        """List the phonemes that the window holds; none where only the whole line's are known."""
        said = self.line.row["sounds"]
        if self.is_whole:
            return numbers_of(" ".join(said))
        known = len(said) == len(self.line.words)
        return numbers_of(" ".join(said[self.first : self.last])) if known else []


@dataclass(slots=True)
class Window:
    """What a decoder gets: audio, the words in it, and the words before it."""

    audio: Audio
    language: str
    offset: float  # of the track's time at the window's beginning
    pieces: list[Piece] = field(default_factory=list)
    before: str = ""  # of the sentence that the window begins in
    open_at: float | None = None  # start of a sentence that the window does not finish

    @property
    def sounds(self) -> list[int]:
        """List the phonemes of the window; none if those of a piece are not known."""
        heard = [piece.sounds for piece in self.pieces]
        return [sound for piece in heard for sound in piece] if all(heard) else []

    @property
    def translatable(self) -> bool:
        """Whether it is German, holds whole sentences only, and each has its English one."""
        return (
            self.language == "de"
            and self.open_at is None
            and all(piece.is_whole and piece.line.row["other"] for piece in self.pieces)
        )


class Track:
    """Sentences one after another, with silence between them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.lines: list[Line] = []
        self._parts: list[Audio] = []
        self._samples = 0

    @property
    def seconds(self) -> float:
        """How long the track is by now."""
        return self._samples / RATE

    def silence(self, seconds: float) -> None:
        """Append silence."""
        part = np.zeros(int(seconds * RATE), np.float32)
        self._parts.append(part)
        self._samples += len(part)

    def add(self, row: dict[str, Any], audio: Audio, factor: float = 1.0) -> None:
        """Append a sentence, spoken `factor` times as fast."""
        part = stretch(audio, factor) if factor != 1 else audio
        start = self.seconds
        self._parts.append(part)
        self._samples += len(part)
        self.lines.append(Line(row, start, self.seconds, factor))

    def audio(self) -> Audio:
        """Join what was appended."""
        return np.concatenate(self._parts)

    def window(self, begin: int, end: int | None, late: float, rng: random.Random) -> Window:
        """Cut from word `begin` of the first line up to word `end` of the last (None: all).

        The cut falls up to `late` of the way into the next word, which is then not written.
        """
        first, last = self.lines[0], self.lines[-1]
        start_s, stop_s = 0.0, self.seconds
        if begin and (span := first.span(begin)):
            start_s = max(0.0, span[0] - rng.uniform(0, 0.06))
        if end is not None and (span := last.span(end)):
            stop_s = span[0] + late * (span[1] - span[0])
        audio = self.audio()[int(start_s * RATE) : int(stop_s * RATE)]
        window = Window(audio, self.language, start_s, before=" ".join(first.words[:begin]))
        for line in self.lines:
            a = begin if line is first else 0
            b = len(line.words) if end is None or line is not last else end
            piece = Piece(
                line, a, b, max(0.0, line.start - start_s), min(line.end, stop_s) - start_s
            )
            window.pieces.append(piece)
        return window
