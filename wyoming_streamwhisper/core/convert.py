"""Turns PCM of any legal format into the one the models hear: mono float32 at 16 kHz.

Pure, and exact about borders: the samples that come out do not depend on how the bytes that went
in were cut.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import soxr

from wyoming_streamwhisper.core.audio import RATE, AudioFormat, AudioFormatError, Samples
from wyoming_streamwhisper.core.wav import WavHeader, find_wav


class Converter:
    """Converts one stream, from its first byte to its end.

    A WAV header at the very start is left out, and what it says of the samples counts more than
    what was declared, as far as it is legal.
    """

    def __init__(self, declared: AudioFormat) -> None:
        self.format = declared
        """Format of the bytes; the WAV header's own from when it has been read."""
        self._head: bytearray | None = bytearray()
        """The stream's first bytes while they may still become a WAV header."""
        self._left: int | None = None
        """Bytes of samples still to come, where a header has told."""
        self._carry = b""
        """The beginning of a frame whose end has not arrived."""
        self._resampler: Any = None

    def feed(self, data: bytes | bytearray | memoryview) -> Samples:
        """Take the next bytes, however they are cut; return what is ready, shape (n,)."""
        if self._head is None:
            return self._convert(data)
        self._head += data
        found = find_wav(self._head)
        # Only what begins like a header waits, so sound is never held back for it.
        if found is True:
            return _silence()
        return self._begin(found if isinstance(found, WavHeader) else None)

    def flush(self) -> Samples:
        """Return the resampler's tail, shape (n,); the stream ends here and nothing may follow.

        An unfinished frame is no sound and is left out.
        """
        rest = self._begin(None) if self._head is not None else _silence()
        if self._resampler is None:
            return rest
        tail = self._resampler.resample_chunk(_silence(), last=True)
        return np.concatenate([rest, _bounded(tail)])

    def _begin(self, header: WavHeader | None) -> Samples:
        """Leave the header behind, set up what the format needs, convert what is there."""
        head, self._head = self._head or b"", None
        start = 0
        if header is not None:
            start, self._left = header.start, header.length
            self.format = _told(header) or self.format
        # At 16 kHz nothing is resampled, so nothing is delayed or changed. Elsewhere the filter of
        # soxr's default quality holds back 20 to 70 ms, which `flush` gives out.
        if self.format.rate != RATE:
            self._resampler = soxr.ResampleStream(self.format.rate, RATE, 1, dtype="float32")
        return self._convert(memoryview(head)[start:])

    def _convert(self, data: bytes | bytearray | memoryview) -> Samples:
        if self._left is not None:  # behind the samples of a WAV file come tags, which are noise
            data = memoryview(data)[: self._left]
            self._left -= len(data)
        if self._carry:
            data = self._carry + bytes(data)
        whole = len(data) - len(data) % self.format.frame
        self._carry = bytes(memoryview(data)[whole:])
        mono = _to_mono(memoryview(data)[:whole], self.format)
        return mono if self._resampler is None else _bounded(self._resampler.resample_chunk(mono))


def _told(header: WavHeader) -> AudioFormat | None:
    try:
        return AudioFormat(*header.pcm) if header.pcm else None
    except AudioFormatError:
        return None


def _silence() -> Samples:
    return np.zeros(0, dtype=np.float32)


def _bounded(samples: Samples) -> Samples:
    """Cut what the resampler's filter overshoots."""
    return np.clip(samples, -1.0, 1.0)


def _to_mono(data: memoryview, form: AudioFormat) -> Samples:
    """Average the channels of whole frames; 0 stays 0 and full scale stays full scale."""
    samples = _to_integers(data, form.width)
    scale = 1.0 / (1 << (8 * form.width - 1))
    if form.channels == 1:
        return samples.astype(np.float32) * np.float32(scale)
    # Whole numbers add up exactly, in whatever order numpy takes them.
    total = samples.reshape(-1, form.channels).sum(axis=1, dtype=np.int64)
    return cast(Samples, (total * (scale / form.channels)).astype(np.float32))


def _to_integers(data: memoryview, width: int) -> npt.NDArray[np.signedinteger[Any]]:
    """Read samples as signed integers of `width` bytes."""
    if width == 1:
        # Silence is 128, which no signed type could say.
        return np.frombuffer(data, dtype=np.uint8).astype(np.int16) - 128
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        padded[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        return padded.view("<i4").reshape(-1) >> 8  # the shift brings the sign along
    return np.frombuffer(data, dtype=f"<i{width}")
