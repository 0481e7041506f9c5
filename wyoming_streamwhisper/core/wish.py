"""What an utterance asks for: decode this stretch, for this purpose."""

from dataclasses import dataclass, field
from enum import IntEnum

from wyoming_streamwhisper.core.prompt import Prompt


class Kind(IntEnum):
    """What a decode is for, in order of urgency."""

    FINAL = 0
    """The client waits for it."""
    SPECULATIVE = 1
    """The final, if nobody speaks on."""
    PIECE = 2
    """A piece of a long utterance is to be closed."""
    PARTIAL = 3
    """The next words, while they are spoken."""
    BULK = 4
    """A part of a file: whenever there is time."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A decode of the samples from `start` up to `end` of the utterance."""

    number: int
    """Counts the wishes of one utterance."""
    kind: Kind
    start: int
    end: int
    prompt: Prompt = field(default_factory=Prompt)
    prefix: tuple[int, ...] = ()
    """Tokens that the text begins with, come what may."""
    language: str = ""
    """Language found in earlier pieces; empty where it is still to be found."""
    timed: bool = True
    """Whether the times of the words are needed."""
