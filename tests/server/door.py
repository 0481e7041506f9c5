"""The Wyoming door as the daemon builds it, in a thread of its own, and how tests speak to it.

The door, the engine, the demo model and the sockets are the real ones.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, Eventable

from wyoming_streamwhisper.build import load_backend
from wyoming_streamwhisper.config.settings import Settings
from wyoming_streamwhisper.engine.api import Backend, EngineInfo, Request, Result
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.silero import make_vad
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.server.options import Listener, WyomingOptions
from wyoming_streamwhisper.server.wyoming import WyomingServer
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

T = TypeVar("T")
LOCAL = (Listener("tcp://127.0.0.1:0"),)
PATIENCE = 60.0
"""Seconds after which a test gives up; nothing waits so long."""


class Held:
    """The real back end behind a gate: a test decides how long decoding takes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.gate = threading.Event()
        self.reached = threading.Event()
        """Set when a decode waits at the gate."""

    @property
    def info(self) -> EngineInfo:
        return self._backend.info

    def key(self, request: Request) -> tuple[float, ...]:
        return self._backend.key(request)

    def decode(self, requests: Sequence[Request]) -> list[Result]:
        self.reached.set()
        assert self.gate.wait(PATIENCE)
        return self._backend.decode(requests)


@dataclass
class Door:
    """A door that is open."""

    session: Session
    server: WyomingServer
    loop: asyncio.AbstractEventLoop
    engine: LocalEngine

    @property
    def uri(self) -> str:
        return self.uris[0]

    @property
    def uris(self) -> list[str]:
        ports = [port for _, _, port in self.server.tcp_listeners()]
        return [f"tcp://127.0.0.1:{port}" for port in ports]

    def inside(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the door's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    async def settled(self) -> None:
        """Wait until nobody is served any more; fails where anything is left."""
        await until(
            lambda: not (self.server.connections or self.session.running or self.anonymous())
        )

    def anonymous(self) -> list[str]:
        """Name the connections whose contexts are still there."""
        return [name for name in self.session._contexts._known if name.startswith("#")]


class House:
    """A loop in a thread and the demo model in it, loaded once for all doors."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="house")
        self._thread.start()
        self.backend = load_backend(Settings())
        self.engine = self.start(self.backend)
        self.vad = self.inside(_made(lambda: VadService(make_vad("onnx"))))

    def inside(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def start(self, backend: Backend) -> LocalEngine:
        """Return an engine that runs."""
        engine = self.loading(lambda: backend)
        self.inside(engine.start())
        return engine

    def loading(self, load: Callable[[], Backend]) -> LocalEngine:
        """Return an engine that was not started."""
        return self.inside(_made(lambda: LocalEngine(load, EngineInfo("demo", ("en", "de")))))

    def close(self) -> None:
        self.inside(self.engine.close())
        self.inside(self.vad.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    @contextlib.contextmanager
    def door(
        self,
        *profiles: Profile,
        uris: Sequence[Listener] = LOCAL,
        engine: LocalEngine | None = None,
        contexts: ContextOptions | None = None,
        **limits: Any,
    ) -> Iterator[Door]:
        """Open a door; at the end nothing may be left of those who came."""
        options = WyomingOptions(uris=tuple(uris), **limits)
        engine = engine or self.engine
        door = self.inside(self._open(profiles, options, engine, contexts or ContextOptions()))
        try:
            yield door
            self.inside(door.settled())
        finally:
            self.inside(door.server.close())

    @contextlib.contextmanager
    def held(self) -> Iterator[tuple[Held, LocalEngine]]:
        """Give an engine whose decodes wait for a gate."""
        held = Held(self.backend)
        engine = self.start(held)
        try:
            yield held, engine
        finally:
            held.gate.set()
            self.inside(engine.close())

    async def _open(
        self,
        profiles: Sequence[Profile],
        options: WyomingOptions,
        engine: LocalEngine,
        contexts: ContextOptions,
    ) -> Door:
        session = Session(
            engine,
            self.vad,
            profiles or (Profile(),),
            contexts,
            max_utterance=options.max_utterance,
        )
        server = WyomingServer(options, session)
        await server.start()
        return Door(session, server, self.loop, engine)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - an event of this loop cannot be set there
            await asyncio.sleep(0.01)


async def _made(make: Callable[[], T]) -> T:
    return make()


# Speaking


@dataclass
class Said:
    """What came back for one utterance."""

    events: list[Event] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def of(self, kind: type[Any]) -> list[Any]:
        return [kind.from_event(e) for e in self.events if kind.is_type(e.type)]

    @property
    def transcript(self) -> Transcript:
        found: Transcript
        (found,) = self.of(Transcript)
        return found

    @property
    def text(self) -> str:
        return self.transcript.text

    @property
    def code(self) -> str:
        (error,) = self.of(Error)
        return str(error.code)

    @property
    def joined(self) -> str:
        """The chunks of the last revision."""
        text = ""
        for event in self.events:
            if TranscriptStart.is_type(event.type):
                text = ""
            elif TranscriptChunk.is_type(event.type):
                text += TranscriptChunk.from_event(event).text
        return text


Sent = Eventable | Event


async def send(client: AsyncClient, *events: Sent) -> None:
    for event in events:
        await client.write_event(event if isinstance(event, Event) else event.event())


async def answer(client: AsyncClient, last: str = "transcript-stop") -> Said:
    """Read up to the end of an answer, which an error is too."""
    said = Said()
    async with asyncio.timeout(PATIENCE):
        while event := await client.read_event():
            said.events.append(event)
            if event.type in (last, "error"):
                return said
    raise ConnectionError(f"closed after {said.types}")


async def ping(client: AsyncClient) -> None:
    """Make sure that nothing has come and the door answers."""
    await send(client, Event("ping"))
    event = await client.read_event()
    assert event is not None
    assert event.type == "pong", event


async def silence(client: AsyncClient) -> None:
    """Make sure that nothing more comes: a start waits for all answers, a request takes it back."""
    await send(client, Event("audio-start", {"rate": 16000, "width": 2, "channels": 1}))
    await send(client, Event("transcribe"))
    await ping(client)


@contextlib.asynccontextmanager
async def connected(uri: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient.from_uri(uri) as client:
        yield client


def chunks(
    pcm: bytes, size: int = 3200, rate: int = 16000, width: int = 2, channels: int = 1
) -> list[Event]:
    """Cut sound into events of `size` bytes, whatever a frame's length is."""
    return [
        AudioChunk(rate, width, channels, pcm[at : at + size]).event()
        for at in range(0, len(pcm), size)
    ]


def utterance(pcm: bytes, size: int = 3200, **asked: Any) -> list[Sent]:
    """All events of an utterance, as Home Assistant sends them."""
    start = AudioStart(16000, 2, 1)
    return [Transcribe(**asked), start, *chunks(pcm, size), AudioStop()]


async def say(uri: str, events: Sequence[Sent], last: str = "transcript-stop") -> Said:
    """Send all at once on a connection of its own; return the answer."""
    async with connected(uri) as client:
        await send(client, *events)
        return await answer(client, last)


def speak(uri: str, events: Sequence[Sent], last: str = "transcript-stop") -> Said:
    return asyncio.run(say(uri, events, last))
