"""Walks through a CTranslate2 model file without loading it, to see that it is whole.

A download that broke off leaves a file that CTranslate2 takes gigabytes to find fault with. The
file is a list of variables, each with its size in front, so its right length is known from a few
kilobytes. Knows the layout that converters have written since 2022; of others only the header.
"""

import os
import struct
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
            return Summary(_walk(stream, file.name, size))
        except (struct.error, UnicodeDecodeError):
            raise BrokenBinary(f"{file.name} is cut off or damaged") from None


def _walk(stream: BinaryIO, name: str, size: int) -> int:
    """Check the header, then jump from variable to variable; return the mel bands."""
    (version,) = _unpack(stream, "<I")
    if not 0 < version <= _NEWEST_PLAUSIBLE:
        raise BrokenBinary(f"{name} is no CTranslate2 model")
    # CTranslate2 reads older ones too, so they are not for us to refuse.
    if version != _KNOWN_LAYOUT:
        return 0
    if (kind := _string(stream)) != "WhisperSpec":
        raise BrokenBinary(f"{name} is a {kind[:40]}, no Whisper")
    _, variables = _unpack(stream, "<II")
    mels = 0
    for _ in range(variables):
        variable = _string(stream)
        (rank,) = _unpack(stream, "<B")
        shape = _unpack(stream, f"<{rank}I")
        _, length = _unpack(stream, "<BI")
        # Seeking beyond the end is allowed; only the comparison tells.
        if stream.seek(length, os.SEEK_CUR) > size:
            raise BrokenBinary(f"{name} is cut off")
        if variable == _FIRST_LAYER and rank == 3:  # (width, mel bands, 3)
            mels = shape[1]
    _unpack(stream, "<I")  # the number of aliases; their names are short and need no walk
    return mels


def _string(stream: BinaryIO) -> str:
    (length,) = _unpack(stream, "<H")
    return stream.read(length)[:-1].decode("utf-8")


def _unpack(stream: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, stream.read(struct.calcsize(form)))
