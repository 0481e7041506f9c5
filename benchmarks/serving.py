"""Starts a server for a measurement, waits until it answers, and ends it afterwards."""

import asyncio
import os
import shlex
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from wyoming_streamwhisper.client.conversation import speak
from wyoming_streamwhisper.client.daemons import describe
from wyoming_streamwhisper.client.link import Connect, Unreachable, link
from wyoming_streamwhisper.client.sources import Pacing
from wyoming_streamwhisper.engine import clip

START_S = 60.0
"""A server that loads its model first takes some seconds; more means that it is broken."""
STOP_S = 20.0
POLL_S = 0.02
"""The grain of what is known about a start."""
_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes connections. `speak(running.uri, ..., connect=running.connect)`."""

    uri: str
    pid: int
    protocol: str
    """`wyoming`, `whisperlivekit` or `whisperlive`."""
    connect: Connect


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is started for a measurement, and how its clients reach it."""

    name: str
    command: Callable[[int], Sequence[str]]
    """The command line for a port of 127.0.0.1."""
    protocol: str = "wyoming"
    scheme: str = "tcp"
    connect: Connect = link
    answers: Callable[[str], Awaitable[object]] = describe
    """Raises Unreachable until the server at an address takes connections."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""

    @asynccontextmanager
    async def start(self) -> AsyncIterator[Running]:
        """Start on a free port, wait until it answers, end it by its own pid.

        What it prints is shown only if it does not start.
        """
        port = free_port()
        uri = f"{self.scheme}://127.0.0.1:{port}"
        with tempfile.TemporaryFile() as log:
            process = await asyncio.create_subprocess_exec(
                *self.command(port), stdout=log, stderr=log, env={**os.environ, **self.environ}
            )
            try:
                await self._started(uri, process, log)
                yield Running(uri, process.pid, self.protocol, self.connect)
            finally:
                await _end(process)

    async def _started(self, uri: str, process: asyncio.subprocess.Process, log: BinaryIO) -> None:
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            try:
                await self.answers(uri)
                return
            except Unreachable as error:
                if process.returncode is not None:
                    ended = f"{self.name} ended with status {process.returncode}."
                    raise SystemExit(f"{ended}\n{_tail(log)}") from error
                if asyncio.get_running_loop().time() > deadline:
                    raise SystemExit(f"{error}.\n{_tail(log)}") from error
            await asyncio.sleep(POLL_S)


def ours(arguments: str = "") -> Server:
    """Return our own daemon with these arguments of its command line."""
    command = [sys.executable, "-m", "wyoming_streamwhisper", *shlex.split(arguments)]
    return Server(
        "The daemon", lambda port: [*command, "--uri", f"tcp://127.0.0.1:{port}", "--no-zeroconf"]
    )


async def warm(daemon: Running) -> None:
    """Wait until the model is loaded: `describe` is answered long before that, speech is not."""
    speech = (clip.read() * 32767).astype(np.int16)
    await speak(daemon.uri, speech, pacing=Pacing(real_time=False))


async def listens(uri: str) -> None:
    """Raise Unreachable until somebody takes connections at an address."""
    host, _, port = uri.rpartition("/")[2].partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError as error:
        raise Unreachable(f"no connection to {uri}") from error
    writer.close()
    await writer.wait_closed()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _tail(log: BinaryIO) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _TAIL_BYTES))
    return log.read().decode(errors="replace")
