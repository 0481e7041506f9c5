"""Where speech comes from: any file that FFmpeg reads, or a live microphone; always 16 kHz mono."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 16_000
MIC_BLOCK_S = 0.03
MIC_BACKLOG_BLOCKS = 4000
"""Two minutes. The conversation gives up on a daemon that takes nothing long before that."""


class SourceError(Exception):
    """A file or device that gives no audio; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How recorded audio is sent."""

    real_time: bool = True
    """As a speaker would have said it; otherwise as fast as the daemon takes it."""
    chunk_ms: int = 30
    trailing_silence: float = 0.0
    """Seconds of silence behind it, as a satellite sends until it notices the end."""


REAL_TIME = Pacing()


def read_file(path: Path) -> Samples:
    """Return a file's first audio stream."""
    import av  # FFmpeg takes time to load, and a microphone or a health check needs none.
    from av.error import FFmpegError

    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SourceError(f"{path} has no audio in it.")
            frames = [*container.decode(audio=0), None]  # None flushes the resampler.
            parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    except (FFmpegError, OSError) as error:
        raise SourceError(f"{path} cannot be read as audio: {error.strerror or error}.") from error
    return np.concatenate([np.zeros(0, np.int16), *parts])


async def paced(audio: Samples, pacing: Pacing) -> AsyncIterator[Samples]:
    """Give audio in blocks, each when its last sample would have been spoken."""
    silence = np.zeros(round(pacing.trailing_silence * RATE), np.int16)
    audio = np.concatenate([audio, silence])
    step = max(1, pacing.chunk_ms * RATE // 1000)
    clock = asyncio.get_running_loop().time
    # Every block has its place after one start, so that a late one does not delay all the others.
    start = clock()
    for begin in range(0, len(audio), step):
        block = audio[begin : begin + step]
        due = start + (begin + len(block)) / RATE if pacing.real_time else 0.0
        # Even a block that is due gives way: answers are read between two blocks.
        await asyncio.sleep(max(0.0, due - clock()))
        yield block


class Microphone:
    """A live input device; iterate its blocks until `end` is called."""

    def __init__(self, device: str | None = None) -> None:
        self._device = int(device) if device and device.isdecimal() else device
        self._blocks: asyncio.Queue[bytes | None] = asyncio.Queue(MIC_BACKLOG_BLOCKS)
        self._ended = False

    async def __aenter__(self) -> Self:
        """Open the device, or say in one sentence why it does not open."""
        sound = _sounddevice()
        loop = asyncio.get_running_loop()

        def take(data: Any, *_: object) -> None:  # runs in PortAudio's thread
            loop.call_soon_threadsafe(self._put, bytes(data))

        try:
            self._rate = _rate(sound, self._device)
            self._stream = sound.RawInputStream(
                samplerate=self._rate,
                blocksize=round(MIC_BLOCK_S * self._rate),
                device=self._device,
                channels=1,
                dtype="int16",
                callback=take,
            )
            self._stream.start()
        except (sound.PortAudioError, ValueError) as error:
            name = "default" if self._device is None else self._device
            raise SourceError(f"The microphone ({name}) does not open: {error}.") from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the device."""
        self._stream.close()

    def _put(self, block: bytes) -> None:
        if self._ended:
            return
        if self._blocks.full():
            self.end()
        else:
            self._blocks.put_nowait(block)

    def end(self) -> None:
        """Let the utterance end after what has been heard so far."""
        if not self._ended:
            self._ended = True
            if self._blocks.full():
                # Two minutes unsent: the last block makes room for the end.
                self._blocks.get_nowait()
            self._blocks.put_nowait(None)

    async def blocks(self) -> AsyncIterator[Samples]:
        """Give what is heard, as it is heard."""
        import soxr

        resampler = soxr.ResampleStream(self._rate, RATE, 1, dtype="int16")
        while (block := await self._blocks.get()) is not None:
            heard = np.frombuffer(block, np.int16)
            yield heard if self._rate == RATE else resampler.resample_chunk(heard)
        yield resampler.resample_chunk(np.zeros(0, np.int16), last=True)


def _rate(sound: Any, device: int | str | None) -> int:
    """Return our rate where the device has it (sound servers convert), otherwise its own."""
    try:
        sound.check_input_settings(device, channels=1, dtype="int16", samplerate=RATE)
    except sound.PortAudioError:
        return int(sound.query_devices(device, "input")["default_samplerate"])
    return RATE


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise SourceError(
            "A microphone needs the extra `client`: pip install 'wyoming-streamwhisper[client]'."
        ) from error
    except OSError as error:
        raise SourceError(
            "A microphone needs PortAudio: install libportaudio2 (apt install libportaudio2)."
        ) from error
    return sounddevice
