"""One Wyoming connection: events in any order become utterances, one after the other.

Three tasks: the reader (this file's `run`), the engine's work behind the utterance, and the task
that writes the answer. The reader never waits for an answer unless the next utterance begins, so
`describe` and `ping` are answered at any time.
"""

import asyncio
import logging
from enum import Enum, auto

from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Info
from wyoming.ping import Pong

from wyoming_streamwhisper.core.audio import AudioFormat
from wyoming_streamwhisper.server.answer import Answer
from wyoming_streamwhisper.server.info import make_info, program_name
from wyoming_streamwhisper.server.messages import (
    Invalid,
    Transcribe,
    read_format,
    read_name,
    read_ping,
    read_transcribe,
)
from wyoming_streamwhisper.server.wire import Wire, WireError, encode
from wyoming_streamwhisper.session.events import Refused
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Asked, Session
from wyoming_streamwhisper.session.utterance import Utterance

_LOG = logging.getLogger(__name__)
_READ = 1 << 16
_WRITE_TIMEOUT = 30.0
"""Seconds a peer may leave what we send unread."""
_LINGER = 2.0
"""Seconds to read on after an error: closing with unread data would destroy it on its way."""


class State(Enum):
    """Where the connection is in its exchange."""

    IDLE = auto()
    """Nothing began since the last answer."""
    LISTENING = auto()
    """An utterance runs and audio belongs to it."""
    OVER = auto()
    """The utterance is refused, answered or ended: audio is ignored until something new begins."""


class Connection:
    """Serves one peer until it leaves, stays silent for too long or breaks the protocol."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: Session,
        profile: Profile,
        *,
        satellite: str = "",
        idle_timeout: float = 300.0,
    ) -> None:
        """Serve `profile` unless the client chooses another; `satellite` names who speaks here."""
        self._reader = reader
        self._writer = writer
        self._session = session
        self._profile = profile
        # Without a name the satellite is the connection itself, and its memory ends with it.
        self._own = "" if satellite else f"connection-{id(self)}"
        self._satellite = satellite or self._own
        self._idle_timeout = idle_timeout
        self._wire = Wire()
        self._writing = asyncio.Lock()
        self._state = State.IDLE
        self._transcribe = Transcribe()
        self._utterance: Utterance | None = None
        self._heard = False
        self._answering: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the peer; never raises for what it does."""
        try:
            await self._read()
            if self._answering is not None and self._state is not State.LISTENING:
                # The peer has only stopped sending: it still gets its answer.
                await self._answered()
        except WireError as error:
            await self._part(error.code, error.text)
        except (ConnectionError, TimeoutError):
            _LOG.debug("a peer left")
        finally:
            await self._leave()

    @property
    def busy(self) -> bool:
        """Whether an utterance or an answer is under way."""
        return self._answering is not None and not self._answering.done()

    # Reading

    async def _read(self) -> None:
        while data := await self._next_bytes():
            self._wire.receive(data)
            while (event := self._wire.next_event()) is not None:
                try:
                    await self._handle(event)
                except Invalid as error:
                    await self._complain(error.code, str(error))
        self._wire.eof()

    async def _next_bytes(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self._idle_timeout):
                    return await self._reader.read(_READ)
            except TimeoutError:
                # Whoever waits for an answer is not idle, unless audio should have come.
                if not self.busy or self._state is State.LISTENING:
                    raise

    async def _handle(self, event: Event) -> None:
        match event.type:
            case "audio-chunk":
                await self._chunk(event)
            case "audio-start":
                await self._start(read_format(event))
            case "audio-stop":
                await self._stop()
            # Misspelt so by the library until its version 1.3.
            case "transcribe" | "transcibe":
                await self._ask(read_transcribe(event))
            case "describe":
                await self._write(self._info().event())
            case "ping":
                await self._write(Pong(text=read_ping(event)).event())
            case "select-program":
                self._select(read_name(event), "unknown-program")
            case _:
                _LOG.debug("ignored event %.40r", event.type)

    def _info(self) -> Info:
        return make_info(self._profile, self._session.profiles.values(), self._session.info)

    def _select(self, name: str, code: str) -> None:
        for profile in self._session.profiles.values():
            if name in (profile.name, program_name(profile)):
                self._profile = profile
                return
        raise Invalid(code, "there is no program or model of that name")

    # An utterance's course

    async def _ask(self, transcribe: Transcribe) -> None:
        """Take a request. Amid audio it is meant for the next utterance."""
        if self._state is State.LISTENING and self._heard:
            self._transcribe = transcribe
            return
        await self._drop()
        self._state = State.OVER
        if transcribe.model and transcribe.model != self._session.info.model:
            self._select(transcribe.model, "unknown-model")
        self._transcribe = transcribe
        self._state = State.IDLE

    async def _start(self, form: AudioFormat | None = None) -> None:
        """Begin to listen. A start amid audio ends the utterance before it, which is answered."""
        if self._state is State.LISTENING and self._heard:
            await self._stop()
        await self._drop()
        asked, self._transcribe = self._transcribe, Transcribe()
        try:
            self._utterance = self._session.begin(
                self._profile,
                Asked(
                    satellite=asked.satellite or self._satellite,
                    language=asked.language,
                    names=asked.names,
                    vad_sensitivity=asked.vad_sensitivity,
                    partials=asked.partials,
                ),
            )
        except Refused as refused:
            self._state = State.OVER
            raise Invalid(refused.code, str(refused)) from refused
        self._state, self._heard = State.LISTENING, False
        streaming = asked.partials and self._profile.streaming.partials
        answer = Answer(self._write, asked.context, streaming=streaming)
        self._answering = asyncio.create_task(self._answer(self._utterance, answer), name="answer")

    async def _chunk(self, event: Event) -> None:
        if self._state is State.OVER:
            return
        form = read_format(event)
        if self._state is State.IDLE:
            await self._start(form)
        if self._utterance is not None and event.payload:
            self._heard = True
            self._utterance.feed(event.payload, form)
            await self._utterance.drained()

    async def _stop(self) -> None:
        if self._state is State.IDLE:
            await self._start()
        if self._state is State.LISTENING and self._utterance is not None:
            self._utterance.end()
        self._state = State.OVER

    async def _answer(self, utterance: Utterance, answer: Answer) -> None:
        """Write the answer; afterwards the utterance is over, even while audio still flows."""
        try:
            await answer.follow(utterance)
        except (ConnectionError, TimeoutError):
            _LOG.debug("a peer left before its answer")
        finally:
            if self._utterance is utterance:
                self._utterance = None
                self._state = State.OVER
            await utterance.close()

    async def _answered(self) -> None:
        """Wait until the last utterance is answered: answers keep their order."""
        if self._answering is not None:
            await asyncio.shield(self._answering)
            self._answering = None

    async def _drop(self) -> None:
        """Forget an utterance that got no audio; let one that did have its answer."""
        if self._state is State.LISTENING and self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
            self._answering = self._utterance = None
        await self._answered()

    # Writing

    async def _write(self, event: Event) -> None:
        async with self._writing, asyncio.timeout(_WRITE_TIMEOUT):
            self._writer.write(encode(event))
            await self._writer.drain()

    async def _complain(self, code: str, text: str) -> None:
        _LOG.warning("%s: %s", code, text)
        await self._write(Error(text=text, code=code).event())

    async def _part(self, code: str, text: str) -> None:
        """Tell the peer what it did wrong, and read on a while so that it can hear it."""
        try:
            await self._complain(code, text)
            self._writer.write_eof()
            async with asyncio.timeout(_LINGER):
                while await self._reader.read(_READ):
                    pass
        except (OSError, TimeoutError):
            return

    async def _leave(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        self._session.forget(self._own)
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
