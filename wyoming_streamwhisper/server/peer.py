"""One peer's two streams: events in and out, in time, and closed so that nothing sent is lost.

Knows how events travel and, but for errors, not what they mean.
"""

import asyncio
import contextlib
import logging

from wyoming.error import Error
from wyoming.event import Event

from wyoming_streamwhisper.server.wire import Wire, encode

_LOG = logging.getLogger(__name__)
_READ = 1 << 16
_WRITE_TIMEOUT = 30.0
"""Seconds a peer may leave what we send unread."""
_LINGER = 2.0
"""Seconds to read on at the end: closing with unread data would destroy what is on its way."""


class Peer:
    """The other end of one connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        name: str,
        idle_timeout: float = 300.0,
        write_timeout: float = _WRITE_TIMEOUT,
    ) -> None:
        """Speak over a connection that is open; `name` is its own, both times are in seconds."""
        self._reader = reader
        self._writer = writer
        self.name = name
        self.label = f"{name} {_address(writer)}"
        """Who this is, for log lines."""
        self._idle_timeout = idle_timeout
        self._write_timeout = write_timeout
        self._wire = Wire()

    async def next_event(self) -> Event | None:
        """Return the next event, or None once the peer says no more.

        Raises:
            WireError: it broke the framing; nothing more can be understood.
            TimeoutError: no whole event came for long; asking again waits on.
            ConnectionError: it is gone.

        """
        if (event := self._wire.next_event()) is not None:
            return event
        # Measured from event to event, so that nobody stays by sending a byte now and then.
        async with asyncio.timeout(self._idle_timeout):
            while (event := self._wire.next_event()) is None:
                data = await self._read()
                if not data:
                    self._wire.eof()
                    return None
                self._wire.receive(data)
        return event

    async def write(self, event: Event) -> None:
        """Send an event; waits while the peer is slow.

        Raises:
            ConnectionError: it is gone, or has read nothing for so long that it is cut off.

        """
        try:
            self._writer.write(encode(event))
            async with asyncio.timeout(self._write_timeout):
                await self._writer.drain()
        except OSError as error:
            self._writer.transport.abort()
            raise ConnectionAbortedError("the peer is gone or does not read") from error

    async def complain(self, code: str, text: str) -> None:
        """Send an error, with one line in the log; never raises for a peer that is gone."""
        # Who hangs up amid an event has mostly got what it wanted.
        level = logging.INFO if code == "truncated" else logging.WARNING
        _LOG.log(level, "%s: %s: %s", self.label, code, text)
        with contextlib.suppress(ConnectionError):
            await self.write(Error(text=text, code=code).event())

    async def close(self, linger: float = _LINGER) -> None:
        """Close, after reading on until the peer has gone or `linger` seconds are over."""
        try:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(linger):
                    self._writer.write_eof()
                    while await self._reader.read(_READ):
                        pass
                    self._writer.close()
                    await self._writer.wait_closed()
        finally:
            self._writer.transport.abort()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_READ)
        # What the network reports has many names, and one of them is TimeoutError.
        except OSError as error:
            raise ConnectionResetError("the peer is gone") from error


def _address(writer: asyncio.StreamWriter) -> str:
    match writer.get_extra_info("peername"):
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:  # the client's end of a unix socket has no name
            return "unix"
