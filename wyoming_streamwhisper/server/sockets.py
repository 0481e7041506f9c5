"""Opens the sockets to listen on, from URIs that the configuration has checked."""

import asyncio
import errno
import os
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

from wyoming_streamwhisper.server.protocol import Connected, WireProtocol

_UNIX_MODE = 0o660
"""Who may write to a unix socket may speak: its owner and its group."""


async def listen(uri: str, connected: Connected) -> asyncio.Server:
    """Listen on `tcp://HOST:PORT` (no host: all addresses) or `unix://PATH`.

    Raises:
        OSError: that is not possible, for example because somebody else listens there.

    """
    loop, parts = asyncio.get_running_loop(), urlsplit(uri)
    if parts.scheme != "unix":
        return await loop.create_server(
            lambda: WireProtocol(connected), parts.hostname, parts.port or 0
        )
    return await loop.create_unix_server(
        lambda: WireProtocol(connected), sock=bind_unix(unix_path(uri))
    )


def bind_unix(path: Path) -> socket.socket:
    """Make a unix socket at a path; one that nobody answers any more is replaced, nothing else.

    Raises:
        OSError: that is not possible, for example because somebody else listens there.

    """
    if _is_answered(path):
        raise FileExistsError(f"{path} is in use by another process")
    if path.is_socket():
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
        path.chmod(_UNIX_MODE)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def remove_unix(path: Path, inode: int) -> None:
    """Remove a unix socket of ours: by now another daemon may listen under the same name."""
    if path.exists() and path.stat().st_ino == inode:
        path.unlink()


def with_port(uri: str, bound: socket.socket) -> str:
    """Return the URI that a socket is really bound to: port 0 lets the system choose."""
    if urlsplit(uri).scheme == "unix":
        return uri
    return f"{uri.rpartition(':')[0]}:{bound.getsockname()[1]}"


def unix_path(uri: str) -> Path:
    """Return the path of a `unix://` URI, relative if it does not begin with a slash."""
    parts = urlsplit(uri)
    return Path(parts.netloc + parts.path)


def _is_answered(path: Path) -> bool:
    if not path.exists() or not stat.S_ISSOCK(os.stat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(str(path)) not in (errno.ECONNREFUSED, errno.ENOENT)
