"""Features: those of faster-whisper, whoever computes them, and each row as if it were alone."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clips import GERMAN, SHORT
from wyoming_streamwhisper.engine.device import Device
from wyoming_streamwhisper.engine.features import (
    Features,
    NumpyFeatures,
    TorchFeatures,
    make_features,
)

LENGTHS = st.sampled_from([0, 1, 100, 159, 160, 199, 200, 201, 399, 400, 5_000, 16_000, 33_333])


def by_torch(mels: int) -> Features:
    pytest.importorskip("torch")
    return TorchFeatures(mels, "cpu")


MAKERS = pytest.mark.parametrize("make", [NumpyFeatures, by_torch])


def expected(samples: np.ndarray, mels: int, frames: int) -> np.ndarray:
    features = np.zeros((mels, frames), np.float32)
    heard = FeatureExtractor(feature_size=mels)(samples, padding=160)[:, :frames]
    features[:, : heard.shape[1]] = heard
    return features


@MAKERS
@pytest.mark.parametrize("mels", [80, 128])
@settings(max_examples=15)
@given(lengths=st.lists(LENGTHS, min_size=1, max_size=5), frames=st.sampled_from([100, 300, 3000]))
def test_they_are_those_of_faster_whisper(make, mels, lengths, frames):
    rng = np.random.default_rng(sum(lengths))
    batch = [
        rng.normal(0, 10.0 ** -rng.integers(0, 5), length).astype(np.float32) for length in lengths
    ]
    found = make(mels)(batch, frames)
    assert found.dtype == np.float32
    assert found.shape == (len(batch), mels, frames)
    for row, samples in zip(found, batch, strict=True):
        # Bands far below the loudest hold only what rounding left: once 3e-5 was seen there.
        np.testing.assert_allclose(row, expected(samples, mels, frames), atol=1e-4)


@MAKERS
def test_speech_and_silence_do_not_feel_each_other(make):
    batch = [
        np.frombuffer(clip.pcm, "<i2").astype(np.float32) / 32768 for clip in (SHORT, GERMAN)
    ] + [np.zeros(16_000, np.float32)]
    together = make(80)(batch, 800)
    for row, samples in zip(together, batch, strict=True):
        np.testing.assert_allclose(row, make(80)([samples], 800)[0], atol=1e-5)


def test_on_a_cpu_nothing_needs_torch_and_on_a_gpu_it_must_reach_it(monkeypatch):
    assert isinstance(make_features("auto", 80, Device("cpu")), NumpyFeatures)
    assert isinstance(make_features("numpy", 80, Device("cuda")), NumpyFeatures)
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert isinstance(make_features("auto", 80, Device("cuda")), NumpyFeatures)
    assert isinstance(make_features("torch", 80, Device("cpu")), TorchFeatures)
    with pytest.raises(RuntimeError, match="install one for CUDA"):
        make_features("torch", 80, Device("cuda"))
