"""Finds the samples behind a WAV header, because some clients send the file and not its sound.

Home Assistant's REST path is one: what arrives as PCM begins with `RIFF`. Knows bytes only; what
the numbers of a header are good for is decided in `audio`.
"""

import struct
from dataclasses import dataclass

LONGEST_HEADER = 4096
"""Bytes before the samples. Recorders write 44 to some hundred; more is a guess, no header."""

_ENDLESS = (0, 0xFFFFFFFF)
"""What programs that write to a pipe put where the length of the samples is not known yet."""

_PCM, _EXTENSIBLE = 0x0001, 0xFFFE
_PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")


@dataclass(frozen=True, slots=True)
class WavHeader:
    """Where the samples are, and what the file says of them."""

    start: int
    """Bytes before the first sample."""
    length: int | None
    """Bytes of samples; None where they go on to the end of the stream."""
    pcm: tuple[int, int, int] | None
    """Rate in Hz, width in bytes, channels; None if the samples are no plain PCM."""


def find_wav(head: bytes | bytearray) -> WavHeader | bool:
    """Read the header at the start of `head`, the stream's first bytes.

    Returns the header, True if more bytes may show one, or False if the stream is not a WAV file
    (or its header is broken or too long). More bytes never change an answer other than True, so
    it does not matter in what portions they come.
    """
    if not (_begins(head, 0, b"RIFF") and _begins(head, 8, b"WAVE")):
        return False
    pcm: tuple[int, int, int] | None = None
    seen_format = False
    at = 12
    while at + 8 <= LONGEST_HEADER:
        if len(head) < at + 8:
            return True
        name, length = struct.unpack_from("<4sI", head, at)
        at += 8
        if name == b"data":
            # Nobody writes samples before their format; this is sound, or worse.
            if not seen_format:
                return False
            return WavHeader(at, None if length in _ENDLESS else length, pcm)
        # Sound that only looks like a header soon names an absurd length.
        if at + length > LONGEST_HEADER:
            return False
        if name == b"fmt ":
            if len(head) < at + length:
                return True
            if length < 16:
                return False
            seen_format, pcm = True, _read_format(bytes(head[at : at + length]))
        at += length + length % 2  # chunks begin at even places
    return False


def _begins(head: bytes | bytearray, at: int, word: bytes) -> bool:
    """Tell whether `word` stands at `at`, as far as bytes are there to tell."""
    found = head[at : at + len(word)]
    return word.startswith(found)


def _read_format(chunk: bytes) -> tuple[int, int, int] | None:
    tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE:  # the format's own number is in the GUID
        tag = _PCM if chunk[24:40] == _PCM_GUID else tag
    # 12 or 20 bits are written in wider samples, and how is a matter of taste.
    if tag != _PCM or bits % 8 or frame != channels * bits // 8:
        return None
    return rate, bits // 8, channels
