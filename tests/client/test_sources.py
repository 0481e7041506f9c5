"""Files and microphones become 16 kHz mono samples, or say in one sentence why not."""

import asyncio
import sys
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from wyoming_streamwhisper.client.sources import (
    MIC_BACKLOG_BLOCKS,
    Microphone,
    Pacing,
    Samples,
    SourceError,
    paced,
    read_file,
)


def write_wav(path: Path, audio: Samples, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(audio, channels).tobytes())
    return path


def tone(rate: int) -> Samples:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)


def test_a_wav_file_of_our_format_is_read_exactly(tmp_path: Path) -> None:
    audio = np.random.default_rng(0).integers(-3000, 3000, 5001, dtype=np.int16)
    assert np.array_equal(read_file(write_wav(tmp_path / "a.wav", audio)), audio)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 2), (48_000, 2)])
def test_other_rates_and_channels_are_converted(tmp_path: Path, rate: int, channels: int) -> None:
    """One second stays one second, and a tone the same tone."""
    audio = read_file(write_wav(tmp_path / "a.wav", tone(rate), rate, channels))
    assert len(audio) == pytest.approx(16_000, abs=20)
    assert np.abs(np.fft.rfft(audio[:16_000])).argmax() == pytest.approx(440, abs=1)


@pytest.mark.parametrize(("codec", "name"), [("flac", "a.flac"), ("libmp3lame", "a.mp3")])
def test_compressed_files_are_read(tmp_path: Path, codec: str, name: str) -> None:
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=16_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(tone(16_000)[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(stream.format, "mono", 16_000, frame_size=stream.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(part))
    audio = read_file(tmp_path / name)
    assert len(audio) == pytest.approx(16_000, abs=2400)
    assert np.abs(np.fft.rfft(audio[:16_000])).argmax() == pytest.approx(440, abs=2)


def test_what_is_no_audio_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(SourceError, match=r"a\.wav cannot be read as audio: \w+"):
        read_file(tmp_path / "a.wav")


def test_real_time_is_held_and_no_sample_lost() -> None:
    """Each block comes when its last sample would have been spoken, not earlier."""

    async def run() -> list[tuple[float, int]]:
        clock = asyncio.get_running_loop().time
        start = clock()
        pacing = Pacing(chunk_ms=20, trailing_silence=0.05)
        return [(clock() - start, len(b)) async for b in paced(np.ones(1700, np.int16), pacing)]

    came = asyncio.run(run())
    assert [length for _, length in came] == [320] * 7 + [260]
    spoken = np.cumsum([length for _, length in came]) / 16_000
    assert all(at >= due - 0.002 for (at, _), due in zip(came, spoken, strict=True))


class FakeSound:
    """As much of `sounddevice` as the microphone uses."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self, fail: bool = False, rate: int = 16_000) -> None:
        self.fail = fail
        self.rate = rate
        self.asked: dict[str, Any] = {}
        self.closed = False

    def RawInputStream(self, **asked: Any) -> SimpleNamespace:
        if self.fail:
            raise self.PortAudioError("Invalid device")
        self.asked = asked
        return SimpleNamespace(start=lambda: None, close=self.close)

    def check_input_settings(self, device: object, *, samplerate: int, **_: object) -> None:
        if samplerate != self.rate:
            raise self.PortAudioError("Invalid sample rate")

    def query_devices(self, device: object, kind: str) -> dict[str, float]:
        return {"default_samplerate": float(self.rate)}

    def hear(self, block: bytes) -> None:
        self.asked["callback"](block, len(block) // 2, None, None)

    def close(self) -> None:
        self.closed = True


def test_a_microphone_gives_what_it_hears_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = FakeSound()
    monkeypatch.setitem(sys.modules, "sounddevice", sound)

    async def run() -> list[Samples]:
        async with Microphone("3") as microphone:
            sound.hear(np.array([1, 2], np.int16).tobytes())
            sound.hear(np.array([3], np.int16).tobytes())
            asyncio.get_running_loop().call_soon(microphone.end)
            asyncio.get_running_loop().call_soon(microphone.end)
            return [block async for block in microphone.blocks()]

    assert [block.tolist() for block in asyncio.run(run()) if len(block)] == [[1, 2], [3]]
    assert sound.asked["device"] == 3
    assert sound.closed


def test_a_microphone_of_another_rate_is_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost at the end of what the converter holds back."""
    sound = FakeSound(rate=48_000)
    monkeypatch.setitem(sys.modules, "sounddevice", sound)

    async def run() -> Samples:
        async with Microphone() as microphone:
            for block in np.split(tone(48_000), 100):
                sound.hear(block.tobytes())
            asyncio.get_running_loop().call_soon(microphone.end)
            return np.concatenate([block async for block in microphone.blocks()])

    audio = asyncio.run(run())
    assert len(audio) == 16_000
    assert np.abs(np.fft.rfft(audio)).argmax() == 440


def test_a_microphone_that_nobody_reads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: the queue's end comes in place of its last block."""
    sound = FakeSound()
    monkeypatch.setitem(sys.modules, "sounddevice", sound)

    async def run() -> int:
        async with Microphone() as microphone:
            for _ in range(MIC_BACKLOG_BLOCKS + 10):
                sound.hear(b"\0\0")
            await asyncio.sleep(0)
            return len([block async for block in microphone.blocks() if len(block)])

    assert asyncio.run(run()) == MIC_BACKLOG_BLOCKS - 1


def open_microphone() -> str:
    async def run() -> None:
        async with Microphone("USB"):
            pass

    with pytest.raises(SourceError) as caught:
        asyncio.run(run())
    return str(caught.value)


def test_without_sounddevice_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert open_microphone() == (
        "A microphone needs the extra `client`: pip install 'wyoming-streamwhisper[client]'."
    )


def test_a_device_that_does_not_open_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSound(fail=True))
    assert open_microphone() == "The microphone (USB) does not open: Invalid device."
