"""Audio on its way into an utterance: a peer's bytes become samples that wait for room.

Whatever a peer sends, however it is cut: each sample comes out once and in order, and no more of
them than the longest utterance has.
"""

import time
from collections import deque
from collections.abc import Callable

from wyoming_streamwhisper.core.audio import RATE, AudioFormat, Samples
from wyoming_streamwhisper.core.convert import Converter
from wyoming_streamwhisper.core.voice import FRAME

_BACKLOG = 30 * RATE
"""Samples that may wait for room in the window before the sender has to wait."""
_KEPT, _DRIFT = 1.0, 1.01
"""Who speaks may have kept so many seconds at first, as for a wake word, and have a clock so much
faster than ours; who is further ahead sends what was recorded."""


class Intake:
    """Takes bytes of any format or samples in, and gives samples out."""

    def __init__(self, longest: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take at most `longest` samples; what comes behind them is left out."""
        self._left = longest
        self._clock = clock
        self._begun: float | None = None
        """When the first sample was spoken at the latest."""
        self._converter: Converter | None = None
        self._format: AudioFormat | None = None
        self._pcm: list[bytes] = []
        """Bytes that make no whole frame of voice activity yet: before that nothing happens, so
        that they are not worth being converted one by one."""
        self._frame = self._missing = 0
        """Bytes of such a frame, and those that it still lacks."""
        self._waiting: deque[Samples] = deque()
        self._waits = 0
        """Samples in it."""

    @property
    def full(self) -> bool:
        """Whether the longest utterance has come."""
        return not self._left

    @property
    def empty(self) -> bool:
        """Whether no sample waits."""
        return not self._waiting

    @property
    def flooded(self) -> bool:
        """Whether more waits than a sender should have ahead."""
        return self._waits > _BACKLOG

    def feed(self, pcm: bytes, form: AudioFormat) -> bool:
        """Take further bytes; returns whether it is time to look for samples.

        A change of format is a new stream of bytes.
        """
        # Nearly always it is the same object, which is told faster than equal fields.
        if form is not self._format and form != self._format:
            self.flush()
            self._converter, self._format = Converter(form), form
            self._frame = self._missing = form.rate * FRAME // RATE * form.frame
        self._pcm.append(pcm)
        self._missing -= len(pcm)
        if self._missing <= 0:
            # What comes next fills up the frame in which this ends.
            self._missing = self._frame - -self._missing % self._frame
            self._convert()
            return True
        return self.full  # by what the stream before has left behind

    def hear(self, samples: Samples) -> None:
        """Take further samples that need no conversion: mono, 16 kHz."""
        samples = samples[: self._left]
        if len(samples):
            self._left -= len(samples)
            self._waiting.append(samples)
            self._waits += len(samples)

    def flush(self) -> None:
        """Take what has come and what the converter still holds: a stream of bytes is over."""
        self._convert()
        if self._converter is not None:
            self.hear(self._converter.flush())

    def take(self, room: int) -> Samples:
        """Return the next samples, at most `room` of them, where some wait."""
        samples = self._waiting.popleft()
        if len(samples) > room:
            self._waiting.appendleft(samples[room:])
            samples = samples[:room]
        self._waits -= len(samples)
        if self._begun is None:
            self._begun = self._clock() - len(samples) / RATE
        return samples

    def ahead(self, end: int) -> float:
        """Return by how many seconds audio up to a sample came sooner than it can be spoken.

        The audio was taken.
        """
        assert self._begun is not None
        elapsed = self._clock() - self._begun
        return max(0.0, end / RATE - _DRIFT * elapsed - _KEPT)

    def _convert(self) -> None:
        if self._converter is not None and self._pcm:
            self.hear(self._converter.feed(b"".join(self._pcm)))
            self._pcm.clear()
