"""Lets our client talk to servers that take audio over a WebSocket and answer in JSON.

The client writes and reads Wyoming events as ever; here they become what a peer understands. So
audio is paced, timed and recorded by the same code for every server.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event

from benchmarks.peers.dialect import Dialect, Message, Refused
from wyoming_streamwhisper.client.link import Connect, Link

READY_S = 60.0
"""The first client of a server may have to wait until its model is loaded."""


def connector(dialect: Callable[[], Dialect]) -> Connect:
    """Return how a conversation reaches servers of a dialect."""

    @asynccontextmanager
    async def reach(uri: str) -> AsyncIterator[Link]:
        link = _WebSocketLink(uri, dialect())
        try:
            yield link
        finally:
            link.close()

    return reach


class _WebSocketLink:
    """One utterance. The socket is opened at audio-start, when its language is known."""

    def __init__(self, uri: str, dialect: Dialect) -> None:
        self._uri = uri
        self._dialect = dialect
        self._language: str | None = None
        self._socket: ClientConnection | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._events = asyncio.Queue[Event | None]()
        self._has_ended = False
        self._giving_up: asyncio.TimerHandle | None = None

    async def write_event(self, event: Event) -> None:
        """Send what an event means to the peer; raises OSError where nobody takes it."""
        try:
            await self._write(event)
        except WebSocketException as error:
            raise ConnectionResetError(str(error)) from error

    async def read_event(self) -> Event | None:
        """Wait for the next event that a message means; None where the peer hung up."""
        return await self._events.get()

    def close(self) -> None:
        """Hang up; a peer that is stuck would never say farewell."""
        if self._giving_up is not None:
            self._giving_up.cancel()
        if self._hearing is not None:
            self._hearing.cancel()
        if self._socket is not None:
            self._socket.transport.abort()

    async def _write(self, event: Event) -> None:
        if Transcribe.is_type(event.type):
            self._language = Transcribe.from_event(event).language
        elif AudioStart.is_type(event.type):
            await self._open()
        elif self._socket is None:
            raise ConnectionResetError("no audio before audio-start")
        elif AudioChunk.is_type(event.type):
            await self._socket.send(event.payload or b"")
        elif AudioStop.is_type(event.type):
            if (ending := self._dialect.ending()) is not None:
                await self._socket.send(ending)
            self._has_ended = True
            self._tell(self._dialect.ended())

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(READY_S):
                self._socket = await self._greet()
        except (OSError, WebSocketException, Refused) as error:  # The time-out is an OSError too.
            self._tell([Error(str(error) or "not ready in time", "refused").event()])
            raise ConnectionResetError("refused") from error
        self._hearing = asyncio.create_task(self._hear(self._socket))

    async def _greet(self) -> ClientConnection:
        address = self._uri + self._dialect.path(self._language)
        # Audio does not compress; trying would cost both sides time.
        socket = await connect(address, compression=None, max_size=None, ping_interval=None)
        if (hello := self._dialect.hello(self._language)) is not None:
            await socket.send(hello)
        while not self._dialect.is_ready(_message(await socket.recv())):
            pass
        return socket

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                self._tell(self._dialect.heard(_message(message)))
        except WebSocketException:
            pass  # Hung up, as at an ordinary end.
        finally:
            self._events.put_nowait(None)

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self._events.put_nowait(event)
        patience = self._dialect.patience_s
        if not self._has_ended or patience is None or (self._giving_up and not events):
            return
        # Only news keep a client waiting: a peer may repeat itself for ever.
        if self._giving_up is not None:
            self._giving_up.cancel()
        loop = asyncio.get_running_loop()
        self._giving_up = loop.call_later(patience, lambda: self._tell(self._dialect.given_up()))


def _message(raw: str | bytes) -> Message:
    message = json.loads(raw)
    return message if isinstance(message, dict) else {}
