"""What a decode is for; how urgent it is, and how much care it gets, follows from that."""

from enum import IntEnum


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
