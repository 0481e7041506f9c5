"""Whisper's features."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor
from whisper.audio import mel_filters

HOP = 160


@functools.cache
def _filters(warp: float) -> Tensor:
    """Give the mel filters, those of a vocal tract `warp` times as long."""
    filters: Tensor = mel_filters(torch.device("cpu"), 80).clone()
    if warp == 1:
        return filters
    bins = np.arange(filters.shape[1])
    source = np.clip(bins * warp, 0, bins[-1])
    rows = [np.interp(source, bins, row) for row in filters.numpy()]
    return torch.tensor(np.stack(rows), dtype=torch.float32)


def log_mel(audio: Tensor, warp: float = 1.0) -> Tensor:
    """Whisper's features: audio [batch, samples] to [batch, 80, samples / 160]."""
    window = torch.hann_window(400)
    power = torch.stft(audio, 400, HOP, window=window, return_complex=True)[..., :-1].abs() ** 2
    log = torch.clamp(_filters(warp) @ power, min=1e-10).log10()
    log = torch.maximum(log, log.amax((1, 2), keepdim=True) - 8)
    out: Tensor = (log + 4) / 4
    return out
