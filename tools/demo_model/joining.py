"""A decoder and an encoder that has learnt anew, joined: what one wants in terms of what one gives.

While the encoder alone learns, the decoder goes on expecting what it gave before.  Most of that is
a linear map of what it gives now, and cross-attention begins with linear maps: theirs take it in.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from .network import Block, Decoder, Encoder
from .sizes import WIDTH

RIDGE = 1e-3  # of the mean square, so that what hardly varies is not blown up


@torch.no_grad()
def fit(before: Encoder, now: Encoder, windows: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Fit what `before` gives from what `now` gives: weights [width + 1, width], the bias last.

    `windows` are features and first positions, as the encoder takes them.
    """
    gram = torch.zeros(WIDTH + 1, WIDTH + 1, dtype=torch.float64)
    cross = torch.zeros(WIDTH + 1, WIDTH, dtype=torch.float64)
    for mel, first in windows:
        wanted = before(mel, first).flatten(0, 1).double().cpu()
        given = now(mel, first).flatten(0, 1).double().cpu()
        given = torch.cat([given, torch.ones(len(given), 1, dtype=torch.float64)], dim=1)
        gram += given.T @ given
        cross += given.T @ wanted
    ridge = RIDGE * gram.diagonal().mean() * torch.eye(WIDTH + 1, dtype=torch.float64)
    fitted: Tensor = torch.linalg.solve(gram + ridge, cross).float()
    return fitted


@torch.no_grad()
def join(decoder: Decoder, fitted: Tensor) -> None:
    """Make the decoder attend to the new encoder as it did to the one before.

    A key's bias adds the same to every score, so only the values keep theirs.
    """
    weights = fitted.to(next(decoder.parameters()).device)
    for block in decoder.blocks:
        assert isinstance(block, Block)
        cross = block.cross_attn
        cross.value.bias.add_(weights[WIDTH] @ cross.value.weight.T)
        for part in (cross.key, cross.value):
            part.weight.copy_(part.weight @ weights[:WIDTH].T)
