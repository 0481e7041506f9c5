"""Any format that FFmpeg reads, as a stream of samples; says in a sentence what is wrong."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from wyoming_streamwhisper.core.audio import RATE, Samples

Source = Path | BinaryIO
"""A file, or anything whose `read` gives the bytes of one; it may block, having its own thread."""

_GUESSED = {"mp3", "aac", "adts"}
"""Formats whose length FFmpeg only guesses from the size of the file."""
_STREAMED = 0x7FFF_0000
"""From here on the length in a WAV's header is no length: it was not known when it was written."""
_MISSING = 1.0
"""Seconds by which a recording may be shorter than its header says."""


class BadRecording(Exception):
    """There is nothing to transcribe; the text is one sentence for people.

    `code` is `missing` (it cannot be opened), `not-audio` (no format that is known), `no-audio`
    (no audio track) or `empty`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Reader:
    """Reads the first audio track of one recording; for one thread at a time."""

    def __init__(self, source: Source) -> None:
        """Open it.

        Raises:
            BadRecording: it has no audio that can be read.

        """
        import av  # FFmpeg takes time to load

        self._av: Any = av
        self._name = (source.name or str(source)) if isinstance(source, Path) else "the recording"
        self._cut_off = isinstance(source, Path) and _is_cut_off(source)
        try:
            if isinstance(source, Path) and source.is_file() and not source.stat().st_size:
                raise BadRecording("empty", f"{self._name} is empty.")
            place = str(source) if isinstance(source, Path) else source
            self._container: Any = av.open(place)
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            why = error.strerror or error
            raise BadRecording("missing", f"{self._name} cannot be read: {why}.") from error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            text = f"{self._name} is no audio or video that can be read."
            raise BadRecording("not-audio", text) from error
        if not self._container.streams.audio:
            self._container.close()
            raise BadRecording("no-audio", f"{self._name} has no audio track.")
        self._stream = self._container.streams.audio[0]
        self._damaged = 0
        self._samples = 0

    @property
    def duration(self) -> float | None:
        """Seconds of the recording, where its container tells."""
        length = self._container.duration
        return length / self._av.time_base if length and length > 0 else None

    @property
    def fault(self) -> str:
        """Say what is missing or damaged of what was read, in a sentence; empty if nothing is."""
        heard, told = self._samples / RATE, self.duration
        guessed = set(self._container.format.name.split(",")) & _GUESSED
        if told and not guessed and heard < told - _MISSING:
            return f"{self._name} breaks off after {heard:.1f} of {told:.1f} s."
        if self._cut_off:
            return f"{self._name} breaks off: it is shorter than its header says."
        if self._damaged:
            return f"{self._name} is damaged: {self._damaged} packets of audio were left out."
        return ""

    def blocks(self, seconds: float) -> Iterator[Samples]:
        """Yield the samples (mono, 16 kHz), about so many seconds at a time.

        Raises:
            BadRecording: there is not a single sample.

        """
        parts: list[Samples] = []
        held = 0
        for part in self._resampled():
            parts.append(part)
            held += len(part)
            if held >= seconds * RATE:
                yield _sane(parts)
                parts, held = [], 0
        if not self._samples:
            text = f"{self._name} holds no audio" + (", only damage." if self._damaged else ".")
            raise BadRecording("not-audio" if self._damaged else "empty", text)
        if parts:
            yield _sane(parts)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _resampled(self) -> Iterator[Samples]:
        resampler = self._av.AudioResampler(format="flt", layout="mono", rate=RATE)
        for frame in self._frames():
            frame.pts = None  # gaps in the stamps are no reason to stop
            yield from self._converted(resampler, frame)
        if self._samples:
            yield from self._converted(resampler, None)

    def _converted(self, resampler: Any, frame: Any) -> Iterator[Samples]:
        for part in resampler.resample(frame):
            samples: Samples = part.to_ndarray().reshape(-1)
            self._samples += len(samples)
            yield samples

    def _frames(self) -> Iterator[Any]:
        """Yield what can be decoded; a damaged packet is left out, the file may break off."""
        broken = (self._av.error.FFmpegError, OSError, ValueError)
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                return
            except broken:
                self._damaged += 1
                return
            try:
                yield from packet.decode()
            except EOFError:
                return
            except broken:
                self._damaged += 1


def _sane(parts: Sequence[Samples]) -> Samples:
    """Return samples as one array, within their range."""
    samples: Samples = np.concatenate(parts)
    np.clip(samples, -1.0, 1.0, out=samples)
    # Some formats can say NaN, which no network forgives.
    np.nan_to_num(samples, copy=False, nan=0.0)
    return samples


def _is_cut_off(file: Path) -> bool:
    """Whether a WAV is shorter than its header says, which FFmpeg does not tell."""
    with contextlib.suppress(OSError), file.open("rb") as content:
        head = content.read(12)
        length = int.from_bytes(head[4:8], "little") + 8
        if head[:4] == b"RIFF" and head[8:] == b"WAVE" and length < _STREAMED:
            return file.stat().st_size < length - RATE
    return False
