"""A file that is read while it still arrives: who reads what has not come waits for it.

The event loop tells of bytes, one other thread reads. All of them are in a temporary file, because
an hour of sound is too much for the memory of a small machine. The disk may be slow: it is waited
for in threads, and never while the lock is held, for which the event loop waits.
"""

import asyncio
import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO, cast

_BEGINNING = 12
"""Bytes that tell what a file is."""
_SEQUENTIAL = re.compile(rb"RIFF....WAVE|fLaC", re.DOTALL)
"""How files begin that are read from their beginning to their end and say how long they are. Others
have an index at the end, or tell their length only to those who look there."""


class Arriving:
    """The bytes of one upload. `write`, `finish` and `close` belong to the event loop."""

    def __init__(self) -> None:
        """Begin; raises OSError where nothing can be kept."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self._news = threading.Condition()
        self._beginning = b""
        self.size = 0
        """Bytes that are there."""
        self.whole = False
        """Whether that is all."""
        self._closed = False
        self._users = 0
        """Threads that read or write the file now; before they are done it is not closed."""

    @property
    def sequential(self) -> bool:
        """Whether it can be transcribed before all of it is there."""
        return _SEQUENTIAL.match(self._beginning) is not None

    async def write(self, data: bytes) -> None:
        """Take further bytes; waits while the disk is slow.

        Raises:
            OSError: they cannot be kept.

        """
        if len(self._beginning) < _BEGINNING:
            self._beginning += data[:_BEGINNING]
        await asyncio.to_thread(self._append, data)

    def finish(self) -> None:
        """Learn that no more comes."""
        with self._news:
            self.whole = True
            self._news.notify_all()

    async def close(self) -> None:
        """Forget the bytes; who reads finds the end."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        # Giving a large file back takes time, too. Who is cancelled here need not wait for it.
        await asyncio.shield(asyncio.to_thread(self._give_back))

    def in_order(self) -> BinaryIO:
        """Return a source that reads from the beginning on and never goes back."""
        return cast(BinaryIO, _Reading(self))

    def at_will(self) -> BinaryIO:
        """Return a source that goes to and fro in a file that is whole."""
        assert self.whole
        return cast(BinaryIO, _Seeking(self))

    def read(self, position: int, most: int) -> bytes:
        """Return bytes from a position on, none at the end; waits for the first. For any thread."""
        with self._news:
            self._news.wait_for(lambda: self.size > position or self.whole or self._closed)
            there = max(self.size - position, 0)
        with self._used() as file:
            return b"" if file is None else os.pread(file, min(most, there), position)

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        with self._used() as file:
            while left and file is not None and not self._closed:
                written = os.pwrite(file, left, self.size)
                left = left[written:]
                with self._news:
                    self.size += written
                    self._news.notify_all()

    @contextlib.contextmanager
    def _used(self) -> Iterator[int | None]:
        """Keep the file open meanwhile; gives its number, or None where it is closed."""
        with self._news:
            file = None if self._closed else self._file.fileno()
            self._users += 1
        try:
            yield file
        finally:
            with self._news:
                self._users -= 1
                self._news.notify_all()

    def _give_back(self) -> None:
        with self._news:
            self._news.wait_for(lambda: not self._users)
        self._file.close()


class _Reading:
    """What PyAV reads from. It must not show that it could be written, or go back, to be taken for
    a source that only flows."""

    def __init__(self, file: Arriving) -> None:
        self._file = file
        self._position = 0

    def read(self, most: int = -1) -> bytes:
        """Return the next bytes; none at the end."""
        data = self._file.read(self._position, most if most >= 0 else self._file.size)
        self._position += len(data)
        return data


class _Seeking(_Reading):
    def tell(self) -> int:
        """Return where it is."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere else."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}
        self._position = max(start[whence] + offset, 0)
        return self._position
