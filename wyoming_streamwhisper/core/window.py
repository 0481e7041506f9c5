"""The sliding window: the samples that may still be decoded, found by their index in the stream."""

import numpy as np

from wyoming_streamwhisper.core.audio import RATE, Samples

LONGEST = 30 * RATE
"""What Whisper can look at in one pass, in samples."""


class Window:
    """Holds the samples from `start` to `end` (indices in the utterance) in one array.

    Never holds more than `LONGEST`; `room` says how much it takes now. The array is moved to the
    front only when its end is reached, so that a sample is copied a bounded number of times.
    """

    def __init__(self) -> None:
        self._data: Samples = np.empty(2 * RATE, np.float32)
        self._offset = 0
        self.start = 0
        self.end = 0

    @property
    def room(self) -> int:
        """Samples that can be appended now."""
        return LONGEST - (self.end - self.start)

    def append(self, samples: Samples) -> None:
        """Add samples at the end.

        Raises:
            ValueError: there is no room for so many.

        """
        if len(samples) > self.room:
            raise ValueError(f"{len(samples)} samples do not fit, there is room for {self.room}")
        held = self.end - self.start
        needed = held + len(samples)
        if self._offset + needed > len(self._data):
            self._make_space(held, needed)
        at = self._offset + held
        self._data[at : at + len(samples)] = samples
        self.end += len(samples)

    def _make_space(self, held: int, needed: int) -> None:
        # Twice what is needed: before the next move as many samples again have to come, so that on
        # average each is moved about once. Room for two full windows is the most that takes.
        kept = self._data[self._offset : self._offset + held]
        if 2 * needed > len(self._data):
            grown = np.empty(min(max(2 * needed, 2 * len(self._data)), 2 * LONGEST), np.float32)
            grown[:held] = kept
            self._data = grown
        else:
            self._data[:held] = kept.copy()
        self._offset = 0

    def trim(self, start: int) -> None:
        """Forget what lies before the index `start`; never moves backwards."""
        start = min(max(start, self.start), self.end)
        self._offset += start - self.start
        self.start = start

    def samples(self, start: int, end: int) -> Samples:
        """Return a copy of the samples from `start` up to `end`, in a form that may travel.

        Raises:
            IndexError: they are not, or no longer, in the window.

        """
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"{start}..{end} is not within {self.start}..{self.end}")
        base = self._offset - self.start
        return self._data[base + start : base + end].copy()
