"""One peer's two streams: events in and out, in time, and closed so that nothing sent is lost.

Knows how events travel and, but for errors, not what they mean.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from wyoming.error import Error
from wyoming.event import Event

from wyoming_streamwhisper.server.protocol import WireProtocol
from wyoming_streamwhisper.server.wire import encode

_LOG = logging.getLogger(__name__)
_WRITE_TIMEOUT = 30.0
"""Seconds a peer may leave what we send unread."""
_LINGER = 2.0
"""Seconds to read on at the end: closing with unread data would destroy what is on its way."""


class Peer:
    """The other end of one connection."""

    def __init__(
        self,
        protocol: WireProtocol,
        *,
        name: str,
        idle_timeout: float = 300.0,
        write_timeout: float = _WRITE_TIMEOUT,
    ) -> None:
        """Speak over a connection that is open; `name` is its own, both times are in seconds."""
        self._protocol = protocol
        self.name = name
        self.label = f"{name} {_address(protocol.address)}"
        """Who this is, for log lines."""
        self._idle_timeout = idle_timeout
        self._write_timeout = write_timeout

    def hear(self, taker: Callable[[Event], bool]) -> None:
        """Give each event to `taker` first, which returns whether it took it; it never waits."""
        self._protocol.hear = taker

    async def next_event(self) -> Event | None:
        """Return the next event, or None once the peer says no more.

        Raises:
            WireError: it broke the framing; nothing more can be understood.
            TimeoutError: no whole event came for long; asking again waits on.
            ConnectionError: it is gone.

        """
        # Measured from event to event, so that nobody stays by sending a byte now and then.
        return await self._protocol.next_event(self._idle_timeout)

    async def write(self, event: Event) -> None:
        """Send an event; waits while the peer is slow.

        Raises:
            ConnectionError: it is gone, or has read nothing for so long that it is cut off.

        """
        try:
            await self._protocol.write(encode(event), self._write_timeout)
        except OSError as error:
            self._protocol.abort()
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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(linger):
                    await self._protocol.finish()
        finally:
            self._protocol.abort()


def _address(address: object) -> str:
    match address:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:  # the client's end of a unix socket has no name
            return "unix"
