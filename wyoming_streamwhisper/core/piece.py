"""The open piece of an utterance: what was heard of it and what of that was sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.policy import Heard, Policy, weigh
from wyoming_streamwhisper.core.words import Hypothesis, Word, agreed, ends_sentence, goes_on

_KEPT = 2.0
"""Seconds of sure words that a partial's window repeats as forced prefix; more would cost a
decoder step a token, fewer would leave the model without footing."""
_WORTHWHILE = 3 * RATE
"""Audio that has to be saved before a partial's window leaves the piece's begin."""


@dataclass(slots=True)
class Piece:
    """What is known of the piece from sample index `start` on; times of words are absolute."""

    start: int
    sure: list[Word] = field(default_factory=list)
    """Words that were sent."""
    known: tuple[Word, ...] = ()
    """Words before those that the last decode asked for is to bring."""
    evidence: Sequence[Heard] = ()
    """All words of the last hypothesis, with the evidence for each."""
    heard: int = 0
    """End of the last stretch asked for, so that each partial brings new speech."""
    tried: int = 0
    """End of the last free decode asked for, so that a failed one is not asked for again."""
    refused: int = 0
    """Last place at which it might have been closed, but no sentence ended."""
    sentence: tuple[int, Hypothesis] | None = None
    """A place where a sentence seems to end, and the text up to it."""
    free: tuple[int, Hypothesis] | None = None
    """The last free decode of the piece from its start, and where it ended."""

    def heard_until(self, end: int) -> Hypothesis | None:
        """Return the free decode from the start up to this very index, if it is there."""
        return self.free[1] if self.free and self.free[0] == end else None

    def judge_sentence(self, end: int, heard: Hypothesis) -> tuple[int, Hypothesis] | None:
        """Learn what was heard up to a place where a sentence may end; returns one that does.

        What sounds like a sentence is believed only once more was heard and it still does, so it
        takes two calls: one in the pause, and one with what is spoken next.
        """
        seems = self.sentence
        if seems is None and ends_sentence(heard.words, heard.language):
            self.sentence = (end, heard)
        elif seems and not goes_on(seems[1].words, heard.words):
            return seems
        else:
            self.sentence, self.refused = None, end
        return None

    def commit(self, words: Sequence[Word], policy: Policy, end: float) -> bool:
        """Take what a hypothesis of the whole piece adds for sure; returns whether it does.

        `end` is the end of its audio in seconds.
        """
        sent, seems = len(self.sure), self.sentence
        # What seems to be a sentence will be closed as it was heard then.
        contradicts = seems and agreed(words, seems[1].words) < len(seems[1].words)
        if contradicts or agreed(words, self.sure) < sent:
            self.evidence = ()
            return False
        self.evidence = weigh(words, self.evidence)
        count = policy.sure(self.evidence[sent:], end)
        self.sure.extend(words[sent : sent + count])
        return count > 0

    @property
    def unsure(self) -> list[Word]:
        """What the last hypothesis heard behind the sure words, if it agrees with them."""
        return [heard.word for heard in self.evidence[len(self.sure) :]]

    def forget_contradicted(self) -> None:
        """Forget free decodes that would take back what was sent; they are asked for again."""
        if self.free and self._is_contradicted(self.free[1].words):
            self.free = None
        if self.sentence and self._is_contradicted(self.sentence[1].words):
            self.sentence = None

    def _is_contradicted(self, words: Sequence[Word]) -> bool:
        return agreed(self.sure, words) < min(len(self.sure), len(words))

    def footing(self) -> int:
        """Return from which sure word on a partial repeats them; 0 where that saves little."""
        if not self.sure:
            return 0
        near = self.sure[-1].end - _KEPT
        first = next(i for i, word in enumerate(self.sure) if word.end > near)
        return first if self.sure[first].start * RATE - self.start >= _WORTHWHILE else 0

    def next(self, start: int, words: Sequence[Word]) -> "Piece":
        """Return the piece that follows, where this one is closed at `start` with these words.

        What was sent from behind the cut remains sent, unless it is contradicted: words that were
        spoken before the cut and are not in its text were wrong.
        """
        closed, piece = len(words), Piece(start)
        behind = all(word.start * RATE >= start for word in self.sure[closed:])
        if behind and agreed(self.sure, words) == closed:
            piece.sure, piece.evidence = self.sure[closed:], self.evidence[closed:]
        return piece
