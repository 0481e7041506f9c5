"""Starts our own daemon for a measurement and ends it afterwards."""

import asyncio
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wyoming_streamwhisper.client.daemons import describe
from wyoming_streamwhisper.client.link import Unreachable

START_S = 60.0
"""A daemon answers `describe` long before its model is loaded; more means that it is broken."""
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running daemon."""

    uri: str
    pid: int


@asynccontextmanager
async def served(arguments: str) -> AsyncIterator[Served]:
    """Start a daemon on a free port, wait until it describes itself, end it by its own pid."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "wyoming_streamwhisper", *shlex.split(arguments)]
    process = await asyncio.create_subprocess_exec(*command, "--uri", uri, "--no-zeroconf")
    try:
        await _described(uri, process)
        yield Served(uri, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _described(uri: str, process: asyncio.subprocess.Process) -> None:
    deadline = asyncio.get_running_loop().time() + START_S
    while True:
        try:
            await describe(uri)
            return
        except Unreachable as error:
            if process.returncode is not None:
                raise SystemExit(f"The daemon ended with status {process.returncode}.") from error
            if asyncio.get_running_loop().time() > deadline:
                raise SystemExit(f"{error}.") from error
        await asyncio.sleep(0.1)
