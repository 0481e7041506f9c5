"""From the words of chunks to segments: joins them in order, holds back what may be shared."""

from collections.abc import Iterator

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.captions import Captions, Segment
from wyoming_streamwhisper.core.seams import join
from wyoming_streamwhisper.core.words import Word
from wyoming_streamwhisper.files.heard import Heard


class Joining:
    """Joins the chunks of one recording."""

    def __init__(self) -> None:
        self._captions = Captions()
        self._last: Heard | None = None
        self._words: tuple[Word, ...] = ()

    def add(self, heard: Heard) -> Iterator[Segment]:
        """Take the next chunk; yields the segments that it completes."""
        last, words = self._last, heard.hypothesis.words
        if last is not None:
            start, end = heard.chunk.start / RATE, last.chunk.end / RATE
            kept, words = join(self._words, words, start, end)
            yield from self._captions.add(kept, last.hypothesis)
            if start >= end:
                yield from self._captions.flush()
        self._last, self._words = heard, words

    def end(self) -> Iterator[Segment]:
        """Yield what is left."""
        if self._last is not None:
            yield from self._captions.add(self._words, self._last.hypothesis)
        yield from self._captions.flush()
