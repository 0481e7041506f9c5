"""The HTTP door as the daemon builds it, on the house's engine, and how tests speak to it."""

import asyncio
import contextlib
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import websockets
from numpy.typing import NDArray

from tests.server.door import PATIENCE, House, until
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.server import HttpServer
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

Message = dict[str, Any]


@dataclass
class Web:
    """A server that listens."""

    server: HttpServer
    session: Session
    house: House

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    def get(self, path: str, **more: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=PATIENCE, **more)

    def upload(self, path: str, data: bytes, name: str = "file.wav", **more: Any) -> httpx.Response:
        fields = {key: value for key, value in more.items() if key != "headers"}
        return httpx.post(
            self.url + path,
            files={"file": (name, data)},
            data=fields,
            headers=more.get("headers"),
            timeout=PATIENCE,
        )

    def settled(self) -> None:
        """Wait until nothing is under way; fails where anything is left."""
        self.house.inside(until(lambda: not self.session.running))


@contextlib.contextmanager
def serving(
    house: House,
    *profiles: Profile,
    engine: LocalEngine | None = None,
    contexts: ContextOptions | None = None,
    idle_timeout: float = 300.0,
    longest: float = 3600.0,
    **options: Any,
) -> Iterator[Web]:
    """Serve on a free port; at the end nothing may be left of those who came."""
    settings = HttpOptions(**{"http": "tcp://127.0.0.1:0", "http_resume": 0.0, **options})

    async def start() -> tuple[HttpServer, Session]:
        session = Session(
            engine or house.engine,
            house.vad,
            profiles or [Profile()],
            contexts or ContextOptions(),
            max_utterance=longest,
        )
        server = HttpServer(settings, session, FileOptions(), idle_timeout=idle_timeout)
        await server.start()
        return server, session

    files = deleted_files()
    server, session = house.inside(start())
    web = Web(server, session, house)
    try:
        yield web
        web.settled()
        house.inside(until(lambda: not len(server.door.conversations)))
        house.inside(until(lambda: not work_under_way() and deleted_files() <= files))
    finally:
        house.inside(server.close())


WORK = {"upload", "recording", "file", "chunk", "conversation", "socket-read", "socket-write"}


def work_under_way() -> list[str]:
    """Return the tasks of this loop that belong to somebody who was served."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() in WORK]


def deleted_files() -> int:
    """Count open files that have no name, as temporary ones do."""
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{number}").endswith(" (deleted)")
    return count


# Speaking


class Line:
    """One WebSocket, with what came over it."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.came: list[Message] = []

    async def send(self, message: bytes | Message) -> None:
        await self.socket.send(message if isinstance(message, bytes) else json.dumps(message))

    async def pcm(self, pcm: bytes, size: int = 6400) -> None:
        for at in range(0, len(pcm), size):
            await self.socket.send(pcm[at : at + size])

    async def until(self, wanted: Callable[[Message], bool]) -> Message:
        """Read up to a message."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message: Message = json.loads(await self.socket.recv())
                self.came.append(message)
                if wanted(message):
                    return message

    async def kind(self, kind: str) -> Message:
        return await self.until(lambda message: message["type"] == kind)

    async def closed(self) -> int:
        """Read up to the end; return its code."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    self.came.append(json.loads(await self.socket.recv()))
        return int(self.socket.close_code or 0)

    def texts(self, kind: str) -> list[str]:
        return [message["text"] for message in self.came if message["type"] == kind]

    async def vanish(self) -> None:
        """Break the connection as a network does: without a goodbye."""
        self.socket.transport.abort()
        await self.socket.wait_closed()


@contextlib.asynccontextmanager
async def line(uri: str, **more: Any) -> AsyncIterator[Line]:
    async with websockets.connect(uri, **more) as socket:
        yield Line(socket)


def array(pcm: bytes) -> bytes:
    """Return 16 bit sound as a `.npy` file of float32."""
    return npy(np.frombuffer(pcm, "<i2").astype(np.float32) / 32768)


def npy(samples: NDArray[Any], **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, samples, **more)
    return file.getvalue()


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, 2 * PATIENCE))


def numbers(messages: Sequence[Message]) -> list[int]:
    return [message["seq"] for message in messages if "seq" in message]
