"""A checkpoint's weights as openai-whisper's state dict, and the file that it loads."""

from __future__ import annotations

from pathlib import Path

import torch

from .network import sinusoids
from .sizes import AUDIO_CONTEXT, N_VOCAB, WIDTH, Size
from .widening import State

EXPORTED = ("encoder.", "decoder.")  # the rest helps in training alone
EMBEDDING, STAMP_MAP = "decoder.token_embedding.weight", "decoder.stamp_map"


def full_state(checkpoint: Path) -> State:
    """Give the averaged weights with all 51,865 token rows."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    state = {k: v.float() for k, v in saved["mean"].items() if k.startswith(EXPORTED)}
    state.pop(STAMP_MAP, None)
    rows = state[EMBEDDING]
    embedding = rows[-1:].repeat(N_VOCAB, 1)
    embedding[torch.as_tensor(saved["kept"])] = rows[:-1]
    state[EMBEDDING] = embedding
    state["encoder.positional_embedding"] = sinusoids(AUDIO_CONTEXT, WIDTH)
    return {name: w.numpy() for name, w in state.items()}


def tensors(state: State) -> dict[str, torch.Tensor]:
    """Give the same weights to torch."""
    return {name: torch.from_numpy(w) for name, w in state.items()}


def write_openai(state: State, size: Size, path: Path) -> None:
    """Write the file that `whisper.load_model` loads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"dims": size.dims(), "model_state_dict": tensors(state)}, path)
