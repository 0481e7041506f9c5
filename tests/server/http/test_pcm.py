"""Sound as clients write it."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.server.http.web import npy
from wyoming_streamwhisper.core.audio import AudioFormat
from wyoming_streamwhisper.core.convert import Converter
from wyoming_streamwhisper.server.http import pcm
from wyoming_streamwhisper.server.http.problems import Problem


@given(arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(-1, 1, width=32)))
def test_floats_are_heard_as_they_are(samples: np.ndarray) -> None:
    converter = Converter(AudioFormat(16_000, 4, 1))
    # What begins like a WAV header would be taken for one.
    heard = np.concatenate([converter.feed(pcm.from_float(samples)), converter.flush()])
    assert np.allclose(heard, samples, atol=1e-7)


def test_what_is_louder_than_full_scale_is_cut() -> None:
    written = np.frombuffer(pcm.from_float(np.array([-9.0, 9.0], np.float32)), "<i4")
    assert written.tolist() == [-(2**31 - 1), 2**31 - 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_sample(value: float) -> None:
    with pytest.raises(Problem):
        pcm.from_float(np.array([0.0, value], np.float32))


@given(st.binary(max_size=300))
def test_no_bytes_do_harm_as_an_array(data: bytes) -> None:
    with pytest.raises(Problem):
        pcm.from_npy(data)


@given(st.data())
def test_no_change_of_an_array_does_harm(data: st.DataObject) -> None:
    whole = bytearray(npy(np.zeros(10, np.float32)))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Problem):
        assert pcm.from_npy(bytes(whole)).ndim == 1


@pytest.mark.parametrize(
    ("law", "code", "value"),
    [("audio/pcmu", 0xFF, 0), ("audio/pcmu", 0x80, 32124), ("audio/pcmu", 0x00, -32124),
     ("audio/pcma", 0xD5, 8), ("audio/pcma", 0xAA, 32256), ("audio/pcma", 0x2A, -32256)],
)  # fmt: skip
def test_g711_is_that_of_the_standard(law: str, code: int, value: int) -> None:
    assert np.frombuffer(pcm.from_law(bytes([code]), law), "<i2").tolist() == [value]
