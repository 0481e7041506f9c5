"""One connection's bytes: what arrives goes to the wire, and the reader wakes for whole events.

asyncio's own streams wake their reader for every piece that arrives, and the wyoming library sends
an event in three; with ten milliseconds of audio an event that was most of what a chunk cost.
"""

import asyncio
from collections.abc import Callable

from wyoming.event import Event

from wyoming_streamwhisper.server.wire import Wire

_AHEAD = 1 << 17
"""Bytes that are taken in while nobody asks for events; then the peer has to wait."""


Connected = Callable[["WireProtocol"], None]


class WireProtocol(asyncio.Protocol):
    """Both directions of a connection; one task reads and any task may write."""

    def __init__(self, connected: Connected) -> None:
        """Prepare; `connected` is called once there is a peer."""
        self.transport: asyncio.Transport
        self._connected = connected
        self._loop = asyncio.get_running_loop()
        self._wire = Wire()
        self.hear: Callable[[Event], bool] = lambda _: False
        """Takes an event at once where that needs no waiting, and returns whether it did; the
        reader gets only the others. It is called while the reader waits, so the order is kept."""
        self._waiter: asyncio.Future[Event | None] | None = None
        """Who waits for the next event."""
        self._patience = 0.0
        self._since = 0.0
        """When it began to wait."""
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._ended = asyncio.Event()
        """The peer says no more."""
        self._gone = asyncio.Event()
        """The connection is no more."""
        self._fault: Exception | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def address(self) -> object:
        """What the transport knows of the peer."""
        return self.transport.get_extra_info("peername")

    # What a peer sends

    async def next_event(self, patience: float) -> Event | None:
        """Return the next event, or None once the peer says no more.

        Raises:
            WireError: it broke the framing.
            TimeoutError: no whole event came within `patience` seconds; nothing is lost by it.
            ConnectionError: it is gone.

        """
        if (event := self._next()) is not None:
            return event
        if self._fault is not None:
            raise ConnectionResetError("the peer is gone") from self._fault
        if self._ended.is_set():
            self._wire.eof()
            return None
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self._waiter = self._loop.create_future()
        self._patience, self._since = patience, self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(patience, self._watch)
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def _next(self) -> Event | None:
        """Return the next event that is for the reader."""
        while (event := self._wire.next_event()) is not None and self.hear(event):
            self._since = self._loop.time()
        return event

    def _offer(self) -> None:
        """Give who waits what there is for it."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        try:
            event = self._next()
            if event is not None:
                waiter.set_result(event)
            elif self._fault is not None:
                gone = ConnectionResetError("the peer is gone")
                gone.__cause__ = self._fault
                waiter.set_exception(gone)
            elif self._ended.is_set():
                self._wire.eof()
                waiter.set_result(None)
        except Exception as error:  # noqa: BLE001 - it belongs to the reader, whatever it is
            waiter.set_exception(error)

    def _watch(self) -> None:
        """Look after who waits too long; to set a timer for each event would cost more than it."""
        self._timer = None
        waiter, late = self._waiter, self._since + self._patience - self._loop.time()
        if waiter is None:
            return
        if late > 0:
            self._timer = self._loop.call_later(late, self._watch)
        elif not waiter.done():
            waiter.set_exception(TimeoutError("no whole event came"))

    # What goes to it

    async def write(self, data: bytes, patience: float) -> None:
        """Send bytes; waits while the peer is slow.

        Raises:
            TimeoutError: it has read nothing for `patience` seconds.
            ConnectionError: it is gone.

        """
        self.transport.write(data)
        if self.transport.is_closing():
            await asyncio.sleep(0)  # the loss is told in the next turn of the loop
        if not self._writable.is_set():
            async with asyncio.timeout(patience):
                await self._writable.wait()
        if self._gone.is_set():
            raise ConnectionResetError("the peer is gone")

    async def finish(self) -> None:
        """Say that no more comes, read on until the peer has said so too, and close."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._paused = False
        self.transport.resume_reading()
        self._wire.close()
        await self._ended.wait()
        self.transport.close()
        await self._gone.wait()

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a peer."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connected(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._wire.receive(data)
        if self._waiter is not None:
            self._offer()
        elif self._wire.held > _AHEAD:
            self._paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """Learn that no more comes; what was asked for is still answered."""
        self._ended.set()
        self._offer()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait any more."""
        self._fault = exc
        for told in (self._ended, self._gone, self._writable):
            told.set()
        if self._timer is not None:
            self._timer.cancel()
        self._offer()

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._writable.set()
