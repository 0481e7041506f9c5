"""Opens the sockets to listen on, from URIs that the configuration has checked."""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_UNIX_MODE = 0o660
"""Who may write to a unix socket may speak: its owner and its group."""


async def listen(uri: str, accept: Accept) -> asyncio.Server:
    """Listen on `tcp://HOST:PORT` (no host: all addresses) or `unix://PATH`.

    Raises:
        OSError: that is not possible, for example because somebody else listens there.

    """
    parts = urlsplit(uri)
    if parts.scheme != "unix":
        return await asyncio.start_server(accept, parts.hostname, parts.port)
    path = unix_path(uri)
    if _is_answered(path):
        raise FileExistsError(f"{path} is in use by another process")
    # asyncio itself removes a socket that nobody answers any more, and nothing else.
    server = await asyncio.start_unix_server(accept, path)
    path.chmod(_UNIX_MODE)
    return server


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
