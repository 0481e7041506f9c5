"""The Wyoming door: listens, and gives each peer a connection."""

import asyncio
import itertools
import logging
from pathlib import Path
from urllib.parse import urlsplit

from wyoming_streamwhisper.server.connection import Connection
from wyoming_streamwhisper.server.options import Listener, WyomingOptions
from wyoming_streamwhisper.server.peer import Peer
from wyoming_streamwhisper.server.protocol import WireProtocol
from wyoming_streamwhisper.server.sockets import listen, remove_unix, unix_path, with_port
from wyoming_streamwhisper.session.session import Session

_LOG = logging.getLogger(__name__)
_REFUSAL = 1.0
"""Seconds that a refused peer gets to read why."""
_MOST_REFUSALS = 32


class WyomingServer:
    """All listeners and the connections that came through them."""

    def __init__(self, options: WyomingOptions, session: Session) -> None:
        self._options = options
        self._session = session
        self._servers: list[asyncio.Server] = []
        self._files: list[tuple[Path, int]] = []
        """Unix sockets that are ours, each with its inode."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)

    @property
    def connections(self) -> int:
        """Connections that are served."""
        return len(self._tasks)

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            OSError: an address cannot be listened on.

        """
        try:
            for listener in self._options.uris:
                server = await self._listen(listener)
                self._servers.append(server)
                _LOG.info("listening on %s", with_port(listener.uri, server.sockets[0]))
        except OSError:
            self.stop_accepting()
            raise

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
        for path, inode in self._files:
            remove_unix(path, inode)
        self._files.clear()

    async def close(self) -> None:
        """End all connections."""
        self.stop_accepting()
        open_ones = [*self._tasks, *self._refusing]
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    async def _listen(self, listener: Listener) -> asyncio.Server:
        def connected(protocol: WireProtocol) -> None:
            full = len(self._tasks) >= self._options.max_connections
            tasks = self._refusing if full else self._tasks
            task = asyncio.create_task(self._serve(listener, protocol, full=full))
            tasks.add(task)

            def ended(task: asyncio.Task[None]) -> None:
                tasks.discard(task)
                protocol.abort()  # a task that was cancelled before it began has closed nothing

            task.add_done_callback(ended)

        server = await listen(listener.uri, connected)
        if listener.uri.startswith("unix:"):
            path = unix_path(listener.uri)
            self._files.append((path, path.stat().st_ino))
        return server

    async def _serve(self, listener: Listener, protocol: WireProtocol, *, full: bool) -> None:
        peer = Peer(
            protocol, name=f"#{next(self._numbers)}", idle_timeout=self._options.idle_timeout
        )
        await (self._refuse(peer) if full else self._connection(listener, peer).run())

    def _connection(self, listener: Listener, peer: Peer) -> Connection:
        profiles = self._session.profiles
        profile = profiles.get(listener.profile) or next(iter(profiles.values()))
        return Connection(peer, self._session, profile, satellite=listener.satellite)

    async def _refuse(self, peer: Peer) -> None:
        await peer.complain("too-many-connections", "too many connections")
        # Time to hear it, unless there are so many that they are the trouble themselves.
        await peer.close(_REFUSAL if len(self._refusing) <= _MOST_REFUSALS else 0)
