"""Any legal PCM becomes mono float32 at 16 kHz, however its bytes are cut."""

import io
import struct
import wave
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_streamwhisper.core.audio import RATE, AudioFormat, Samples
from wyoming_streamwhisper.core.convert import Converter

rates = st.sampled_from([8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000])
formats = st.builds(AudioFormat, rate=rates, width=st.integers(1, 4), channels=st.integers(1, 8))


def convert(form: AudioFormat, portions: Sequence[bytes | memoryview]) -> Samples:
    converter = Converter(form)
    return np.concatenate([*map(converter.feed, portions), converter.flush()])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(p % (len(data) + 1) for p in places), len(data)]
    return [data[a:b] for a, b in pairwise(borders)]


def encode(values: list[float], form: AudioFormat) -> bytes:
    """Write -1 to 1 as PCM, each value on all channels."""
    top = (1 << (8 * form.width - 1)) - 1
    numbers = [round(v * top) for v in values for _ in range(form.channels)]
    if form.width == 1:
        return bytes(n + 128 for n in numbers)
    return b"".join(n.to_bytes(form.width, "little", signed=True) for n in numbers)


def wav(pcm: bytes, form: AudioFormat) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setframerate(form.rate)
        writer.setsampwidth(form.width)
        writer.setnchannels(form.channels)
        writer.writeframes(pcm)
    return file.getvalue()


def chunk(name: bytes, body: bytes, length: int | None = None) -> bytes:
    padding = b"\0" * (len(body) % 2)
    return name + struct.pack("<I", len(body) if length is None else length) + body + padding


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


FMT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16))
TONE = encode([0.5, -0.5, 0.25, -0.25] * 50, AudioFormat())


@settings(deadline=None)
@given(formats, st.binary(max_size=4000), st.lists(st.integers(0, 4000), max_size=20))
def test_the_samples_do_not_depend_on_the_cuts(
    form: AudioFormat, data: bytes, places: list[int]
) -> None:
    whole = convert(form, [data])
    assert np.array_equal(convert(form, cut(data, places)), whole)
    assert np.array_equal(convert(form, [memoryview(p) for p in cut(data, places)]), whole)
    assert whole.dtype == np.float32
    assert not len(whole) or np.abs(whole).max() <= 1.0


@settings(deadline=None, max_examples=30)
@given(formats, st.binary(max_size=600))
def test_byte_by_byte_is_the_same_as_at_once(form: AudioFormat, data: bytes) -> None:
    assert np.array_equal(convert(form, [bytes([b]) for b in data]), convert(form, [data]))


@settings(deadline=None)
@given(formats, st.integers(0, 5000), st.integers(0, 31))
def test_the_length_is_right_and_silence_stays_silence(
    form: AudioFormat, frames: int, odd: int
) -> None:
    zero = b"\x80" if form.width == 1 else b"\0"
    out = convert(form, [zero * (frames * form.frame + odd % form.frame)])
    assert abs(len(out) - frames * RATE / form.rate) <= 1
    assert not out.any()


@settings(deadline=None, max_examples=60)
@given(formats, st.floats(-1, 1))
def test_level_is_kept(form: AudioFormat, level: float) -> None:
    out = convert(form, [encode([level] * 4000, form)])
    middle = out[len(out) // 4 : -len(out) // 4]
    step = 1 / (1 << (8 * form.width - 1))  # one to round, and the top is one short of 1
    assert np.abs(middle - level).max() < 1.5 * step + 1e-4


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_full_scale_of_each_width(width: int) -> None:
    lowest = b"\0" if width == 1 else b"\0" * (width - 1) + b"\x80"
    highest = b"\xff" if width == 1 else b"\xff" * (width - 1) + b"\x7f"
    out = convert(AudioFormat(width=width), [lowest + highest])
    assert out[0] == -1.0
    assert out[1] == pytest.approx(1.0, abs=2.0 ** (1 - 8 * width))


def test_channels_are_averaged() -> None:
    stereo = struct.pack("<4h", 16384, 0, -32768, 32767)
    out = convert(AudioFormat(channels=2), [stereo])
    assert out == pytest.approx([0.25, -0.5 / 32768])


def test_a_tone_survives_resampling() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    pcm = (tone * 20000).astype("<i2").tobytes()
    out = convert(AudioFormat(rate=48000), cut(pcm, list(range(0, len(pcm), 961))))
    expected = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000) * 20000 / 32768
    assert np.abs(out[500:-500] - expected[500:-500]).max() < 1e-3


@settings(deadline=None, max_examples=40)
@given(formats, formats, st.lists(st.integers(0, 300), max_size=8))
def test_a_wav_header_is_no_sound_and_its_format_counts(
    declared: AudioFormat, real: AudioFormat, places: list[int]
) -> None:
    pcm = encode([0.1, -0.9, 0.7] * 40, real)
    converter = Converter(declared)
    out = [converter.feed(p) for p in cut(wav(pcm, real), places)]
    out.append(converter.flush())
    assert converter.format == real
    assert np.array_equal(np.concatenate(out), convert(real, [pcm]))


def test_other_chunks_before_the_samples_are_skipped() -> None:
    file = riff(chunk(b"LIST", b"INFOodd"), FMT, chunk(b"fact", b"1234"), chunk(b"data", TONE))
    expected = convert(AudioFormat(), [TONE])
    assert np.array_equal(convert(AudioFormat(), [file]), expected)
    assert np.array_equal(convert(AudioFormat(), [bytes([b]) for b in file]), expected)


def test_what_follows_the_samples_is_left_out() -> None:
    file = riff(FMT, chunk(b"data", TONE), chunk(b"LIST", b"tags of the recorder" * 9))
    for places in ([], [50], list(range(0, 700, 3))):
        out = convert(AudioFormat(), cut(file, places))
        assert np.array_equal(out, convert(AudioFormat(), [TONE]))


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_goes_on_to_the_end(length: int) -> None:
    out = convert(AudioFormat(), [riff(FMT, chunk(b"data", TONE, length))])
    assert np.array_equal(out, convert(AudioFormat(), [TONE]))


def test_extensible_pcm_is_pcm() -> None:
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    body = struct.pack("<HHIIHHHHI", 0xFFFE, 2, 48000, 192000, 4, 16, 22, 16, 3) + guid
    converter = Converter(AudioFormat())
    converter.feed(riff(chunk(b"fmt ", body), chunk(b"data", TONE)))
    assert converter.format == AudioFormat(48000, 2, 2)


@pytest.mark.parametrize(
    ("tag", "channels", "rate", "bits"),
    [(3, 1, 16000, 32), (1, 1, 96000, 16), (1, 9, 16000, 16), (1, 1, 16000, 12), (1, 0, 16000, 16)],
)
def test_where_the_header_is_no_legal_pcm_the_declared_format_counts(
    tag: int, channels: int, rate: int, bits: int
) -> None:
    frame = channels * bits // 8
    body = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    out = convert(AudioFormat(), [riff(chunk(b"fmt ", body), chunk(b"data", TONE))])
    assert np.array_equal(out, convert(AudioFormat(), [TONE]))


@pytest.mark.parametrize(
    "data",
    [
        b"RI",
        b"RIFF",
        b"RIFFxxxxWAVX" + TONE,
        riff(chunk(b"data", TONE)),
        riff(chunk(b"fmt ", b"short"), chunk(b"data", TONE)),
        riff(chunk(b"LIST", bytes(5000)), FMT, chunk(b"data", TONE)),
        riff(*[chunk(b"LIST", bytes(90))] * 60, FMT, chunk(b"data", TONE)),
        riff(FMT),
    ],
)
def test_a_broken_or_endless_header_is_sound(data: bytes) -> None:
    expected = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768
    assert np.array_equal(convert(AudioFormat(), [data]), expected)
    assert np.array_equal(convert(AudioFormat(), [bytes([b]) for b in data]), expected)


def test_sound_is_not_held_back_for_a_header() -> None:
    assert len(Converter(AudioFormat()).feed(bytes(320))) == 160
