"""A checkpoint's weights as openai-whisper's state dict, and wider and deeper ones that equal it.

The wider and deeper ones are cost models: they compute the demo model's texts at the cost of a real
size.  Every feature is repeated k times (weights divided by k, heads repeated, LayerNorm unchanged
because mean and variance are), and layers whose outputs are zero are appended.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .network import (
    AUDIO_CONTEXT,
    DECODER_LAYERS,
    ENCODER_LAYERS,
    HEADS,
    MELS,
    TEXT_CONTEXT,
    WIDTH,
    sinusoids,
)
from .vocabulary import N_VOCAB

State = dict[str, Tensor]
HELPERS = {"letters.weight", "letters.bias", "decoder.stamp_map"}  # of the training alone
EMBEDDING = "decoder.token_embedding.weight"


@dataclass(frozen=True, slots=True)
class Size:
    """What an exported model costs: times as wide, and how many layers."""

    widen: int = 1
    encoder_layers: int = ENCODER_LAYERS
    decoder_layers: int = DECODER_LAYERS

    @property
    def width(self) -> int:
        """Features of a position."""
        return WIDTH * self.widen

    @property
    def heads(self) -> int:
        """Attention heads of a layer."""
        return HEADS * self.widen

    def dims(self) -> dict[str, int]:
        """Give openai-whisper's ModelDimensions."""
        return {
            "n_mels": MELS,
            "n_audio_ctx": AUDIO_CONTEXT,
            "n_audio_state": self.width,
            "n_audio_head": self.heads,
            "n_audio_layer": self.encoder_layers,
            "n_vocab": N_VOCAB,
            "n_text_ctx": TEXT_CONTEXT,
            "n_text_state": self.width,
            "n_text_head": self.heads,
            "n_text_layer": self.decoder_layers,
        }


SIZES = {
    "demo": Size(),
    "base": Size(2, 6, 6),
    "small": Size(3, 12, 12),
    "turbo": Size(5, 32, 4),
}


def full_state(checkpoint: Path) -> State:
    """Give the averaged weights with all 51,865 token rows."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    state = {k: v.float() for k, v in saved["mean"].items() if k not in HELPERS}
    rows = state[EMBEDDING]
    embedding = rows[-1:].repeat(N_VOCAB, 1)
    embedding[torch.as_tensor(saved["kept"])] = rows[:-1]
    state[EMBEDDING] = embedding
    state["encoder.positional_embedding"] = sinusoids(AUDIO_CONTEXT, WIDTH)
    return state


def widened(state: State, k: int) -> State:
    """Repeat every feature k times; sums over inputs are divided by k, so activations repeat.

    Queries keep their head size: heads are repeated, and each computes what its original did.
    """
    out = {}
    for name, w in state.items():
        if name.endswith("conv1.weight"):
            out[name] = w.repeat(k, 1, 1)
        elif name.endswith("conv2.weight"):
            out[name] = w.repeat(k, k, 1) / k
        elif "embedding" in name:
            out[name] = w.repeat(1, k)
        elif w.dim() == 2:
            out[name] = w.repeat(k, k) / k
        else:
            out[name] = w.repeat(k)
    # The output is tied to the embedding: its logits would be k times the original's.
    for name in ("decoder.ln.weight", "decoder.ln.bias"):
        out[name] = out[name] / k
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
            copy = torch.zeros_like(w) if silent else w.clone()
            out[name.replace(f".blocks.{last}.", f".blocks.{new}.")] = copy
    return out


def resized(state: State, size: Size) -> State:
    """Give the weights at the cost of `size`."""
    if size.widen > 1:
        state = widened(state, size.widen)
    state = deepened(state, "encoder", size.encoder_layers)
    return deepened(state, "decoder", size.decoder_layers)
