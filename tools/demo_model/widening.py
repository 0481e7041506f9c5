"""Wider and deeper weights that compute what the given ones compute: cost models.

They write the demo model's texts at the cost of a real size. Every feature is repeated k times
(weights divided by k, heads repeated, LayerNorm unchanged because mean and variance are), and
layers whose outputs are zero are appended. Names and shapes are those of openai-whisper.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .sizes import Size

State = dict[str, NDArray[np.float32]]


def widened(state: State, k: int) -> State:
    """Repeat every feature k times; sums over inputs are divided by k, so activations repeat.

    Queries keep their head size: heads are repeated, and each computes what its original did.
    """
    out = {}
    for name, w in state.items():
        if name.endswith("conv1.weight"):
            out[name] = np.tile(w, (k, 1, 1))
        elif name.endswith("conv2.weight"):
            out[name] = np.tile(w, (k, k, 1)) / np.float32(k)
        elif "embedding" in name:
            out[name] = np.tile(w, (1, k))
        elif w.ndim == 2:
            out[name] = np.tile(w, (k, k)) / np.float32(k)
        else:
            out[name] = np.tile(w, k)
    # The output is tied to the embedding: its logits would be k times the original's.
    for name in ("decoder.ln.weight", "decoder.ln.bias"):
        out[name] = out[name] / np.float32(k)
    return out


def deepened(state: State, part: str, layers: int) -> State:
    """Append layers whose outputs are zero to the `encoder` or the `decoder`."""
    out = dict(state)
    numbers = {int(name.split(".")[2]) for name in state if name.startswith(f"{part}.blocks.")}
    last = max(numbers)
    template = {n: w for n, w in state.items() if n.startswith(f"{part}.blocks.{last}.")}
    for new in range(last + 1, layers):
        for name, w in template.items():
            silent = ".out." in name or ".mlp.2." in name
            copy = np.zeros_like(w) if silent else w
            out[name.replace(f".blocks.{last}.", f".blocks.{new}.")] = copy
    return out


def resized(state: State, size: Size) -> State:
    """Give the weights at the cost of `size`."""
    if size.widen > 1:
        state = widened(state, size.widen)
    state = deepened(state, "encoder", size.encoder_layers)
    return deepened(state, "decoder", size.decoder_layers)
