"""Runs the application inside the daemon's event loop, and stops it when the daemon stops.

Uvicorn serves; signals, the log and the order of stopping remain the daemon's.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.server.http.app import make_app
from wyoming_streamwhisper.server.http.door import Door
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.sockets import bind_unix, remove_unix, unix_path, with_port
from wyoming_streamwhisper.session.session import Session

_LOG = logging.getLogger(__name__)
_LARGEST_MESSAGE = 16 << 20
"""Bytes of a WebSocket message; OpenAI's clients may append 15 MiB of audio at once."""
_PING = 20.0
"""Seconds between pings, and in which a client must answer one."""
_FINISH = 2
"""Seconds in which answers leave at the end."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the daemon."""
        yield


class HttpServer:
    """The HTTP door, from `start` to `close`."""

    def __init__(
        self,
        options: HttpOptions,
        session: Session,
        recordings: FileOptions,
        *,
        idle_timeout: float = 300.0,
    ) -> None:
        """Prepare; `recordings` says how they are transcribed, the time is in seconds."""
        # What is wrong with a form, its client is told. Every byte of one would be worth a line.
        logging.getLogger("python_multipart").setLevel(logging.ERROR)
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        self._options = options
        self.door = Door(session, options, idle_timeout)
        config = uvicorn.Config(
            make_app(options, session, self.door, recordings),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=_LARGEST_MESSAGE,
            ws_ping_interval=_PING,
            ws_ping_timeout=_PING,
            ws_per_message_deflate=False,  # sound does not get smaller, and it costs time
            timeout_graceful_shutdown=_FINISH,
            ssl_certfile=options.http_certificate or None,
            ssl_keyfile=options.http_key or None,
        )
        self._server = _Server(config)
        self._socket: socket.socket | None = None
        self._file: tuple[Path, int] | None = None
        """A unix socket of ours, with its inode."""
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The TCP port that is really used."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on, or a certificate cannot be read.

        """
        try:
            self._server.config.load()
        except OSError as error:
            why = error.strerror or error
            raise OSError(error.errno, f"the certificate cannot be used ({why})") from error
        self._socket = self._bind()
        self._serving = asyncio.create_task(self._server.serve([self._socket]), name="http")
        while not self._server.started and not self._serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0)  # uvicorn has no event for it; it takes a few steps of the loop
        if self._serving.done():
            await self._serving
        scheme = "https" if self._options.http_certificate else "http"
        _LOG.info("serving %s on %s", scheme, with_port(self._options.uri, self._socket))

    def stop_accepting(self) -> None:
        """Refuse new connections; those that are open go on."""
        for server in getattr(self._server, "servers", ()):
            server.close()
        if self._file is not None:
            remove_unix(*self._file)
            self._file = None

    async def close(self) -> None:
        """End all connections, after what is answered has left."""
        self.stop_accepting()
        await self.door.conversations.close()
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def _bind(self) -> socket.socket:
        uri = urlsplit(self._options.uri)
        if uri.scheme == "unix":
            path = unix_path(self._options.uri)
            bound = bind_unix(path)
            self._file = path, path.stat().st_ino
            return bound
        host = uri.hostname
        family, *_, address = socket.getaddrinfo(host, uri.port, type=socket.SOCK_STREAM)[0]
        if not self._options.http_tokens and not _is_local(str(address[0])):
            _LOG.warning("HTTP is open to everybody who reaches %s: see http_tokens", host)
        listening = socket.create_server(address, family=family)
        listening.setblocking(False)
        return listening


def _is_local(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _is_news(record: logging.LogRecord) -> bool:
    # Uvicorn takes each WebSocket that is refused with a reason for a fault of the application.
    return "without completing handshake" not in record.getMessage()
