"""The decodes that an utterance asks for: one at a time, each answered, withdrawn or made urgent.

What may be said of a decode that is under way lives here and nowhere else, so that whoever drives
the utterance never hears of a number that it was not given or that is settled already.
"""

from dataclasses import replace

from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.wish import Wish


class Wishes:
    """Numbers wishes, knows the one that is under way, and keeps what is to be told of them."""

    def __init__(self) -> None:
        self.outstanding: Wish | None = None
        """The wish whose answer is waited for."""
        self._count = 0
        self._new: list[Wish] = []
        self._urgent: list[int] = []
        self._withdrawn: list[int] = []

    def add(self, wish: Wish) -> None:
        """Ask for a decode, in place of the one that is under way."""
        self.withdraw()
        self._count += 1
        self.outstanding = replace(wish, number=self._count)
        self._new.append(self.outstanding)

    def urge(self, kind: Kind, start: int, end: int) -> bool:
        """Make a free decode of this very range as urgent as `kind`; returns whether one runs."""
        wish = self.outstanding
        if wish is None or wish.kind is Kind.PARTIAL or (wish.start, wish.end) != (start, end):
            return False
        if kind < wish.kind:
            self.outstanding = replace(wish, kind=kind)
            self._urgent.append(wish.number)
        return True

    def withdraw(self) -> None:
        """Wait for no answer any more."""
        if self.outstanding is not None:
            self._withdrawn.append(self.outstanding.number)
            self.outstanding = None

    def settle(self, number: int) -> Wish | None:
        """Return the wish that is answered now; None where nobody waits for it any more."""
        wish = self.outstanding
        if wish is None or wish.number != number:
            return None
        self.outstanding = None
        return wish

    @property
    def moved(self) -> bool:
        """Whether there is anything to `take`."""
        return bool(self._new or self._urgent or self._withdrawn)

    def take(self) -> tuple[tuple[Wish, ...], tuple[int, ...], tuple[int, ...]]:
        """Return what has come about since the last call: new wishes, urgent and withdrawn ones."""
        news = tuple(self._new), tuple(self._urgent), tuple(self._withdrawn)
        for pending in (self._new, self._urgent, self._withdrawn):
            pending.clear()
        return news
