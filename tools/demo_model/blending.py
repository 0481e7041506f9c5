"""The mean of two runs' weights, the later of which began from the earlier.

It often keeps what the earlier did well and most of what the later learnt (Wortsman et al., "Robust
fine-tuning of zero-shot models", https://arxiv.org/abs/2109.01903).
"""

from __future__ import annotations

from pathlib import Path

import torch

from .vocabulary import Vocabulary
from .weights import EMBEDDING


def blend(earlier: Path, later: Path, share: float, out: Path) -> None:
    """Write a checkpoint with `share` of the later one's weights.

    Helpers, and the rows of tokens that the earlier one does not know, are the later one's own.
    """
    first = torch.load(earlier, map_location="cpu", weights_only=False)
    last = torch.load(later, map_location="cpu", weights_only=False)
    vocabulary = Vocabulary(last["kept"])
    before = {name: w.float() for name, w in first["mean"].items()}
    after = {name: w.float() for name, w in last["mean"].items()}
    before[EMBEDDING] = vocabulary.carry(before[EMBEDDING], first["kept"])
    new = vocabulary.new_to(first["kept"])
    before[EMBEDDING][new] = after[EMBEDDING][new]
    mean = {name: w.lerp(after[name], share) for name, w in before.items() if name in after}
    half = {name: w.half() for name, w in (after | mean).items()}
    torch.save({"mean": half, "kept": last["kept"]}, out)
