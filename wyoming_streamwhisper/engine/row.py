"""One request of a batch on its way through the model: what is known of it after each stage."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wyoming_streamwhisper.core.words import Word
from wyoming_streamwhisper.engine.api import Request
from wyoming_streamwhisper.engine.tokens import Unicode, split_words

_POSITION = 0.02
"""Seconds an encoder position stands for."""


@dataclass(slots=True)
class Row:
    """A request on its way through the stages."""

    request: Request
    prompt: list[int]
    language: str = ""
    probability: float = 1.0
    tokens: Sequence[int] = ()
    """New tokens, without the forced prefix."""
    cut_off: bool = False
    logprob: float = 0.0
    no_speech: float = 0.0
    times: Sequence[float] = ()
    """Where each new token begins, and at last where the text ends, in seconds."""
    probabilities: Sequence[float] = ()

    def align(self, alignment: Any) -> None:
        """Take over from pairs (token, position) where each new token begins."""
        first: dict[int, int] = {}
        for token, position in alignment.alignments:
            first.setdefault(token, position)
        forced = len(self.request.prefix)
        last = self.request.seconds
        times = [
            first[i] * _POSITION if i in first else last
            for i in range(forced, forced + len(self.tokens) + 1)
        ]
        self.times = [min(time, last) for time in times]
        self.probabilities = list(alignment.text_token_probs[forced:])

    @property
    def end(self) -> float:
        """Probability of the end of the text: what the score of all tokens leaves for it.

        CTranslate2 tells the probabilities of the text's tokens, but of the end only the sum.
        """
        heard = sum(math.log(max(chance, 1e-9)) for chance in self.probabilities)
        return math.exp(min(self.logprob * (len(self.tokens) + 1) - heard, 0.0))

    def words(self, tokenizer: Unicode) -> Iterator[Word]:
        """Yield the words of the new tokens; without times each may be anywhere in the audio."""
        at = 0
        for text, tokens in split_words(self.tokens, tokenizer):
            after = at + len(tokens)
            start = self.times[at] if self.times else 0.0
            end = self.times[after] if self.times else self.request.seconds
            chances = self.probabilities[at:after] or [math.exp(min(self.logprob, 0.0))]
            yield Word(text, start, end, min(chances), tokens)
            at = after


def choose_language(scores: dict[str, float], request: Request) -> tuple[str, float]:
    """Return the most probable of the languages that may be, and its share among them."""
    candidates = {code: scores.get(code, 0.0) for code in request.languages or scores}
    if request.likely:
        likely = dict(request.likely)
        share = (1 - sum(likely.values())) / len(candidates)
        candidates = {
            code: score * (likely.get(code, 0.0) + share) for code, score in candidates.items()
        }
    best = max(candidates, key=lambda code: candidates[code])
    total = sum(candidates.values())
    return best, candidates[best] / total if total > 0 else 0.0
