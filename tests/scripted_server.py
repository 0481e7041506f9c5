"""A real Wyoming server on a real socket that plays written answers, for tests of clients.

A script is a list of lines; each says when it is played and what is sent then.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
from wyoming.server import AsyncEventHandler, AsyncTcpServer

BEGIN = "audio-start"
END = "audio-stop"


@dataclass(frozen=True)
class Line:
    """Sent once `when` has come: an event's type, or so many seconds of audio."""

    when: str | float
    events: Sequence[Eventable | bytes]
    """Events, or raw bytes for what no library would write."""
    hang_up: bool = False


def says(text: str, language: str | None = "en") -> list[Line]:
    """Stream `text` word by word at audio-stop, as the daemon does."""
    first, *rest = text.split(" ")
    chunks = [TranscriptChunk(first), *(TranscriptChunk(f" {word}") for word in rest)]
    return [Line(END, [TranscriptStart(), *chunks, *finish(text, language)])]


def finish(text: str, language: str | None = "en") -> list[Eventable]:
    """Return the two events that end every streamed answer."""
    return [Transcript(text=text, language=language), TranscriptStop()]


def fails(code: str) -> list[Line]:
    return [Line(END, [Error(text="it did not work", code=code)])]


@dataclass
class Heard:
    """What one connection got from its client."""

    events: list[Event] = field(default_factory=list)
    audio: bytes = b""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def transcribe(self) -> Transcribe:
        return next(Transcribe.from_event(e) for e in self.events if Transcribe.is_type(e.type))

    @property
    def types(self) -> list[str]:
        """Types in order, the many chunks left out."""
        return [e.type for e in self.events if not AudioChunk.is_type(e.type)]


@dataclass
class Scripted:
    uri: str
    heard: list[Heard] = field(default_factory=list)


INFO = Info(
    asr=[
        AsrProgram(
            name="scripted",
            description="Plays written answers",
            attribution=Attribution(name="tests", url=""),
            installed=True,
            version="1",
            supports_transcript_streaming=True,
            models=[
                AsrModel(
                    name="parrot",
                    description=None,
                    attribution=Attribution(name="tests", url=""),
                    installed=True,
                    version=None,
                    languages=["en", "de"],
                )
            ],
        )
    ]
)


class _Player(AsyncEventHandler):
    def __init__(
        self,
        lines: Sequence[Line],
        heard: Heard,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(reader, writer)
        self._lines = list(lines)
        self._heard = heard

    async def handle_event(self, event: Event) -> bool:
        self._heard.events.append(event)
        self._heard.audio += event.payload or b""
        scripted = any(line.when == event.type for line in self._lines)
        if Describe.is_type(event.type) and not scripted:
            await self.write_event(INFO.event())
        for line in [line for line in self._lines if self._has_come(line.when, event)]:
            self._lines.remove(line)
            await self._play(line)
            if line.hang_up:
                return False
        return True

    def _has_come(self, when: str | float, event: Event) -> bool:
        if isinstance(when, str):
            return event.type == when
        return len(self._heard.audio) >= when * 32_000

    async def _play(self, line: Line) -> None:
        for answer in line.events:
            if isinstance(answer, bytes):
                self.writer.write(answer)
                await self.writer.drain()
            else:
                await self.write_event(answer.event())

    async def disconnect(self) -> None:
        self._heard.closed.set()


@asynccontextmanager
async def scripted(*scripts: Sequence[Line]) -> AsyncIterator[Scripted]:
    """Serve on a free port; the n-th connection plays the n-th script, the last one for ever."""
    server = AsyncTcpServer("127.0.0.1", 0)
    state = Scripted("")

    def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Player:
        script = scripts[min(len(state.heard), len(scripts) - 1)] if scripts else []
        state.heard.append(Heard())
        return _Player(script, state.heard[-1], reader, writer)

    await server.start(answer)
    assert isinstance(server._server, asyncio.Server)
    state.uri = f"tcp://127.0.0.1:{server._server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        await server.stop()
        async with asyncio.timeout(5):
            await asyncio.gather(*(heard.closed.wait() for heard in state.heard))
