"""Reads `multipart/form-data` while it arrives: fields at once, the one file as far as it has come.

python-multipart knows the format; here its parts get their meaning and their limits.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from wyoming_streamwhisper.server.http.arriving import Arriving
from wyoming_streamwhisper.server.http.problems import Problem

_LOG = logging.getLogger(__name__)

_FILE = "file"
"""Name of the part that is the recording."""
_MOST_FIELDS = 64
_LONGEST_FIELD = 64 * 1024
"""Bytes of a field that is no file."""


class Form:
    """One body; `read` takes it in."""

    def __init__(self, content_type: str) -> None:
        """Prepare; raises Problem for a body of another type."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise Problem(415, "no-form", "the body is no multipart/form-data")
        self.fields: dict[str, list[str]] = {}
        """The fields that have come, as they were written."""
        self._files = self._count = 0
        self._headers: dict[bytes, bytes] = {}
        self._header = self._value = b""
        self._name = ""
        self._taking: bytearray | None = None
        """Where the bytes of this part go; nowhere with a file that nobody asked for."""
        self._sound = bytearray()
        """What came of the file and is not written yet."""
        self._over = False
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value",
                 "header_end", "headers_finished", "end")  # fmt: skip
        callbacks: Any = {f"on_{name}": getattr(self, f"_{name}") for name in names}
        try:
            self._parser = MultipartParser(options[b"boundary"], callbacks)
        except (KeyError, FormParserError):
            raise _bad("it names no boundary") from None
        with _kept():
            self.file = Arriving()

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the body to its end.

        Raises:
            Problem: it makes no sense, has no file, or there is no room for that.

        """
        try:
            async for chunk in chunks:
                self._parser.write(chunk)
                if self._sound:
                    with _kept():
                        await self.file.write(bytes(self._sound))
                    self._sound.clear()
        except FormParserError:
            raise _bad("it breaks its own rules") from None
        if not self._over:
            raise _bad("it breaks off")
        if not self._files:
            raise Problem(400, "no-file", "the form has no file named `file`", _FILE)
        if not self.file.size:
            raise Problem(400, "empty", "the file is empty", _FILE)
        self.file.finish()

    # What the parser finds

    def _part_begin(self) -> None:
        self._headers.clear()
        self._count += 1
        if self._count > _MOST_FIELDS:
            raise _bad("it has too many parts")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = _text(options.get(b"name", b"")).removesuffix("[]")
        if b"filename" not in options:
            self._taking = bytearray()
        elif self._name == _FILE:
            self._taking = self._sound
            self._files += 1
            if self._files > 1:
                raise _bad("it has more than one file")
        else:
            self._taking = None

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._taking is None:
            return
        self._taking += data[start:end]
        if self._taking is not self._sound and len(self._taking) > _LONGEST_FIELD:
            raise _bad("a field is too long")

    def _part_end(self) -> None:
        if self._taking is not None and self._taking is not self._sound:
            self.fields.setdefault(self._name, []).append(_text(self._taking))

    def _end(self) -> None:
        self._over = True


@contextlib.contextmanager
def _kept() -> Iterator[None]:
    """Tell a client where its file cannot be kept, and the log why."""
    try:
        yield
    except OSError as error:
        _LOG.error("an upload could not be kept: %s", error.strerror or error)
        raise Problem(507, "no-space", "the server has no room for the file") from error


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace")


def _bad(why: str) -> Problem:
    return Problem(400, "bad-form", f"the form cannot be read: {why}")
