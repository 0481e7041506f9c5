"""When a word is sure: how many words of a hypothesis can be sent while the speech goes on.

AlignAtt: a word is sure once the audio that it is aligned to ends well before the end of all audio
(Papi et al., "AlignAtt", 2023, arXiv 2305.11408; for Whisper: Macháček and Polák, SimulStreaming).
CTranslate2 gives no attention while it generates, so the times come from its `align` afterwards;
greedy decoding makes that the same as stopping there.

LocalAgreement: a word is sure once two successive decodes agree on it and on all before it
(Liu et al., 2020; Macháček et al., "Turning Whisper into Real-Time", 2023, arXiv 2307.14743).
"""

from collections.abc import Sequence
from typing import Protocol

from wyoming_streamwhisper.core.words import Word, agreed, whole


class Policy(Protocol):
    """Says how many of the words are sure."""

    def sure(self, words: Sequence[Word], previous: Sequence[Word], end: float) -> int:
        """Return how many words at the begin of a hypothesis are sure.

        `previous` are those of the decode before, `end` is the end of the audio in seconds.
        """
        ...


class AlignAtt:
    """Trusts words that end at least `guard` seconds before the end of the audio."""

    def __init__(self, guard: float) -> None:
        self.guard = guard

    def sure(self, words: Sequence[Word], previous: Sequence[Word], end: float) -> int:
        """Count words up to the first that ends within the guard."""
        count = 0
        for word in words:
            if word.end > end - self.guard:
                break
            count += 1
        return whole(words, count)


class LocalAgreement:
    """Trusts words on which the last two decodes agree."""

    def sure(self, words: Sequence[Word], previous: Sequence[Word], end: float) -> int:
        """Count words up to the first that differs."""
        return whole(words, agreed(words, previous))


class Both:
    """Trusts words for which AlignAtt and LocalAgreement both speak."""

    def __init__(self, guard: float) -> None:
        self._policies = (AlignAtt(guard), LocalAgreement())

    def sure(self, words: Sequence[Word], previous: Sequence[Word], end: float) -> int:
        """Count words that every policy finds sure."""
        return min(policy.sure(words, previous, end) for policy in self._policies)


def make_policy(name: str, guard: float) -> Policy:
    """Return the policy of this name (an option's choice) with its guard in seconds."""
    match name:
        case "alignatt":
            return AlignAtt(guard)
        case "local_agreement":
            return LocalAgreement()
        case _:
            return Both(guard)
