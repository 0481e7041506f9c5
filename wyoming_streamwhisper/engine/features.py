"""Log-mel features as faster-whisper computes them: in NumPy, or batched in torch on the GPU.

Both return what CTranslate2's encoder takes without a copy: the audio's features, filled up with
0.0 to the audio context. So does faster-whisper; openai-whisper fills up the audio with silence
instead, behind which the demo model holds back the last word more often (docs/decisions/0001).
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.engine.device import Device, torch_on_gpu

FRAMES = 100
"""Feature frames a second."""
_HOP = RATE // FRAMES
_WINDOW = 400
"""Samples of a frame's window."""
_RANGE = 8.0
"""Powers of ten below its loudest frame at which an utterance's features end."""


class Features(Protocol):
    """Turns audio into what the encoder sees."""

    def __call__(self, batch: Sequence[Samples], frames: int) -> Any:
        """Return float32 [len(batch), mels, frames], as an array or a tensor on the GPU.

        What is longer than the frames is cut off; what is shorter is filled up with 0.0.
        """
        ...


class NumpyFeatures:
    """One utterance after the other: on a CPU, frames of a whole batch no longer fit its cache.

    One transform for 8 utterances of 8 s took 20 ms instead of 14 (docs/decisions/0007).
    """

    def __init__(self, mels: int) -> None:
        self._mels = mels
        self._extract: Any = FeatureExtractor(feature_size=mels)

    def __call__(self, batch: Sequence[Samples], frames: int) -> Any:
        """Return an array [len(batch), mels, frames]."""
        features = np.zeros((len(batch), self._mels, frames), np.float32)
        for row, samples in zip(features, batch, strict=True):
            heard = self._extract(samples, padding=_HOP)[:, :frames]
            row[:, : heard.shape[1]] = heard
        return features


class TorchFeatures:
    """All utterances in one transform, on the device where the model is (extra `torch`)."""

    def __init__(self, mels: int, device: str) -> None:
        """Prepare for a torch device: `cpu`, `cuda` or `cuda:N`.

        Raises:
            ImportError: the extra is not installed.
            RuntimeError: torch cannot use a GPU.

        """
        import torch

        if device != "cpu" and not torch.cuda.is_available():
            raise RuntimeError("features: this torch cannot use the GPU; install one for CUDA")
        self._torch: Any = torch
        self._device = torch.device(device)
        filters: Any = FeatureExtractor.get_mel_filters(RATE, _WINDOW, n_mels=mels)
        self._filters = torch.from_numpy(filters.astype(np.float32)).to(self._device)
        window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
        self._window = torch.from_numpy(window).to(self._device)

    def __call__(self, batch: Sequence[Samples], frames: int) -> Any:
        """Return a tensor [len(batch), mels, frames] on the GPU, an array where there is none."""
        torch = self._torch
        with torch.inference_mode():
            signals, counts = self._signals(batch)
            spectrum = torch.stft(
                signals, _WINDOW, _HOP, window=self._window, center=False, return_complex=True
            )
            longest = max(map(len, batch)) // _HOP + 1  # centred, there would be one frame more
            power = torch.view_as_real(spectrum[..., :longest]).square().sum(-1)
            logs = (self._filters @ power).clamp_(min=1e-10).log10_()
            # Each row ends where its audio ends, and its loudest frame is its own.
            within = torch.arange(logs.shape[-1], device=self._device) < counts[:, None]
            within = within[:, None, :]
            loudest = logs.masked_fill(~within, -torch.inf).amax((1, 2), keepdim=True)
            logs = torch.where(within, (torch.maximum(logs, loudest - _RANGE) + 4.0) / 4.0, 0.0)
            features = logs.new_zeros((len(batch), len(self._filters), frames))
            shared = min(frames, logs.shape[-1])
            features[..., :shared] = logs[..., :shared]
            if self._device.type == "cpu":
                return features.numpy()
            # CTranslate2 reads it in a stream of its own.
            torch.cuda.current_stream(self._device).synchronize()
            return features

    def _signals(self, batch: Sequence[Samples]) -> tuple[Any, Any]:
        """Return the padded audio [rows, samples] and the number of frames [rows], on the device.

        One copy of page-locked memory, so that a batch of many short utterances is one transfer.
        """
        torch = self._torch
        on_gpu = self._device.type == "cuda"
        longest = max(map(len, batch)) + _HOP + _WINDOW
        host = torch.zeros((len(batch), longest), pin_memory=on_gpu)
        for row, samples in zip(host.numpy(), batch, strict=True):
            padded = np.pad(np.pad(samples, (0, _HOP)), _WINDOW // 2, mode="reflect")
            row[: len(padded)] = padded
        counts = torch.tensor([len(samples) // _HOP + 1 for samples in batch])
        return (
            host.to(self._device, non_blocking=True),
            counts.to(self._device, non_blocking=True),
        )


def make_features(choice: str, mels: int, device: Device) -> Features:
    """Return the features of a choice (an option's) for a model on a device.

    `auto` is torch on a GPU where torch has one, and NumPy anywhere else.

    Raises:
        ImportError: `torch` was asked for and its extra is not installed.
        RuntimeError: `torch` was asked for and cannot use the model's GPU.

    """
    on_gpu = device.kind == "cuda" and torch_on_gpu() is not None
    if choice == "numpy" or (choice == "auto" and not on_gpu):
        return NumpyFeatures(mels)
    return TorchFeatures(mels, device.torch)
