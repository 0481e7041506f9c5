"""Where in the audio somebody speaks: from the probability of each frame to stretches of speech.

The rule is Silero's own (`get_speech_timestamps`): speech begins at a frame of at least the
threshold and lasts until the probability falls below the threshold less 0.15. A stretch counts
from its third frame on, which keeps clicks out and the shortest words ("no") in. A stretch is
known by sample indices only, so that no decision depends on how the audio was chunked.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

FRAME = 512
"""Samples of a frame of voice activity (32 ms)."""
_HYSTERESIS = 0.15
SHORTEST_SPEECH = 3 * FRAME
"""Samples of speech that count; before that nobody knows whether it is a click."""


@dataclass(slots=True)
class Stretch:
    """Uninterrupted speech, in samples from `start` up to `end`; it may still be growing."""

    start: int
    end: int


class Voice:
    """Follows the frames of one utterance and keeps the stretches that were not forgotten."""

    def __init__(self, threshold: float) -> None:
        self._on = threshold
        self._off = max(threshold - _HYSTERESIS, 0.01)
        self._began: int | None = None
        self.stretches: deque[Stretch] = deque()
        self._ended = 0
        self._forgotten = 0
        self.known = 0
        """Sample index up to which frames were judged."""
        self.spoken = 0
        """Samples of speech heard in all."""

    @property
    def speaking(self) -> bool:
        """Whether the last frame belongs to a stretch that counts."""
        return self._began is not None and self.known - self._began >= SHORTEST_SPEECH

    @property
    def rising(self) -> bool:
        """Whether the last frame may be the begin of a stretch, or belongs to one."""
        return self._began is not None

    def feed(self, probabilities: Iterable[float]) -> None:
        """Judge further frames."""
        for probability in probabilities:
            self._frame(probability)

    def _frame(self, probability: float) -> None:
        if self._began is None:
            if probability >= self._on:
                self._began = self.known
        elif probability < self._off:
            self._began = None
            # It was kept because it might still grow.
            if self.stretches and self.stretches[-1].end <= self._forgotten:
                self.stretches.pop()
        self.known += FRAME
        if not self.speaking:
            return
        # The two frames that might have been a click belong to the stretch after all.
        began, self._ended = self._began or 0, self.known
        if self.stretches and self.stretches[-1].start == began:
            self.stretches[-1].end = self.known
            self.spoken += FRAME
        else:
            self.stretches.append(Stretch(began, self.known))
            self.spoken += self.known - began

    def forget(self, before: int) -> None:
        """Drop the stretches that end at or before a sample index, and the head of one across."""
        self._forgotten = max(self._forgotten, before)
        finished = len(self.stretches) - (1 if self.speaking else 0)
        while finished and self.stretches[0].end <= before:
            self.stretches.popleft()
            finished -= 1
        # A growing stretch is found again by its begin, so only a finished one is shortened.
        if finished:
            self.stretches[0].start = max(self.stretches[0].start, before)

    def longest(self, before: int) -> int:
        """Return the length of the longest kept stretch that begins before a sample index."""
        lengths = (s.end - s.start for s in self.stretches if s.start < before)
        return max(lengths, default=0)

    def pauses(self) -> list[tuple[int, int]]:
        """List the silences behind each kept stretch, in samples (begin, end).

        The last one ends where speech may just have begun again, or with what is known; it is
        empty while somebody speaks.
        """
        ends = [stretch.end for stretch in self.stretches]
        begins = [stretch.start for stretch in self.stretches]
        return list(zip(ends, [*begins, self._heard_nothing_until()][1:], strict=True))

    @property
    def quiet(self) -> int:
        """Samples of silence since somebody last spoke, forgotten or not; 0 while speaking."""
        return self._heard_nothing_until() - self._ended

    def _heard_nothing_until(self) -> int:
        return self.known if self.speaking or self._began is None else self._began
