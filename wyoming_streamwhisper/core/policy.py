"""When a word is sure: how many words of a hypothesis can be sent while the speech goes on.

AlignAtt: a word is sure once the audio that it is aligned to ends well before the end of all audio
(Papi et al., "AlignAtt", 2023, arXiv 2305.11408; for Whisper: Macháček and Polák, SimulStreaming).
CTranslate2 gives no attention while it generates, so the times come from its `align` afterwards;
greedy decoding makes that the same as stopping there.

LocalAgreement: a word is sure once two successive decodes agree on it and on all before it
(Liu et al., 2020; Macháček et al., "Turning Whisper into Real-Time", 2023, arXiv 2307.14743).

Either lets a guess pass that the model itself doubts, so each decode also counts as evidence: a
word is sure once it is improbable that every decode in a row that heard it was wrong. A word that
the model doubts (a name, say) needs more decodes, but none waits for ever (docs/decisions/0002).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wyoming_streamwhisper.core.words import Word, agreed, whole

_LEAST_DOUBT = 1e-4
"""No single decode is believed more than this; 8-bit arithmetic rounds such doubts to nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A word of a hypothesis, with what the decodes before it said."""

    word: Word
    times: int
    """Decodes in a row that heard it at this place, behind the same words."""
    doubt: float
    """Probability that all of them were wrong, were they independent."""


def weigh(words: Sequence[Word], before: Sequence[Heard]) -> list[Heard]:
    """Add a hypothesis to the evidence; what it does not confirm begins anew."""
    again = agreed(words, [heard.word for heard in before])
    return [
        Heard(
            word,
            before[i].times + 1 if i < again else 1,
            max(1 - word.probability, _LEAST_DOUBT) * (before[i].doubt if i < again else 1.0),
        )
        for i, word in enumerate(words)
    ]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a word has to show to be sent."""

    guard: float
    """Seconds before the end of the audio at which it must end."""
    times: int
    """Decodes in a row that must have heard it."""
    doubt: float
    """The most of its doubt."""

    def sure(self, words: Sequence[Heard], end: float) -> int:
        """Return how many words are sure, in audio that ends at so many seconds."""
        count = 0
        for heard in words:
            late = heard.word.end > end - self.guard
            if late or heard.times < self.times or heard.doubt > self.doubt:
                break
            count += 1
        return whole([heard.word for heard in words], count)


def make_policy(name: str, guard: float, doubt: float) -> Policy:
    """Return the policy of this name (an option's choice)."""
    match name:
        case "alignatt":
            return Policy(guard, 1, doubt)
        case "local_agreement":
            return Policy(0.0, 2, doubt)
        case _:
            return Policy(guard, 2, doubt)
