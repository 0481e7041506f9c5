"""How far words lag behind the voice, as simultaneous translation measures it."""

from collections.abc import Sequence


def length_adaptive_average_lagging(
    shown_s: Sequence[float], source_s: float, reference_words: int
) -> float:
    """Return LAAL in seconds: how far words come behind a voice that speaks them evenly.

    `shown_s` says for each word of the final when it was shown for good, in seconds since the voice
    began; `source_s` is the length of the speech. The mean runs up to the first word that comes
    after the end of the speech; words are expected source_s / max(words, reference words) apart.
    Times are those of the clock and so contain the computing ("computation aware").
    Raises ValueError without words or speech.

    Papi, Gaido, Negri, Turchi: Over-Generation Cannot Be Rewarded: Length-Adaptive Average Lagging
    for Simultaneous Speech Translation, AutoSimTrans 2022 (arXiv:2206.05807); first used by Polák
    et al. (arXiv:2204.06028); equal to `LAALScorer` of SimulEval 1.1 with `--computation-aware`.
    """
    if not shown_s or source_s <= 0:
        raise ValueError("no words or no speech")
    if shown_s[0] > source_s:
        return shown_s[0]
    apart = source_s / max(len(shown_s), reference_words)
    after = next((i for i, at in enumerate(shown_s) if at >= source_s), len(shown_s) - 1)
    counted = shown_s[: after + 1]
    return sum(at - i * apart for i, at in enumerate(counted)) / len(counted)
