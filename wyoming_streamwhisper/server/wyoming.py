"""The Wyoming door: listens, and gives each peer a connection."""

import asyncio
import contextlib
import logging
from urllib.parse import urlsplit

from wyoming.error import Error

from wyoming_streamwhisper.server.connection import Connection
from wyoming_streamwhisper.server.options import Listener, WyomingOptions
from wyoming_streamwhisper.server.wire import encode
from wyoming_streamwhisper.session.session import Session

_LOG = logging.getLogger(__name__)


class WyomingServer:
    """All listeners and the connections that came through them."""

    def __init__(self, options: WyomingOptions, session: Session) -> None:
        self._options = options
        self._session = session
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            OSError: an address cannot be listened on.
        """
        for listener in self._options.uris:
            self._servers.append(await self._listen(listener))
            _LOG.info("listening on %s", listener.uri)

    def tcp_listeners(self) -> list[tuple[Listener, str, int]]:
        """List the TCP listeners with their host as configured and the port really used."""
        found = []
        for listener, server in zip(self._options.uris, self._servers, strict=True):
            uri = urlsplit(listener.uri)
            if uri.scheme == "tcp":
                found.append((listener, uri.hostname or "", server.sockets[0].getsockname()[1]))
        return found

    def stop_accepting(self) -> None:
        """Refuse new connections; those that are open go on."""
        for server in self._servers:
            server.close()

    async def close(self) -> None:
        """End all connections."""
        self.stop_accepting()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, listener: Listener) -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(listener, reader, writer)

        uri = urlsplit(listener.uri)
        if uri.scheme == "unix":
            return await asyncio.start_unix_server(accept, uri.path)
        return await asyncio.start_server(accept, uri.hostname, uri.port)

    async def _serve(
        self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= self._options.max_connections:
            await _refuse(writer)
            return
        profiles = self._session.profiles
        profile = profiles.get(listener.profile) or next(iter(profiles.values()))
        connection = Connection(
            reader,
            writer,
            self._session,
            profile,
            satellite=listener.satellite,
            idle_timeout=self._options.idle_timeout,
        )
        self._tasks.add(task)
        try:
            await connection.run()
        except asyncio.CancelledError:
            # Only `close` cancels; asyncio's callback would log it as an error.
            _LOG.debug("a connection was ended")
        finally:
            self._tasks.discard(task)


async def _refuse(writer: asyncio.StreamWriter) -> None:
    _LOG.warning("too-many-connections: refused one")
    with contextlib.suppress(OSError):
        writer.write(
            encode(Error(text="too many connections", code="too-many-connections").event())
        )
        writer.close()
        await writer.wait_closed()
