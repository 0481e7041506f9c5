"""The stretch of a recording that may still be needed: samples by their index in the recording."""

import numpy as np

from wyoming_streamwhisper.core.audio import Samples


class Tape:
    """Holds the samples from `start` to `end`; what lies before is forgotten when asked."""

    def __init__(self) -> None:
        self._data: Samples = np.empty(0, np.float32)
        self.start = 0

    @property
    def end(self) -> int:
        """Samples read so far."""
        return self.start + len(self._data)

    def append(self, samples: Samples) -> None:
        """Add samples at the end."""
        self._data = np.concatenate([self._data, samples])

    def forget(self, before: int) -> None:
        """Forget what lies before an index."""
        before = min(max(before, self.start), self.end)
        self._data = self._data[before - self.start :]
        self.start = before

    def samples(self, start: int, end: int) -> Samples:
        """Return a copy of the samples from `start` up to `end`.

        Raises:
            IndexError: they are not, or no longer, there.

        """
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"{start}..{end} is not within {self.start}..{self.end}")
        return self._data[start - self.start : end - self.start].copy()
