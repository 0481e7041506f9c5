"""Where the open piece of an utterance is closed: in pauses, where sentences end, when it is full.

Pure decisions over sample indices: the same audio is always cut at the same places, however it was
chunked and however long decodes took. docs/decisions/0003 has what was tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.voice import FRAME, SHORTEST_SPEECH
from wyoming_streamwhisper.core.words import Word

_LONG_PAUSE = 2 * RATE
"""A pause of this length closes a piece of any length."""
_SHORTEST_PAUSE = int(0.2 * RATE)
"""The pause that closes a piece which is almost full."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the open piece is to be closed."""

    end: int
    silent: bool = True
    """Whether nobody speaks there."""
    sentence: bool = False
    """Whether only if a sentence ends there."""
    proof: int = 0
    """End of the decode that has to confirm it; 0 for the one up to the cut itself."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the open piece; all in sample indices."""

    start: int
    pauses: Sequence[tuple[int, int]]
    """The silences behind each stretch of speech (begin, end)."""
    known: int
    """Up to where it is known who speaks."""
    sentence: int | None
    """Where a sentence seems to end, if one does."""
    refused: int
    """Last place at which the piece might have been closed, but no sentence ended."""
    last: int | None
    """End of the final's range, once that is known."""


class Cuts:
    """Finds cuts with the options of one utterance."""

    def __init__(self, options: Streaming) -> None:
        self._settle = int(options.settle * RATE)
        self._least = int(options.piece_min * RATE)
        self._most = int(options.piece_max * RATE)
        self._pause = int(options.piece_pause * RATE)

    def due(self, seen: Seen) -> Cut | None:
        """Return where the open piece ends, or may end, if that is known already."""
        full = seen.start + self._most
        # The first cut to be known wins, by sample indices, never the best of those known by now:
        # who hears in large portions would cut elsewhere than who hears frame by frame.
        pauses = [(begin, end) for begin, end in seen.pauses if begin < full]
        for begin, end in pauses:
            settled = begin + self._settle
            needed = self._needed(begin - seen.start, seems=seen.sentence == settled)
            # One that is long enough only behind `full` comes too late: the piece was cut by then.
            if end - begin >= needed and begin + needed <= full:
                return Cut(settled)
            if settled <= min(end, full) and begin - seen.start >= self._least:
                cut = self._at_sentence(settled, end, full, seen)
                if cut is not None:
                    return cut
        return self._when_full(full, pauses, seen) if _is_known(full, seen) else None

    def _needed(self, length: int, *, seems: bool) -> int:
        """Return how long a pause behind so many samples closes the piece.

        The longer the piece, the shorter: rather a breath between two words than a cut in one.
        Where a sentence seems to end, half of it is enough.
        """
        if length < self._least:
            return _LONG_PAUSE
        share = min((length - self._least) / max(self._most - self._least, 1), 1)
        pause = int(self._pause + share * min(_SHORTEST_PAUSE - self._pause, 0))
        return max(pause // 2 if seems else pause, self._settle)

    def _at_sentence(self, settled: int, resumed: int, full: int, seen: Seen) -> Cut | None:
        """Return the cut in a short pause, if it may end a sentence and can be looked into now.

        What sounds like a sentence may go on ("..., because"), which shows when it is heard
        together with what is spoken next.
        """
        if seen.sentence is None:
            return Cut(settled, sentence=True) if settled > seen.refused else None
        if seen.sentence != settled:
            return None
        # A decode up to the next pause will be wanted anyway, by the speculation made in it.
        ends = [b + self._settle for b, e in seen.pauses if e - b >= self._settle]
        if seen.last is not None:
            ends.append(seen.last)
        proof = min((end for end in ends if end > resumed), default=full)
        if proof >= full and not _is_known(full, seen):
            return None
        return Cut(settled, sentence=True, proof=min(proof, full))

    def _when_full(self, full: int, pauses: Sequence[tuple[int, int]], seen: Seen) -> Cut:
        """Return the longest pause of the piece's last two thirds, or its end for want of any."""
        # A cut early in the piece would leave a short one, and most of its audio for the next.
        usable = [(b, min(e, full)) for b, e in pauses if b >= seen.start + self._most // 3]
        begin, end = max(usable, key=lambda pause: pause[1] - pause[0], default=(0, 0))
        if end - begin >= FRAME:
            return Cut(begin + min((end - begin) // 2, self._settle))
        return Cut(full, silent=False)


def _is_known(index: int, seen: Seen) -> bool:
    """Whether it is known who speaks up to there, also if somebody just begins to."""
    # A stretch counts from its third frame on, but from its first one in hindsight.
    return seen.known >= index + SHORTEST_SPEECH


def between_words(words: Sequence[Word], start: int, end: int) -> tuple[tuple[Word, ...], int]:
    """Cut unbroken speech at the longest gap between two words of its second half."""
    middle = (start + end) / 2 / RATE
    gaps = [
        (after.start - before.end, i)
        for i, (before, after) in enumerate(pairwise(words), 1)
        if before.end >= middle and not after.is_punctuation
    ]
    if not gaps:
        return tuple(words), end
    _, count = max(gaps)
    cut = int((words[count - 1].end + words[count].start) / 2 * RATE)
    return tuple(words[:count]), min(max(cut, start + 1), end)
