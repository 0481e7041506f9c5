"""How much audio context a decode gets: only the audio, or Whisper's full 30 s.

Whisper's encoder was trained on 30 s, mostly padding for a command, and on a CPU that is most of
the cost. Some models take fewer frames without harm, others do not, so it is decided by model:
as the user forces it, as the model declares it, or else by evidence (`engine.evidence`).
Contexts come in steps that depend on the request alone: a request decoded in company gets the
context, and so the text, that it gets alone.
"""

import math
from dataclasses import dataclass

from wyoming_streamwhisper.core.kind import Kind

FULL = 30.0
FLOOR = 10.0
"""Below about a third of the full context, whisper.cpp's users saw stock models loop."""
_STEPS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, FULL)
# None of these is 1.6 s (80 mels) or 2.56 s (128 mels): CTranslate2 takes encoder output of as many
# positions as there are mels for features, and encodes it once more.
_BEHIND = 3.0
"""Padding behind the audio that is to be decoded to its end: where a model does not see that
nothing follows, it holds the last word back."""
_BEHIND_CHUNK = 0.5
"""The same behind a chunk of a file, which holds some of the pause that it ends in."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How short audio contexts may be, in seconds, and why."""

    partials: float
    """The shortest for a partial."""
    finals: float
    """The shortest for all whose text is kept."""
    why: str = ""
    """For people."""
    proven: bool = True
    """False where nobody said what the model stands, so that evidence may change the rule."""

    def shortest(self, kind: Kind) -> float:
        """Return the shortest context for a decode of this kind."""
        return self.partials if kind is Kind.PARTIAL else self.finals

    def __str__(self) -> str:
        if self.partials == self.finals:
            return {FULL: "full", 0.0: "short"}.get(self.finals, f"from {self.finals:g} s")
        return f"from {self.partials:g} s for partials, {self.finals:g} s for finals"


SHORT = Rule(0.0, 0.0)
CAREFUL = Rule(FLOOR, FULL, "nothing is known of this model", proven=False)
"""Short where a mistake is mended soon, full where it would stay."""


def choose_rule(chosen: str, declared: str) -> Rule:
    """Return the rule for an option (`auto`, `short`, `full`) and what a model says of itself."""
    shortest = {"short": 0.0, "full": FULL}
    if chosen != "auto":
        return Rule(shortest[chosen], shortest[chosen], "as chosen")
    if declared:
        return Rule(shortest[declared], shortest[declared], "as the model declares")
    return CAREFUL


def audio_context(kind: Kind, seconds: float, shortest: float) -> float:
    """Return the seconds of context for so many seconds of audio, at least the shortest."""
    if kind is Kind.BULK and not shortest:
        # Many wait together, so that fine steps find company too. Where the shortest is limited,
        # comparisons (`engine.trials`) must see what finals see.
        return min(math.ceil(2 * (seconds + _BEHIND_CHUNK)) / 2, FULL)
    needed = seconds if kind is Kind.PARTIAL else seconds + _BEHIND
    return next((step for step in _STEPS if step >= max(needed, shortest)), FULL)
