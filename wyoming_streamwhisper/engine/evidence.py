"""Whether a model may hear short audio contexts: decided from pairs of texts, short against full.

Pure. Three things are asked of a model of which nobody knows it, in this order. A *self-test* over
bundled speech only rules out: synthetic voices say little about a real Whisper in a real room, but
a model that fails there fails anywhere. A *watch* over real finals, decoded in full for the client
and once more in short while nobody needs the model, allows short finals when many pairs agree.
Then the watch goes on the other way round, short for the client and full to compare, and withdraws
what it allowed when texts begin to differ; it is allowed again only after twice as many pairs.

A difference is no mistake yet, since the short text may be the better one; it counts all the same.
Only counts are kept, never a text.
"""

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from wyoming_streamwhisper.core.edits import distance
from wyoming_streamwhisper.engine.context import CAREFUL, FLOOR, FULL, Rule

_GRANT, _WITHDRAW = 0.02, 0.04
"""Share of differing words up to which short finals are allowed, and above which no longer."""
_GRANT_REJECTED, _WITHDRAW_REJECTED = 0.05, 0.10
"""The same for short texts that a guard rejected; they cost time, for they are decoded again."""
_BROKEN = 0.20
"""Share of differing words or rejected texts in the self-test that makes partials useless too."""
_ENOUGH_TO_TEST = 40
"""Words of the bundled speech that a model must understand to be judged by it."""
_ENOUGH_PAIRS, _ENOUGH_WORDS = 40, 120
"""What the watch must have seen before it first allows anything: some days in a home."""
_FEW_PAIRS = 10
"""What it must have seen before it withdraws."""
_MOST_DOUBLINGS = 4
_UNDERSTOOD = 0.25
"""Share of words that the full text of bundled speech may have wrong."""


class Standing(Enum):
    """How far the evidence has come."""

    UNTRIED = "the self-test has not been made yet"
    BROKEN = "the self-test found short contexts useless"
    UNSAFE = "the self-test found differences"
    WATCHED = "finals are compared in idle time"
    SAFE = "finals agree, and are compared further"


@dataclass(frozen=True, slots=True)
class Pair:
    """What one comparison showed."""

    words: int
    """Words of the full text."""
    wrong: int
    """Words that would have to be changed to get from one text to the other."""
    rejected: bool = False
    """Whether a guard did not believe the short text."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over pairs."""

    pairs: int = 0
    words: int = 0
    wrong: int = 0
    rejected: int = 0

    def __add__(self, pair: Pair) -> "Tally":
        """Return the sums with one more pair."""
        return Tally(
            self.pairs + 1,
            self.words + pair.words,
            self.wrong + pair.wrong,
            self.rejected + pair.rejected,
        )

    def halved(self) -> "Tally":
        """Return half of everything, so that what was long ago counts less and less."""
        return Tally(self.pairs // 2, self.words // 2, self.wrong // 2, self.rejected // 2)

    @property
    def differing(self) -> float:
        """Share of words."""
        return self.wrong / max(self.words, 1)

    @property
    def distrusted(self) -> float:
        """Share of short texts that were rejected."""
        return self.rejected / max(self.pairs, 1)

    def __str__(self) -> str:
        rejected = f", {self.rejected} rejected" if self.rejected else ""
        return f"{self.wrong} of {self.words} words differ in {self.pairs} pairs{rejected}"


@dataclass(slots=True)
class Evidence:
    """All that is known of one model; plain enough to be kept in a file."""

    standing: Standing = Standing.UNTRIED
    tested: Tally = field(default_factory=Tally)
    watched: Tally = field(default_factory=Tally)
    """Since the standing last changed."""
    doublings: int = 0
    """How often the number of pairs that is asked for was doubled."""

    @property
    def rule(self) -> Rule:
        """What follows from it."""
        partials, finals = CAREFUL.partials, CAREFUL.finals
        if self.standing is Standing.BROKEN:
            partials = FULL
        if self.standing is Standing.SAFE:
            finals = FLOOR
        return Rule(partials, finals, self.why, proven=False)

    @property
    def why(self) -> str:
        """The evidence, for people."""
        said = self.standing.value
        if self.standing is Standing.UNTRIED:
            return said
        tested = f"self-test: {self.tested}"
        if self.tested.words < _ENOUGH_TO_TEST:
            tested = "the self-test's speech was not understood"
        if not self.is_watching:
            return f"{said}; {tested}"
        return f"{said}: {self.watched}, {self.pairs_needed} pairs asked for; {tested}"

    @property
    def is_watching(self) -> bool:
        """Whether further pairs of real finals can change anything."""
        return self.standing in (Standing.WATCHED, Standing.SAFE)

    @property
    def pairs_needed(self) -> int:
        """How many pairs must agree before short finals are allowed."""
        return int(_ENOUGH_PAIRS << self.doublings)

    def test(self, pairs: Sequence[Pair]) -> None:
        """Take the result of the self-test: the pairs whose full text was understood."""
        self.tested = functools.reduce(operator.add, pairs, Tally())
        if self.tested.words < _ENOUGH_TO_TEST:
            # It may know other languages only: then the watch has to show all the more.
            self._become(Standing.WATCHED, doubled=True)
        elif max(self.tested.differing, self.tested.distrusted) > _BROKEN:
            self._become(Standing.BROKEN)
        elif self.tested.differing > _GRANT or self.tested.distrusted > _GRANT_REJECTED:
            self._become(Standing.UNSAFE)
        else:
            self._become(Standing.WATCHED)

    def watch(self, pair: Pair) -> None:
        """Take a pair of real finals."""
        self.watched += pair
        seen = self.watched
        if self.standing is Standing.SAFE:
            too_many = seen.differing > _WITHDRAW or seen.distrusted > _WITHDRAW_REJECTED
            if too_many and seen.pairs >= _FEW_PAIRS:
                self._become(Standing.WATCHED, doubled=True)
        elif (
            seen.pairs >= self.pairs_needed
            and seen.words >= _ENOUGH_WORDS
            and seen.differing <= _GRANT
            and seen.distrusted <= _GRANT_REJECTED
        ):
            self._become(Standing.SAFE)
        if self.watched.pairs >= 2 * self.pairs_needed:
            self.watched = self.watched.halved()

    def _become(self, standing: Standing, *, doubled: bool = False) -> None:
        self.standing = standing
        self.doublings = min(self.doublings + doubled, _MOST_DOUBLINGS)
        # What allowed short finals stays as the past against which new pairs are weighed.
        if standing is not Standing.SAFE:
            self.watched = Tally()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**asdict(self), "standing": self.standing.name}

    @staticmethod
    def from_dict(kept: Mapping[str, Any]) -> "Evidence":
        """Return what `as_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.

        """
        tallies = {name: Tally(**kept[name]) for name in ("tested", "watched")}
        return Evidence(Standing[kept["standing"]], doublings=int(kept["doublings"]), **tallies)


def compare(short: str, full: str, *, rejected: bool = False) -> Pair:
    """Return what two texts of the same audio show, case and punctuation aside."""
    one, other = _words(short), _words(full)
    return Pair(len(other), distance(one, other), rejected)


def understood(full: str, said: str) -> bool:
    """Whether a model's full text of bundled speech is good enough to be compared with."""
    spoken = _words(said)
    return distance(_words(full), spoken) <= _UNDERSTOOD * len(spoken)


def _words(text: str) -> list[str]:
    kept = "".join(c if c.isalnum() else "" if c in "'’" else " " for c in text.casefold())
    return kept.split()
