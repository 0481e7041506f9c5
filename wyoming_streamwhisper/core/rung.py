"""What is left out under load: the rungs of a ladder, each of which leaves out more.

None changes a final text: all of it follows from sample indices and free decodes, however often,
early or late they are asked for.
"""

from enum import IntEnum


class Rung(IntEnum):
    """How far up the ladder the load has driven us; a rung includes all below it."""

    ALL = 0
    """Nothing is left out."""
    LONGER_STEP = 1
    """Partials wait for more new speech."""
    NO_PARTIALS = 2
    """No words before the final."""
    NO_SPECULATION = 3
    """The final is begun when it is asked for, not in advance."""
    REFUSING = 4
    """No new utterances."""

    @property
    def label(self) -> str:
        """Its name for clients and in the log (docs/protocol.md)."""
        return self.name.lower().replace("_", "-")

    @property
    def stretch(self) -> int:
        """How many times longer the step between two partials is."""
        return 2 if self >= Rung.LONGER_STEP else 1

    @property
    def partials(self) -> bool:
        """Whether words are sent while they are spoken."""
        return self < Rung.NO_PARTIALS

    @property
    def speculation(self) -> bool:
        """Whether the final is computed in the silence, before anybody asks for it."""
        return self < Rung.NO_SPECULATION
