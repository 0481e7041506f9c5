"""Servers are started, waited for and ended, whatever they are."""

import asyncio
import os
import sys
from collections.abc import Sequence

import pytest

from benchmarks.serving import Server, listens, ours

LISTENS = """
import os, socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    assert os.environ["EXTRA"] == "1"
    time.sleep(60)
"""


def python(program: str) -> Server:
    def command(port: int) -> Sequence[str]:
        return [sys.executable, "-c", program, str(port)]

    return Server("It", command, "other", "ws", answers=listens, environ={"EXTRA": "1"})


def test_a_server_is_there_as_long_as_it_is_used() -> None:
    async def run() -> int:
        async with python(LISTENS).start() as running:
            assert running.protocol == "other"
            assert running.uri.startswith("ws://127.0.0.1:")
            await listens(running.uri)
            os.kill(running.pid, 0)
            return running.pid

    pid = asyncio.run(run())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_why_a_server_did_not_start_is_shown() -> None:
    async def run() -> None:
        async with python("import sys; print('no luck'); sys.exit(3)").start():
            pass

    with pytest.raises(SystemExit, match=r"It ended with status 3\.\nno luck"):
        asyncio.run(run())


def test_our_daemon_gets_its_arguments_and_an_address() -> None:
    command = list(ours("--model demo --prompt 'at home'").command(1234))
    assert command[command.index("--prompt") + 1] == "at home"
    assert command[command.index("--uri") + 1] == "tcp://127.0.0.1:1234"
