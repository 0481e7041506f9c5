"""Divides the words of a recording into segments: sentences, or two lines of subtitles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wyoming_streamwhisper.core.words import Hypothesis, Word, ends_sentence, text_of

_LONGEST_TEXT = 84
"""Characters: two lines of 42, the usual measure of subtitles."""
_LONGEST = 7.0
"""Seconds that a subtitle is shown."""


@dataclass(frozen=True, slots=True)
class Segment:
    """About a sentence: what is shown at once as a subtitle. Times are seconds of the recording."""

    start: float
    end: float
    text: str
    language: str
    words: tuple[Word, ...]
    average_logprob: float = 0.0
    """Mean log-probability of the tokens of the chunk that it begins in."""
    no_speech: float = 0.0
    """The model's own probability that nobody speaks in that chunk."""


class Captions:
    """Takes words in order and gives out segments as soon as they are whole."""

    def __init__(self) -> None:
        self._words: list[Word] = []
        self._heard = Hypothesis((), "")

    def add(self, words: Sequence[Word], heard: Hypothesis) -> Iterator[Segment]:
        """Take further words of a chunk that was heard so; yields the segments that are whole."""
        for word in words:
            if not word.is_punctuation and self._is_whole(word):
                yield from self.flush()
            if not self._words:
                self._heard = heard
            self._words.append(word)

    def flush(self) -> Iterator[Segment]:
        """Yield what is there, because the speaker paused."""
        if text := text_of(self._words):
            yield Segment(
                self._words[0].start,
                max(self._words[-1].end, self._words[0].start),
                text,
                self._heard.language,
                tuple(self._words),
                self._heard.average_logprob,
                self._heard.no_speech,
            )
        self._words = []

    def _is_whole(self, following: Word) -> bool:
        """Whether the segment ends before a word that follows."""
        if not self._words:
            return False
        if ends_sentence(self._words, self._heard.language):
            return True
        if following.end - self._words[0].start > _LONGEST:
            return True
        return len(text_of(self._words)) + len(following.text) > _LONGEST_TEXT
