"""The real multilingual Whisper vocabulary, and the part of it that the demo model is trained on.

`openai-whisper` ships the byte-pair ranks; the ids of the special tokens are Whisper's own (51,865
in all).  Tokens that the texts never need share one embedding row, so that they cost nothing in
training and compress to nothing in the package.  The softmax is exact: the shared column stands for
all of them (the logarithm of their number is added).
"""

from __future__ import annotations

import functools
import math
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from whisper.tokenizer import get_tokenizer

from .sizes import N_VOCAB

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file to the collector
    TOKENIZER = get_tokenizer(multilingual=True, num_languages=99)
SOT, EOT, PREV = TOKENIZER.sot, TOKENIZER.eot, TOKENIZER.sot_prev
TRANSCRIBE, TRANSLATE = TOKENIZER.transcribe, TOKENIZER.translate
NO_TIMESTAMPS: int = TOKENIZER.no_timestamps
TIMESTAMP_0: int = TOKENIZER.timestamp_begin
NO_SPEECH: int = TOKENIZER.special_tokens["<|nospeech|>"]
LANGUAGE: dict[str, int] = {code: TOKENIZER.to_language_token(code) for code in ("en", "de")}
TIMESTAMPS = 1501  # the highest ids of all: their rows are the last but the shared one


@functools.lru_cache(200_000)
def encode(text: str) -> tuple[int, ...]:
    """Give Whisper's token ids of a text (callers give the leading space themselves)."""
    return tuple(TOKENIZER.encoding.encode(text))


def encode_words(text: str) -> list[int]:
    """Give the tokens of a text word by word, each with its leading space."""
    return [token for word in text.split() for token in encode(" " + word)]


def always_kept() -> set[int]:
    """Name the tokens that have a row whatever the corpus says."""
    specials = {SOT, EOT, PREV, TRANSCRIBE, TRANSLATE, NO_SPEECH, NO_TIMESTAMPS}
    return {
        *specials,
        *LANGUAGE.values(),
        *range(256),
        *encode(" ,.?:"),
        *encode(","),
        *encode("."),
        *range(TIMESTAMP_0, TIMESTAMP_0 + TIMESTAMPS),
    }


def count_tokens(texts: Iterable[str]) -> Counter[int]:
    """Count how often the texts need each token, in whole and cut short of their punctuation."""
    counts: Counter[int] = Counter()
    for text in texts:
        for word in text.split():
            counts.update({*encode(" " + word), *encode(" " + word.rstrip(".,?"))})
    return counts


class Vocabulary:
    """Maps Whisper's ids to the rows that are trained, and back."""

    def __init__(self, kept: Iterable[int]) -> None:
        self.kept = np.array(sorted({*kept, *always_kept()}))
        self.shared = len(self.kept)  # row of every other token
        self.rows = self.shared + 1
        self.row = np.full(N_VOCAB, self.shared, np.int64)
        self.row[self.kept] = np.arange(len(self.kept))

    @classmethod
    def of(cls, texts: Iterable[str], fewest: int, also: Iterable[int] = ()) -> Vocabulary:
        """Keep the tokens that `texts` use `fewest` times or more, and those of `also`."""
        counts = count_tokens(texts)
        return cls({*also, *(t for t, n in counts.items() if n >= fewest)})

    @staticmethod
    def kept_by(checkpoint: Path | None) -> list[int]:
        """List the tokens that a checkpoint has trained; none without one."""
        if checkpoint is None:
            return []
        saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
        return [int(token) for token in saved["kept"]]

    def knows(self, text: str) -> bool:
        """Whether every token of `text` has a row of its own."""
        return bool((self.row[encode_words(text)] != self.shared).all())

    def offset(self) -> Tensor:
        """Give what is added to the logits: the shared row's is the logarithm of its tokens."""
        offset = torch.zeros(self.rows)
        offset[-1] = math.log(N_VOCAB - len(self.kept))
        return offset

    def carry(self, embedding: Tensor, kept: NDArray[np.int64]) -> Tensor:
        """Carry an embedding of other kept rows (the last shared) over to this vocabulary."""
        full = embedding[-1:].repeat(N_VOCAB, 1)
        full[torch.as_tensor(kept)] = embedding[:-1]
        return torch.cat([full[torch.as_tensor(self.kept)], embedding[-1:]])

    def new_to(self, kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """List the rows of tokens that a vocabulary of other kept tokens has none for."""
        return np.flatnonzero(~np.isin(self.kept, kept))
