"""The utterances of one connection: what `transcribe` and audio events, in any order, lead to.

Utterances come one after the other and are answered in that order, each exactly once.
docs/protocol.md has the table of what follows what.
"""

import asyncio
import logging
from enum import Enum, auto
from typing import Any

from wyoming.event import Event

from wyoming_streamwhisper.core.audio import AudioFormat
from wyoming_streamwhisper.server.answer import Answer
from wyoming_streamwhisper.server.info import program_name
from wyoming_streamwhisper.server.messages import (
    Invalid,
    Transcribe,
    read_format,
    read_transcribe,
)
from wyoming_streamwhisper.server.peer import Peer
from wyoming_streamwhisper.session.asked import Asked, Refused
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session
from wyoming_streamwhisper.session.utterance import Utterance

_LOG = logging.getLogger(__name__)


class State(Enum):
    """Where an exchange is."""

    IDLE = auto()
    """An utterance may begin: with a start, with audio, or with a stop that makes it empty."""
    LISTENING = auto()
    """An utterance runs and audio belongs to it."""
    OVER = auto()
    """The utterance is refused, answered or ended: audio is ignored until something new begins."""


class Exchange:
    """Requests and audio of one peer in, answers out.

    Each of `ask`, `begin`, `chunk` and `stop` takes one event and raises Invalid, after which the
    exchange goes on, or ConnectionError.
    """

    def __init__(self, peer: Peer, session: Session, profile: Profile, satellite: str) -> None:
        """Begin; who speaks is `satellite` unless a request names somebody else."""
        self._peer = peer
        self._session = session
        self._satellite = satellite
        self.profile = profile
        """What utterances get whose request does not name another."""
        self._state = State.IDLE
        self._request: Event | None = None
        """What the next utterance shall be; it is read, and refused, when that begins."""
        self._format: AudioFormat | None = None
        self._said: dict[str, Any] | None = None
        """Data of the last chunk whose format was read, and that format."""
        self._chunks = AudioFormat()
        self._heard = False
        """Whether the utterance that runs has got audio."""
        self._utterance: Utterance | None = None
        self._answering: asyncio.Task[None] | None = None

    @property
    def listening(self) -> bool:
        """Whether the peer has to go on: audio or its end must come."""
        return self._state is State.LISTENING

    @property
    def busy(self) -> bool:
        """Whether an utterance or an answer is under way."""
        return self._answering is not None and not self._answering.done()

    def program(self, name: str, code: str) -> Profile:
        """Return the profile of a program's name; raises Invalid with this code."""
        for profile in self._session.profiles.values():
            if name in (profile.name, program_name(profile)):
                return profile
        raise Invalid(code, "there is no program or model of that name")

    # What a peer says

    async def ask(self, event: Event) -> None:
        """Take a request for the next utterance, or for one that has no audio yet."""
        if self.listening and not self._heard:
            await self.forget()
        self._request = event
        if not (self.listening and self._heard):
            self._state = State.IDLE

    async def begin(self, event: Event) -> None:
        """Begin to listen. A start amid audio ends the utterance before it, which is answered."""
        if self.listening and self._heard:
            await self.stop()
        await self.settle()
        await self._start(event)

    def hear(self, event: Event) -> bool:
        """Hear a chunk like those before it at once; returns whether it was one.

        All others are for `chunk`, and so are those for which a fast sender has to wait.
        """
        if event.type != "audio-chunk" or event.data is not self._said:
            return False
        utterance = self._utterance
        if utterance is None or not self.listening or utterance.flooded or not event.payload:
            return False
        utterance.feed(event.payload, self._chunks)
        return True

    async def chunk(self, event: Event) -> None:
        """Hear audio; it may begin an utterance, but never one behind an answer."""
        if self._state is State.OVER:
            return
        if self._state is State.IDLE:
            await self.settle()
            await self._start(event)
        try:
            self._chunks = read_format(event, self._format)
        except Invalid as error:
            self._fail(error)
            return
        if self._utterance is not None and event.payload:
            self._heard = True
            # Chunks that were written alike share their data, so it has to be read only once.
            self._said = event.data
            self._utterance.feed(event.payload, self._chunks)
            await self._utterance.drained()

    async def stop(self) -> None:
        """End the utterance. Without any audio it is an empty one."""
        if self._state is State.IDLE:
            await self.settle()
            await self._start(None)
        if self.listening and self._utterance is not None:
            self._utterance.end()
        # A request that came amid audio may have its own audio now.
        self._state = State.IDLE if self._request is not None else State.OVER

    async def settle(self) -> None:
        """Let an utterance that was ended have its answer; forget one that was not."""
        if self.listening:
            await self.forget()
        elif self._answering is not None:
            await self._answering
            self._answering = None

    async def forget(self) -> None:
        """Drop the utterance under way, without an answer."""
        answering, utterance = self._answering, self._utterance
        self._answering = self._utterance = None
        if answering is not None:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        if utterance is not None:  # a task that had not begun has not closed it
            await utterance.close()

    # An utterance's course

    async def _start(self, event: Event | None) -> None:
        """Begin an utterance with the event that says the format of its audio, if any does."""
        request, self._request = self._request, None
        # If it is refused, so is the audio that follows: one answer is enough.
        self._state, self._format, self._said = State.OVER, None, None
        said = Transcribe() if request is None else read_transcribe(request)
        profile = self.profile
        if said.model and said.model != self._session.info.model:
            profile = self.program(said.model, "unknown-model")
        if event is not None:
            self._format = read_format(event)
        self._utterance = self._admit(profile, said)
        self._state, self._heard = State.LISTENING, False
        streaming = said.partials and profile.streaming.partials
        answer = Answer(self._peer, said.context, streaming=streaming)
        self._answering = asyncio.create_task(self._answer(self._utterance, answer), name="answer")

    def _admit(self, profile: Profile, said: Transcribe) -> Utterance:
        asked = Asked(
            satellite=said.satellite or self._satellite,
            language=said.language,
            names=said.names,
            vad_sensitivity=said.vad_sensitivity,
            partials=said.partials,
        )
        try:
            return self._session.begin(profile, asked)
        except Refused as refused:
            raise Invalid(refused.code, str(refused)) from refused

    def _fail(self, error: Invalid) -> None:
        """Answer the utterance with an error; its further audio is ignored."""
        self._state = State.OVER
        if self._utterance is not None:
            self._utterance.fail(error.code, str(error))

    async def _answer(self, utterance: Utterance, answer: Answer) -> None:
        """Write the answer; afterwards the utterance is over, even while audio still flows."""
        try:
            await answer.follow(utterance)
        except ConnectionError:
            _LOG.debug("%s: gone before its answer", self._peer.label)
        except Exception:  # noqa: BLE001 - a fault of ours must not look like silence
            _LOG.exception("%s: could not answer", self._peer.label)
            await self._peer.complain("internal-error", "the server made a mistake")
        finally:
            if self._utterance is utterance:
                self._utterance = None
            if self.listening:
                self._state = State.OVER
            await utterance.close()
