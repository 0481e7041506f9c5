"""What is told of an utterance on its way out: the newest words, and one outcome.

A reader that is slow gets the newest partial only, so nothing piles up.
"""

import asyncio
from collections.abc import AsyncIterator

from wyoming_streamwhisper.session.events import Event, Failed, Final, Partial, Speech


class Outbox:
    """Holds what the reader of one utterance has not taken yet."""

    def __init__(self) -> None:
        self._speech: Speech | None = None
        self._partial: Partial | None = None
        self.outcome: Final | Failed | None = None
        """The first one; it is kept when it was read."""
        self._closed = False
        self._news = asyncio.Event()

    def put(self, event: Event) -> bool:
        """Take an event; returns whether it is to be told, as a second outcome is not."""
        match event:
            case Speech():
                self._speech = event
            case Partial():
                self._partial = event
            case Final() | Failed():
                if self.outcome is not None:
                    return False
                self.outcome = event
        self._news.set()
        return True

    async def events(self) -> AsyncIterator[Event]:
        """Yield partials as they come and at last the outcome; without one only once closed."""
        while not self._closed or self.outcome is not None:
            await self._news.wait()
            self._news.clear()
            if self._speech is not None:
                speech, self._speech = self._speech, None
                yield speech
            if self._partial is not None:
                partial, self._partial = self._partial, None
                yield partial
            if self.outcome is not None:
                yield self.outcome
                return

    def close(self) -> None:
        """Let nobody wait for more."""
        self._closed = True
        self._news.set()
