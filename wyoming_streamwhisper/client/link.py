"""Reaching a daemon and leaving it, with every failure as one sentence.

Apart from `conversation` so that a health check, which runs every few seconds, loads no numpy.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from wyoming.client import AsyncClient
from wyoming.event import Event

CONNECT_S = 5.0
"""A daemon on the same network accepts within milliseconds; a dead address should not hang."""
LEAVE_S = 1.0
"""Closing first sends what is buffered, and a stuck daemon would never take that."""


class Unreachable(Exception):
    """There is no daemon to talk to; the message is one sentence for a person."""


class Link(Protocol):
    """What a conversation needs of a connection."""

    async def write_event(self, event: Event) -> None:
        """Send; raises OSError where nobody takes it any more."""

    async def read_event(self) -> Event | None:
        """Wait for the next event; None says that the other side hung up."""


Connect = Callable[[str], AbstractAsyncContextManager[Link]]
"""Reaches the daemon at an address, or raises Unreachable."""


@asynccontextmanager
async def link(uri: str) -> AsyncIterator[AsyncClient]:
    """Connect, and close whatever happens."""
    client = await _connect(uri)
    try:
        yield client
    finally:
        with suppress(OSError):  # Includes the time-out; the conversation is over either way.
            async with asyncio.timeout(LEAVE_S):
                await client.disconnect()


async def _connect(uri: str) -> AsyncClient:
    try:
        client = AsyncClient.from_uri(uri, connect_timeout=CONNECT_S)
        await client.connect()
    except TimeoutError as error:
        raise Unreachable(f"nobody answered at {uri} within {CONNECT_S:.0f} s") from error
    except OSError as error:
        # asyncio's own text repeats the address; names that do not resolve have negative numbers.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror or error
        raise Unreachable(f"no connection to {uri}: {reason}") from error
    except ValueError as error:
        raise Unreachable(f"{uri} is no address of a daemon: {error}") from error
    return client
