"""Every format FFmpeg knows is read; what cannot be read is told in a sentence."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips import FOLDER, SHORT
from wyoming_streamwhisper.files.reader import BadRecording, Reader


def read(source) -> tuple[np.ndarray, str]:
    reader = Reader(source)
    try:
        return np.concatenate(list(reader.blocks(0.5))), reader.fault
    finally:
        reader.close()


def encoded(path: Path, codec: str, rate: int = 48_000, video: bool = False) -> Path:
    """Write two seconds of a tone in another format."""
    with av.open(str(path), "w") as out:
        if video:
            picture = out.add_stream("mpeg4", rate=5)
            picture.width = picture.height = 16
            picture.pix_fmt = "yuv420p"
        sound = out.add_stream(codec, rate=rate, layout="stereo")
        if video:
            for _ in range(10):
                frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
                out.mux(picture.encode(frame))
            out.mux(picture.encode(None))
        tone = np.sin(np.arange(2 * rate) / 20).astype(np.float32) * 0.5
        frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
        frame.rate = rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        while (part := fifo.read(sound.frame_size or 1024)) is not None:
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))
    return path


def test_a_file_is_read_to_the_sample():
    samples, fault = read(FOLDER / SHORT.name)
    assert np.array_equal((samples * 32768).astype("<i2").tobytes(), SHORT.pcm)
    assert fault == ""


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp3", "libmp3lame"), ("a.ogg", "libopus"), ("a.m4a", "aac")]
)
def test_other_formats_are_read(tmp_path: Path, name: str, codec: str):
    samples, fault = read(encoded(tmp_path / name, codec))
    assert len(samples) / 16_000 == pytest.approx(2.0, abs=0.1)
    assert np.abs(samples).max() > 0.3
    assert fault == ""


def test_the_sound_of_a_video_is_read(tmp_path: Path):
    samples, _ = read(encoded(tmp_path / "a.mp4", "aac", video=True))
    assert len(samples) / 16_000 == pytest.approx(2.0, abs=0.1)


def test_bytes_that_come_from_elsewhere_are_read():
    samples, _ = read(io.BytesIO((FOLDER / SHORT.name).read_bytes()))
    assert len(samples) == len(SHORT.pcm) // 2


def video_without_sound(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        picture = out.add_stream("mpeg4", rate=5)
        picture.width = picture.height = 16
        picture.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
    return path


def code(source) -> str:
    with pytest.raises(BadRecording) as caught:
        read(source)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    return caught.value.code


def test_what_is_no_recording_is_told(tmp_path: Path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.mp3").write_text("No sound at all. " * 100)
    assert code(tmp_path / "gone.wav") == "missing"
    assert code(tmp_path) in ("missing", "not-audio")
    assert code(tmp_path / "empty.wav") == "empty"
    assert code(tmp_path / "text.mp3") == "not-audio"
    assert code(video_without_sound(tmp_path / "silent.mp4")) == "no-audio"


def test_a_recording_of_no_samples_is_empty(tmp_path: Path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
    assert code(tmp_path / "a.wav") == "empty"


def test_what_is_there_of_a_truncated_file_is_read_and_told(tmp_path: Path):
    whole = (FOLDER / SHORT.name).read_bytes()
    (tmp_path / "half.flac").write_bytes(whole[: len(whole) // 3])
    samples, fault = read(tmp_path / "half.flac")
    assert 0 < len(samples) < len(SHORT.pcm) // 2
    assert fault


def test_nan_is_silence(tmp_path: Path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("pcm_f32le", rate=16_000, layout="mono")
        data = np.full((1, 16_000), np.nan, np.float32)
        frame = av.AudioFrame.from_ndarray(data, "flt", "mono")
        frame.rate = 16_000
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    samples, _ = read(path)
    assert np.array_equal(samples, np.zeros(16_000))


def test_a_wav_that_is_shorter_than_its_header_says_is_told(tmp_path: Path):
    whole = tmp_path / "whole.wav"
    with wave.open(str(whole), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(bytes(160_000))
    data = whole.read_bytes()
    assert read(whole)[1] == ""
    (tmp_path / "half.wav").write_bytes(data[:80_000])
    samples, fault = read(tmp_path / "half.wav")
    assert len(samples) == pytest.approx(40_000, abs=50)
    assert "breaks off" in fault
    # Who streams a WAV does not know its length.
    (tmp_path / "streamed.wav").write_bytes(data[:4] + b"\xff" * 4 + data[8:])
    assert read(tmp_path / "streamed.wav")[1] == ""
