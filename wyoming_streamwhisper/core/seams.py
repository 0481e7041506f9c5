"""Joins the words of neighbouring chunks of a recording, so that none is lost or doubled.

Two chunks that were cut in a pause have nothing in common. Others share some audio, of which each
hears the words whole that lie well within itself. There the two texts are aligned (edit alignment
of Needleman and Wunsch, where only equal words at about the same time may match), and the seam is
put behind the matched word that is farthest from both ends of what they share.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from wyoming_streamwhisper.core.words import Word

_TOLERANCE = 0.5
"""Seconds by which two decodes may put the same word apart."""
_SLACK = 0.3
"""Seconds beyond the shared audio in which words may be found that lie in it."""
_LONGEST_WORD = 0.8
"""Seconds that a word may last where its end is not to be believed."""
_MARKS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Match:
    """A word that both chunks heard, by its index in each."""

    before: int
    after: int


def join(
    before: Sequence[Word], after: Sequence[Word], start: float, end: float
) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Return what remains of both texts when they are put together.

    Args:
        before: words of a chunk that ends at `end`.
        after: words of the next one, which begins at `start`; all times are seconds of the
            recording.
        start: where the shared audio begins.
        end: where it ends; nothing is shared if that is not behind `start`.

    """
    if start >= end:
        return tuple(before), tuple(after)
    middle = (start + end) / 2
    found = match(before, after, start - _SLACK, end + _SLACK)
    if not found:
        return _by_time(before, after, middle)
    seam = min(found, key=lambda m: abs(_middle(before[m.before]) - middle))
    return tuple(before[: seam.before + 1]), tuple(after[seam.after + 1 :])


def match(before: Sequence[Word], after: Sequence[Word], start: float, end: float) -> list[Match]:
    """Return the words that both texts have between two times, in order."""
    ours = [i for i, word in enumerate(before) if word.end > start and not word.is_punctuation]
    theirs = [i for i, word in enumerate(after) if word.start < end and not word.is_punctuation]
    # best[i][j]: how well the words from i and j on go together.
    best = [[0.0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            alike = _likeness(before[ours[i]], after[theirs[j]])
            best[i][j] = max(best[i + 1][j], best[i][j + 1], alike and alike + best[i + 1][j + 1])
    found, i, j = [], 0, 0
    while i < len(ours) and j < len(theirs):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            found.append(Match(ours[i], theirs[j]))
            i, j = i + 1, j + 1
    return found


def _likeness(a: Word, b: Word) -> float:
    """Return 0 for words that cannot be the same, else the more the closer they are in time.

    A decode often puts the begin of its first word and the end of its last one wrong.
    """
    if _spoken(a) != _spoken(b):
        return 0.0
    apart = min(abs(a.start - b.start), abs(a.end - b.end))
    return max(1.0 - apart / _TOLERANCE, 0.0)


def _by_time(
    before: Sequence[Word], after: Sequence[Word], middle: float
) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Cut both texts at one time; of a word that each heard in its own way only one stays.

    Where one has nothing on its side of the cut, as far as the other one's words are, these stay.
    """
    kept = [word for word in before if _middle(word) < middle]
    rest = [word for word in after if _middle(word) >= middle]
    # A decode often lets its last word end with the audio.
    silent_from = min(kept[-1].end, kept[-1].start + _LONGEST_WORD) if kept else -math.inf
    silent_until = rest[0].start if rest else math.inf
    behind = [w for w in after if w.start >= silent_from and _middle(w) < middle]
    ahead = [w for w in before if w.end <= silent_until and _middle(w) >= middle]
    if rest and not (behind or ahead) and _middle(rest[0]) < silent_from:
        rest = rest[1:]
    # At most one of both: else they would stand in the wrong order.
    return (tuple(kept), (*behind, *rest)) if behind else ((*kept, *ahead), tuple(rest))


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _spoken(word: Word) -> str:
    return _MARKS.sub("", word.text).lower()
