"""Takes an upload in, within limits, and sees to it that its work ends when its client does.

A large recording that can be read from its beginning on is decoded while the rest still comes. The
answer begins when all of it is there: few clients read while they send, and fields may stand behind
the file.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from wyoming_streamwhisper.files.result import Progress
from wyoming_streamwhisper.server.http.multipart import Form
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.problems import Problem

T = TypeVar("T")

_ENOUGH = 1 << 20
"""Bytes of a file, half a minute of plain sound, that are worth to begin with."""
_LOOK = 0.5
"""Seconds between looks at how long a recording turns out to be."""


class Recording(Protocol):
    """What becomes of an upload."""

    @property
    def progress(self) -> Progress:
        """How far it is, and how long."""
        ...


class Upload:
    """A file and fields on their way in; `Uploads.receive` makes it."""

    def __init__(self, request: Request, options: HttpOptions) -> None:
        """Begin to receive; raises Problem for what is no form."""
        self._request = request
        self._options = options
        self._form = Form(request.headers.get("content-type", ""))
        self.file, self.fields = self._form.file, self._form.fields
        self._enough = asyncio.Event()
        self._deadline = asyncio.get_running_loop().time() + options.http_timeout
        self._receiving = asyncio.create_task(self._form.read(self._chunks()), name="upload")

    async def enough(self) -> bool:
        """Wait until it can be begun with; returns whether that is before all of it is there."""
        waiting = asyncio.create_task(self._enough.wait())
        try:
            async with self._in_time("the upload took too long"):
                tasks = (waiting, self._receiving)
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return not self._receiving.done()

    async def whole(self) -> None:
        """Wait until all of it is there.

        Raises:
            Problem: it is too large, comes too slowly, is no form with a file, or cannot be kept.
            ClientDisconnect: the rest will not come.

        """
        async with self._in_time("the upload took too long"):
            await asyncio.shield(self._receiving)

    async def close(self) -> None:
        """Stop receiving, and forget what came."""
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)
        await self.file.close()

    async def within(self, recording: Recording, work: Awaitable[T], *, watched: bool = True) -> T:
        """Do a part of an upload's work within its limits, and while its client waits.

        Raises:
            Problem: the recording is too long, or the work takes too long.
            ClientDisconnect: nobody waits any more (where it is `watched` for that).

        """
        working = asyncio.ensure_future(work)
        watches: list[asyncio.Task[None]] = [asyncio.create_task(self._watch(recording))]
        if watched and self._receiving.done():
            watches.append(asyncio.create_task(_gone(self._request)))
        try:
            async with self._in_time("the transcription took too long"):
                await asyncio.wait({working, *watches}, return_when=asyncio.FIRST_COMPLETED)
            for watch in watches:
                if watch.done() and not working.done():
                    watch.result()
            self._check(recording)
            return await working
        finally:
            for task in (working, *watches):
                task.cancel()
            await asyncio.gather(working, *watches, return_exceptions=True)

    async def _chunks(self) -> AsyncIterator[bytes]:
        left = self._options.http_max_size
        async for chunk in self._request.stream():
            left -= len(chunk)
            if left < 0:
                raise _too_large(self._options)
            yield chunk
            if self.file.size >= _ENOUGH and self.file.sequential:
                self._enough.set()

    async def _watch(self, recording: Recording) -> None:
        """Watch for ever that a recording does not turn out to be too long; raises Problem."""
        while True:
            self._check(recording)
            await asyncio.sleep(_LOOK)

    def _check(self, recording: Recording) -> None:
        longest, known = self._options.http_max_duration, recording.progress
        if max(known.read, known.duration or 0.0) > longest:
            text = f"the recording is longer than {longest:g} seconds"
            raise Problem(413, "too-long", text, "file")

    @contextlib.asynccontextmanager
    async def _in_time(self, problem: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(self._deadline):
                yield
        except TimeoutError:
            raise Problem(503, "timeout", problem) from None


class Uploads:
    """All uploads under way."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._running = 0

    @contextlib.asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Upload]:
        """Begin to receive an upload; nothing of it is left when the context ends.

        Raises:
            Problem: it is too large, one too many, no form, or cannot be kept.

        """
        if self._running >= self._options.http_max_uploads:
            raise Problem(429, "too-many-uploads", "too many uploads are under way")
        if int(request.headers.get("content-length", "0")) > self._options.http_max_size:
            raise _too_large(self._options)
        upload = Upload(request, self._options)
        self._running += 1
        try:
            yield upload
        finally:
            self._running -= 1
            await upload.close()


def _too_large(options: HttpOptions) -> Problem:
    text = f"the upload is larger than {options.http_max_size} bytes"
    return Problem(413, "too-large", text, "file")


async def _gone(request: Request) -> None:
    # Behind the body there is nothing but the end of the connection.
    receive: Callable[[], Awaitable[object]] = request.receive
    await receive()
    raise ClientDisconnect
