"""What happens to all satellites, for people who look on.

A listener is never waited for: of what it does not take in time, only the newest of each utterance
is kept, and of utterances only as many as people can look at.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from wyoming_streamwhisper.session.events import Event

_MOST = 256
"""Utterances of which a slow listener is still told."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened in one utterance."""

    utterance: str
    """Unique over the life of the process."""
    satellite: str
    seconds: float
    """Since the utterance began, by the clock."""
    event: Event | None
    """None where it begins, or ends without an outcome because its client is gone."""
    over: bool = False
    """Whether nothing follows."""
    delay: float | None = None
    """With the outcome: seconds from the client's end to it; None where the client told none."""


class Feed:
    """Hands out what happens to everybody who listens."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def publish(self, happening: Happening) -> None:
        """Tell everybody who listens; never waits."""
        for listener in self._listeners:
            listener.take(happening)

    async def listen(self) -> AsyncGenerator[Happening, None]:
        """Yield what happens from now on, for ever."""
        listener = _Listener()
        self._listeners.add(listener)
        try:
            while True:
                yield await listener.next()
        finally:
            self._listeners.discard(listener)


class _Listener:
    def __init__(self) -> None:
        self._newest: OrderedDict[str, Happening] = OrderedDict()
        self._news = asyncio.Event()

    def take(self, happening: Happening) -> None:
        self._newest[happening.utterance] = happening
        if len(self._newest) > _MOST:
            self._newest.popitem(last=False)
        self._news.set()

    async def next(self) -> Happening:
        while not self._newest:
            self._news.clear()
            await self._news.wait()
        return self._newest.popitem(last=False)[1]
