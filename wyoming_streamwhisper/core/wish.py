"""What an utterance asks for: decode this stretch, for this purpose."""

from dataclasses import dataclass, field

from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt


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
