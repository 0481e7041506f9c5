"""Takes an upload in, within limits, and sees to it that its work ends when its client does.

A body is kept in a temporary file and not in memory. Its decode begins when all of it is there,
because fields may stand behind the file, and some containers have their index at the end.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeVar, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from wyoming_streamwhisper.files import Job
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.problems import Problem

T = TypeVar("T")

_MOST_FIELDS = 64
_LONGEST_FIELD = 64 * 1024
"""Bytes of a field that is no file."""
_LOOK = 0.5
"""Seconds between looks at how long a recording turns out to be."""


class _TooLarge(MultiPartException):
    """The parser closes its files for exceptions of its own kind only."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: a file, open, and the fields as they were written."""

    file: BinaryIO
    fields: dict[str, list[str]]
    deadline: float
    """When it must be answered, by the clock of the event loop."""


class Uploads:
    """All uploads under way."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._running = 0

    @contextlib.asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Upload]:
        """Receive an upload; its file is gone when the context ends.

        Raises:
            Problem: it is too large, one too many, or no form with a file.

        """
        if self._running >= self._options.http_max_uploads:
            raise Problem(429, "too-many-uploads", "too many uploads are under way")
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise Problem(415, "no-form", "the body is no multipart/form-data")
        if int(request.headers.get("content-length", "0")) > self._options.http_max_size:
            raise self._too_large()
        self._running += 1
        deadline = asyncio.get_running_loop().time() + self._options.http_timeout
        try:
            form = await self._parsed(request, deadline)
            try:
                yield _read_form(form, deadline)
            finally:
                await form.close()
        finally:
            self._running -= 1

    async def _parsed(self, request: Request, deadline: float) -> FormData:
        parser = MultiPartParser(
            request.headers,
            self._limited(request),
            max_files=1,
            max_fields=_MOST_FIELDS,
            max_part_size=_LONGEST_FIELD,
        )
        try:
            async with asyncio.timeout_at(deadline):
                return await parser.parse()
        except _TooLarge:
            raise self._too_large() from None
        except MultiPartException as error:
            raise Problem(400, "bad-form", f"the form cannot be read: {error.message}") from None
        except (KeyError, ValueError, UnicodeDecodeError):
            raise Problem(400, "bad-form", "the form cannot be read") from None
        except TimeoutError:
            raise Problem(503, "timeout", "the upload took too long") from None

    async def _limited(self, request: Request) -> AsyncGenerator[bytes, None]:
        left = self._options.http_max_size
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                raise _TooLarge("too large")
            yield chunk

    def _too_large(self) -> Problem:
        most = self._options.http_max_size
        return Problem(413, "too-large", f"the upload is larger than {most} bytes", "file")

    async def within(
        self, upload: Upload, job: Job, work: Awaitable[T], request: Request | None = None
    ) -> T:
        """Do a part of an upload's work within its limits, and while its client waits.

        Raises:
            Problem: the recording is too long, or the work takes too long.
            ClientDisconnect: nobody waits any more (where `request` is there to tell).

        """
        working = asyncio.ensure_future(work)
        watches: list[asyncio.Task[None]] = [asyncio.create_task(self._watch(job))]
        if request is not None:
            watches.append(asyncio.create_task(_gone(request)))
        try:
            async with asyncio.timeout_at(upload.deadline):
                await asyncio.wait({working, *watches}, return_when=asyncio.FIRST_COMPLETED)
            for watch in watches:
                if watch.done() and not working.done():
                    watch.result()
            self._check(job)
            return await working
        except TimeoutError:
            raise Problem(503, "timeout", "the transcription took too long") from None
        finally:
            for task in (working, *watches):
                task.cancel()
            await asyncio.gather(working, *watches, return_exceptions=True)

    async def _watch(self, job: Job) -> None:
        """Watch for ever that a recording does not turn out to be too long; raises Problem."""
        while True:
            self._check(job)
            await asyncio.sleep(_LOOK)

    def _check(self, job: Job) -> None:
        longest, known = self._options.http_max_duration, job.progress
        if max(known.read, known.duration or 0.0) > longest:
            text = f"the recording is longer than {longest:g} seconds"
            raise Problem(413, "too-long", text, "file")


async def _gone(request: Request) -> None:
    # Behind the body there is nothing but the end of the connection.
    receive: Callable[[], Awaitable[object]] = request.receive
    await receive()
    raise ClientDisconnect


def _read_form(form: FormData, deadline: float) -> Upload:
    files = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
    if not files:
        raise Problem(400, "no-file", "the form has no file named `file`", "file")
    if not files[0].size:
        raise Problem(400, "empty", "the file is empty", "file")
    fields: dict[str, list[str]] = {}
    for key, value in form.multi_items():
        if isinstance(value, str):
            fields.setdefault(key.removesuffix("[]"), []).append(value)
    return Upload(cast(BinaryIO, _Reading(files[0].file)), fields, deadline)


class _Reading:
    """A file to be read only: one that shows it may be written PyAV would take for its output."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell
