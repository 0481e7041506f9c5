"""Where a long recording is cut into chunks that are decoded side by side.

Pure decisions over the probabilities of voice activity, as they come: what is silent is in no
chunk, a pause ends one, and where nobody pauses two chunks share some audio, so that a word on the
cut is whole in one of them (`seams` joins their texts). The text plays no part, because a chunk
must not wait for the one before it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.voice import FRAME, SHORTEST_SPEECH, Voice

_LEAD = int(0.3 * RATE)
"""Audio before speech: voice activity is noticed a little late."""
_TAIL = int(0.3 * RATE)
"""Audio behind speech."""
_LONG_PAUSE = 2 * RATE
"""A pause of this length ends a chunk of any length."""
_BREATH = int(0.2 * RATE)
"""The shortest pause in which a cut needs no overlap."""
_SHORTEST_GAIN = RATE
"""What a chunk must at least bring beyond the overlap."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The samples from `start` up to `end`; it may begin before the chunk before it ends."""

    start: int
    end: int
    spoken: int = field(default=0, compare=False)
    """Samples of the longest stretch in it that voice activity takes for speech."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How long chunks are, in samples."""

    least: int
    """Length from which a chunk may end in a pause."""
    most: int
    """Length at which one ends even without a pause."""
    overlap: int
    """What two chunks share that were cut without a pause."""
    pause: int
    """Length of a pause that ends a chunk of the least length; the longer it is, the shorter."""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most:
            raise ValueError(f"chunks of at least {self.least} and at most {self.most} samples")
        if self.overlap + _SHORTEST_GAIN > self.most:
            raise ValueError(f"chunks of {self.most} samples cannot share {self.overlap}")

    def needed(self, length: int) -> int:
        """Return how long a pause behind so many samples ends the chunk."""
        if length < self.least:
            return _LONG_PAUSE
        share = min((length - self.least) / max(self.most - self.least, 1), 1.0)
        return int(self.pause + share * min(_BREATH - self.pause, 0))


class PauseCutter:
    """Cuts in pauses, at the latest after `most` samples at the quietest place."""

    def __init__(self, chunking: Chunking, threshold: float) -> None:
        """Begin at sample 0; `threshold` is the probability from which a frame is speech."""
        self._chunking = chunking
        self._voice = Voice(threshold)
        self._from = 0
        """Where the next chunk may begin."""
        self._total: int | None = None

    @property
    def silent_until(self) -> int:
        """Sample index before which no further chunk will begin."""
        stretches = self._voice.stretches
        begin = stretches[0].start if stretches else self._voice.known - SHORTEST_SPEECH
        return max(self._from, begin - _LEAD)

    def feed(self, probabilities: Iterable[float]) -> Iterator[Chunk]:
        """Judge further frames of 512 samples; yields the chunks that are known now."""
        self._voice.feed(probabilities)
        return self._cut()

    def finish(self, total: int) -> Iterator[Chunk]:
        """Learn that the recording has `total` samples, all of which were judged."""
        self._total = total
        return self._cut()

    def _cut(self) -> Iterator[Chunk]:
        while (found := self._next()) is not None:
            chunk, self._from = found
            spoken = self._spoken(chunk)
            self._voice.forget(self._from)
            yield replace(chunk, spoken=spoken)

    def _spoken(self, chunk: Chunk) -> int:
        """Return the samples of the longest stretch of speech in a chunk."""
        lengths = (
            min(stretch.end, chunk.end) - max(stretch.start, chunk.start)
            for stretch in self._voice.stretches
        )
        return max(lengths, default=0)

    def _next(self) -> tuple[Chunk, int] | None:
        """Return the next chunk, if its end is known, and where the one behind it may begin."""
        if not self._voice.stretches or self._from == self._total:
            return None
        start = self.silent_until
        full = start + self._chunking.most
        # What lies behind this may not count, so that chunks are the same however frames came.
        known = full + SHORTEST_SPEECH
        pauses = [(b, min(e, known)) for b, e in self._voice.pauses() if b < full and e > start]
        for begin, end in pauses:
            needed = self._chunking.needed(begin - start)
            if end - begin >= needed:
                return self._in_pause(start, begin, begin + needed)
        if self._total is None and self._voice.known < known:
            return None
        if self._total is not None and self._total <= full:
            end = min(pauses[-1][0] + _TAIL, self._total) if pauses else self._total
            return Chunk(start, max(end, start + 1)), self._total
        return self._when_full(start, full, pauses)

    def _in_pause(self, start: int, begin: int, end: int) -> tuple[Chunk, int]:
        cut = begin + min((end - begin) // 2, _TAIL)
        return Chunk(start, cut), cut

    def _when_full(self, start: int, full: int, pauses: list[tuple[int, int]]) -> tuple[Chunk, int]:
        """Cut in the longest pause of the last two thirds; where it is none, share some audio."""
        earliest = start + self._chunking.most // 3
        usable = [(b, min(e, full)) for b, e in pauses if b >= earliest]
        begin, end = max(usable, key=lambda pause: pause[1] - pause[0], default=(full, full))
        if end - begin >= _BREATH:
            return self._in_pause(start, begin, end)
        middle = min((begin + end) // 2, full - self._chunking.overlap // 2)
        half = self._chunking.overlap // 2
        return Chunk(start, middle + half), max(middle - half, start + _SHORTEST_GAIN)


class FixedCutter:
    """Cuts every `length` samples whatever is said, each chunk sharing `overlap` with the next.

    Nobody knows who speaks, so all of it counts as speech.
    """

    def __init__(self, length: int, overlap: int) -> None:
        if not 0 <= overlap <= length - _SHORTEST_GAIN:
            raise ValueError(f"chunks of {length} samples cannot share {overlap}")
        self._length, self._step = length, length - overlap
        self._known = 0
        self._from = 0

    @property
    def silent_until(self) -> int:
        """Sample index before which no further chunk will begin."""
        return self._from

    def feed(self, probabilities: Iterable[float]) -> Iterator[Chunk]:
        """Count further frames; yields the chunks that are whole now."""
        self._known += FRAME * sum(1 for _ in probabilities)
        while self._from + self._length <= self._known:
            yield Chunk(self._from, self._from + self._length, self._length)
            self._from += self._step

    def finish(self, total: int) -> Iterator[Chunk]:
        """Yield the last chunk, where the one before does not reach the end."""
        if self._from + (self._length - self._step) < total or (self._from == 0 and total):
            yield Chunk(self._from, total, self._length)
            self._from = total
