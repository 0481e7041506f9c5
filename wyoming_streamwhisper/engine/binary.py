"""Walks through a CTranslate2 model file without loading it, to see that it is whole.

A download that broke off leaves a file that CTranslate2 takes gigabytes to find fault with. The
file is a list of variables, each with its size in front, so its right length is known from a few
kilobytes. Knows the layout that converters have written since 2022; of others only the header.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_KNOWN_LAYOUT = 6
_NEWEST_PLAUSIBLE = 64
"""A larger number in front is no version but another kind of file."""
_FIRST_LAYER = "encoder/conv1/weight"


class BrokenBinary(Exception):
    """The file is no whole Whisper; the text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a model file tells without being loaded."""

    mels: int
    """Mel bands that the encoder takes; 0 if the layout is not known."""


def read_summary(file: Path) -> Summary:
    """Walk through a model file; raises BrokenBinary or OSError."""
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if not size:
            raise BrokenBinary(f"{file.name} is empty")
        try:
            return Summary(_mels(stream, file.name, size))
        except (struct.error, UnicodeDecodeError):
            raise BrokenBinary(f"{file.name} is cut off or damaged") from None


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a variable lies in a model file of the known layout."""

    name: str
    shape: tuple[int, ...]
    type_id: int
    """Of CTranslate2's DataType: float32, int8, int16, int32, float16, bfloat16."""
    offset: int
    """Bytes from the begin of the file."""
    length: int
    """Bytes."""


def variables(stream: BinaryIO, name: str) -> Iterator[Variable]:
    """Walk through a model file of the known layout, from variable to variable.

    Gives nothing of other layouts. Raises BrokenBinary, or struct.error at a file's untimely end.
    """
    (version,) = _unpack(stream, "<I")
    if not 0 < version <= _NEWEST_PLAUSIBLE:
        raise BrokenBinary(f"{name} is no CTranslate2 model")
    # CTranslate2 reads older ones too, so they are not for us to refuse.
    if version != _KNOWN_LAYOUT:
        return
    if (kind := _string(stream)) != "WhisperSpec":
        raise BrokenBinary(f"{name} is a {kind[:40]}, no Whisper")
    _, count = _unpack(stream, "<II")
    for _ in range(count):
        variable = _string(stream)
        (rank,) = _unpack(stream, "<B")
        shape = _unpack(stream, f"<{rank}I")
        type_id, length = _unpack(stream, "<BI")
        offset = stream.tell()
        yield Variable(variable, shape, type_id, offset, length)
        stream.seek(offset + length)
    _unpack(stream, "<I")  # the number of aliases; their names are short and need no walk


def _mels(stream: BinaryIO, name: str, size: int) -> int:
    """Walk through to the end; return the mel bands."""
    mels = 0
    for variable in variables(stream, name):
        # Seeking beyond the end is allowed; only the comparison tells.
        if variable.offset + variable.length > size:
            raise BrokenBinary(f"{name} is cut off")
        if variable.name == _FIRST_LAYER and len(variable.shape) == 3:  # (width, mel bands, 3)
            mels = variable.shape[1]
    return mels


def _string(stream: BinaryIO) -> str:
    (length,) = _unpack(stream, "<H")
    return stream.read(length)[:-1].decode("utf-8")


def _unpack(stream: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, stream.read(struct.calcsize(form)))
