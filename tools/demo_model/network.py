"""Whisper's network with the demo model's sizes; parameter names are those of openai-whisper."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .sizes import (
    AUDIO_CONTEXT,
    DECODER_LAYERS,
    ENCODER_LAYERS,
    HEADS,
    MELS,
    TEXT_CONTEXT,
    WIDTH,
)
from .sounds import SOUNDS

TIMESTAMPS = AUDIO_CONTEXT + 1
ALIGNMENT_HEADS = ((2, 0), (3, 0))  # (decoder layer, head) taught the next word's time
TRACKING_HEADS = ((0, 0), (1, 0))  # taught the last word's: the layers above go on from there
PLAIN_UP_TO = 256  # positions; on a CPU the fused attention pays only for longer ones


def sinusoids(length: int, channels: int) -> Tensor:
    """Give the encoder's fixed positions."""
    step = math.log(10000) / (channels // 2 - 1)
    angle = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(channels // 2))[None]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Attention(nn.Module):
    """Attention of one sequence to another (or to itself)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        source: Tensor,
        rows: Tensor | None = None,
        *,
        causal: bool = False,
        want_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Mix `source` for each position of `x`; the weights too where they are wanted.

        `rows` are the rows of `source` that the rows of `x` attend to, if there are fewer.
        """

        def split(t: Tensor) -> Tensor:
            return t.view(t.shape[0], t.shape[1], self.heads, -1).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(source)), split(self.value(source))
        if rows is not None:
            k, v = k[rows], v[rows]
        weights = None
        if want_weights:
            scale = math.sqrt(q.shape[-1])
            weights = (q @ k.transpose(-1, -2) / scale).float().softmax(-1)
            mixed = weights.to(v.dtype) @ v
        elif not causal and k.shape[2] <= PLAIN_UP_TO:
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            mixed = scores.softmax(-1) @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out(mixed.transpose(1, 2).flatten(2)), weights


class Block(nn.Module):
    """One layer of the encoder, or (with `cross`) of the decoder."""

    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.attn, self.attn_ln = Attention(width, heads), nn.LayerNorm(width)
        if cross:
            self.cross_attn, self.cross_attn_ln = Attention(width, heads), nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.mlp_ln = nn.LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        audio: Tensor | None = None,
        heard: Tensor | None = None,
        *,
        want_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Pass `x` on; a decoder's layer attends to `audio` too."""
        h = self.attn_ln(x)
        x = x + self.attn(h, h, causal=audio is not None)[0]
        weights = None
        if audio is not None:
            h = self.cross_attn_ln(x)
            mixed, weights = self.cross_attn(h, audio, heard, want_weights=want_weights)
            x = x + mixed
        return x + self.mlp(self.mlp_ln(x)), weights


class Encoder(nn.Module):
    """Features to what is heard."""

    positional_embedding: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(AUDIO_CONTEXT, WIDTH))
        self.blocks = nn.ModuleList(Block(WIDTH, HEADS, cross=False) for _ in range(ENCODER_LAYERS))
        self.ln_post = nn.LayerNorm(WIDTH)

    def forward(self, mel: Tensor, first: Tensor | None = None) -> Tensor:
        """Turn features [batch, 80, frames (even, up to 3000)] into [batch, frames / 2, width].

        `first` are the positions that the windows begin at; Whisper's always begin at 0.
        """
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        if first is None:
            x = x + self.positional_embedding[: x.shape[1]]
        else:
            steps = torch.arange(x.shape[1], device=x.device)
            x = x + self.positional_embedding[first[:, None] + steps]
        for block in self.blocks:
            x, _ = block(x)
        out: Tensor = self.ln_post(x)
        return out


class Decoder(nn.Module):
    """What is heard, and the tokens so far, to the logits of the next.

    The last token rows but one are the timestamps'.  They are no parameters of their own but a
    linear map of the encoder's positions, so that what is learnt about one time holds for all.
    """

    times: Tensor

    def __init__(self, rows: int) -> None:
        super().__init__()
        positions = torch.cat([sinusoids(TIMESTAMPS, WIDTH), torch.ones(TIMESTAMPS, 1)], dim=1)
        self.register_buffer("times", positions, persistent=False)
        self.stamp_map = nn.Parameter(torch.randn(WIDTH + 1, WIDTH) * 0.02 / math.sqrt(WIDTH))
        self.token_embedding = nn.Embedding(rows, WIDTH)
        self.positional_embedding = nn.Parameter(torch.randn(TEXT_CONTEXT, WIDTH) * 0.01)
        self.blocks = nn.ModuleList(Block(WIDTH, HEADS, cross=True) for _ in range(DECODER_LAYERS))
        self.ln = nn.LayerNorm(WIDTH)
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def forward(
        self,
        tokens: Tensor,
        audio: Tensor,
        heard: Tensor | None = None,
        *,
        want_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor]]:
        """Give the hidden states before the logits, and the guided heads' weights if wanted.

        `heard` are the rows of `audio` that the rows of tokens are written for, if they are not
        the same.  The tracking heads' weights come first, then the alignment heads'.
        """
        x = F.embedding(tokens, self.rows()) + self.positional_embedding[: tokens.shape[1]]
        aligned = []
        for i, block in enumerate(self.blocks):
            guided = (*TRACKING_HEADS, *ALIGNMENT_HEADS)
            heads = [h for layer, h in guided if layer == i] if want_weights else []
            x, weights = block(x, audio, heard, want_weights=bool(heads))
            aligned += [weights[:, h] for h in heads]
        return self.ln(x), aligned

    def rows(self) -> Tensor:
        """Give the token rows, the timestamps' made from the positions."""
        rows, stamps = self.token_embedding.weight, self.times @ self.stamp_map
        return torch.cat([rows[: -TIMESTAMPS - 1], stamps, rows[-1:]])

    def logits(self, hidden: Tensor) -> Tensor:
        """Give the logits of the trained rows."""
        return hidden @ self.rows().T

    @torch.no_grad()
    def fit_stamps(self, trusted: int) -> None:
        """Make the map from the first `trusted` timestamps' own rows, as another run left them."""
        goal = self.token_embedding.weight[-TIMESTAMPS - 1 : -1][:trusted].float()
        known = self.times[:trusted].float()
        ridge = 0.1 * torch.eye(known.shape[1])
        fitted = torch.linalg.solve(known.T @ known + ridge, known.T @ goal)
        self.stamp_map.copy_(fitted)


class Whisper(nn.Module):
    """`rows` token rows (see `vocabulary`).

    `sounds` and `place` are helpers, dropped at export: they read the phonemes and the position
    from what is heard.
    """

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder(rows)
        self.sounds = nn.Linear(WIDTH, len(SOUNDS) + 1)
        self.place = nn.Linear(WIDTH, WIDTH)
