"""Audio without end, cut into turns: each is an utterance, and no sample between two is left out.

Protocols in which a client streams on while we find the ends (or it tells them in between) need
what one utterance cannot give: the audio behind an end belongs to the next one. What was heard is
kept until the text that covers it was told. All of it happens in the event loop.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wyoming_streamwhisper.core.audio import RATE, AudioFormat, Samples
from wyoming_streamwhisper.core.convert import Converter
from wyoming_streamwhisper.session.asked import Asked, Refused
from wyoming_streamwhisper.session.events import Event, Failed, Final
from wyoming_streamwhisper.session.profile import Profile

if TYPE_CHECKING:
    from wyoming_streamwhisper.session.session import Session
    from wyoming_streamwhisper.session.utterance import Utterance

_BACKLOG = 60 * RATE
"""Samples that may wait before `drained` makes the sender wait: a full window and its backlog."""

_TRIES, _PAUSE = 20, 0.5
"""How often a further turn asks for admission, and the seconds between."""

CLEARED = "cleared"
"""Code of the failure of a turn that was taken back: nobody else gets to see it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One event of one turn."""

    number: int
    """Counts the turns of a stream from 1."""
    start: float
    """Where the turn begins, in seconds from the begin of the stream."""
    end: float
    """Up to where its audio is done with, likewise; with the outcome, where the turn ends."""
    event: Event
    asked: bool = False
    """With the outcome: whether it answers an end that the client told."""


class Stream:
    """One client's audio: `feed` it, `end_turn` where the client says so, and read `events`."""

    def __init__(self, session: "Session", profile: Profile, asked: Asked) -> None:
        """Prepare; `asked.turn` is the silence in seconds that ends a turn, 0 for none."""
        self._session = session
        self.profile, self.asked = profile, asked
        """What further turns get."""
        self._converter: Converter | None = None
        self._format: AudioFormat | None = None
        self._waiting: deque[Samples | None] = deque()
        """Audio that is not done with, and None where the client told an end."""
        self._waits = 0
        """Samples in it."""
        self._done = 0
        """Samples before it, from the begin of the stream."""
        self._number = 0
        self._start = 0
        """Sample at which the running turn begins."""
        self._utterance: Utterance | None = None
        """The running turn's, until its outcome is told."""
        self._last: Utterance | None = None
        """The one to be closed, with or without an outcome."""
        self._news = asyncio.Event()
        self._moved = asyncio.Event()
        self._closed = False

    @property
    def pending(self) -> bool:
        """Whether audio, or an end, still waits for its outcome."""
        return bool(self._waiting) or self._utterance is not None

    @property
    def heard(self) -> float:
        """Seconds of audio that were fed and not taken back."""
        return (self._done + self._waits) / RATE

    def feed(self, pcm: bytes, form: AudioFormat) -> None:
        """Hear further audio; never blocks. A change of format is a new stream of bytes."""
        if self._converter is None or form != self._format:
            self._flush()
            self._converter, self._format = Converter(form), form
        self._push(self._converter.feed(pcm))

    def end_turn(self) -> None:
        """Learn that what was fed is to be answered without further audio."""
        self._flush()
        self._add(None)

    def clear(self) -> None:
        """Forget the audio behind the last end that was told; positions do not count it."""
        self._converter = None
        while self._waiting and (last := self._waiting[-1]) is not None:
            self._waiting.pop()
            self._waits -= len(last)
        self._moved.set()
        if self._waiting:  # turns that were ended before are answered
            return
        # What comes from now on is another turn's.
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            utterance.fail(CLEARED, "the audio was taken back")

    async def drained(self) -> None:
        """Wait until there is little audio left to take in, so that a fast sender floods nobody."""
        while self._waits > _BACKLOG and not self._closed:
            self._moved.clear()
            await self._moved.wait()

    async def events(self) -> AsyncGenerator[Turn, None]:
        """Yield what becomes of each turn, one turn after the other, until `close`.

        Raises:
            Refused: a turn cannot begin.

        """
        while not self._closed:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
                continue
            utterance = await self._admitted()
            if utterance is None:
                return
            try:
                async for event in utterance.events():
                    yield self._told(utterance, event)
            finally:
                await utterance.close()

    async def close(self) -> None:
        """Drop what is still under way. Safe to call twice."""
        self._closed = True
        self._news.set()
        self._moved.set()
        if self._last is not None:
            await self._last.close()

    # Audio on its way in

    def _flush(self) -> None:
        if self._converter is not None:
            self._push(self._converter.flush())
            self._converter = None

    def _push(self, samples: Samples) -> None:
        if len(samples):
            self._waits += len(samples)
            self._add(samples)

    def _add(self, item: Samples | None) -> None:
        self._waiting.append(item)
        self._news.set()
        if self._utterance is not None:
            _give(self._utterance, item)

    # Turns

    async def _admitted(self) -> "Utterance | None":
        """Begin a turn, or none where the stream is closed meanwhile.

        Who streams already is not sent away at once when too many speak.
        """
        for _ in range(_TRIES if self._number else 0):
            try:
                return self._begin()
            except Refused as refused:
                if refused.code != "overloaded":
                    raise
                await asyncio.sleep(_PAUSE)
            if self._closed:  # a seat that is taken now would be given back by nobody
                return None
        return self._begin()

    def _begin(self) -> "Utterance":
        # Where a turn ends is said here, and by nobody else.
        streaming = replace(self.profile.streaming, endpointing="off")
        utterance = self._session.begin(replace(self.profile, streaming=streaming), self.asked)
        utterance.on_covered = lambda samples: self._cover(utterance, samples)
        self._number += 1
        self._start = self._done
        self._utterance = self._last = utterance
        for item in list(self._waiting):
            _give(utterance, item)
        return utterance

    def _cover(self, utterance: "Utterance", samples: int) -> None:
        """Forget what is done with: `samples` of the turn of that utterance."""
        if utterance is not self._utterance:  # it was taken back
            return
        left = self._start + samples - self._done
        while left > 0 and self._waiting and (first := self._waiting[0]) is not None:
            taken = min(left, len(first))
            if taken == len(first):
                self._waiting.popleft()
            else:
                self._waiting[0] = first[taken:]
            left -= taken
            self._done += taken
            self._waits -= taken
        self._moved.set()

    def _told(self, utterance: "Utterance", event: Event) -> Turn:
        asked = False
        if isinstance(event, Final | Failed) and utterance is self._utterance:
            if isinstance(event, Failed):  # its audio has no text, and will never have
                self._cover(utterance, self._waits + self._done - self._start)
            self._utterance = None
            # An end right behind the turn's own end is this one's.
            asked = bool(self._waiting) and self._waiting[0] is None
            if asked:
                self._waiting.popleft()
        return Turn(self._number, self._start / RATE, self._done / RATE, event, asked)


def _give(utterance: "Utterance", item: Samples | None) -> None:
    """Let an utterance hear on, which does nothing if it has ended: the next one gets it."""
    if item is None:
        utterance.end()
    else:
        utterance.hear(item)
