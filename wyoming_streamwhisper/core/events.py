"""What an utterance tells: its text as it comes, its end, and what audio is done with.

Every room and every door speaks in these; `Closed` alone stays within `session`.
"""

from dataclasses import dataclass

from wyoming_streamwhisper.core.words import Word


@dataclass(frozen=True, slots=True)
class Speech:
    """Somebody has begun to speak; told only where it was asked for."""

    start: float
    """Seconds from the begin of the utterance."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The text so far; within one revision it only grows."""

    text: str
    revision: int
    tail: str = ""
    """What the last decode heard behind it, and may take back; begins with a space where one
    belongs."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The samples from `start` up to `end` are done with; silence has no text."""

    start: int
    end: int
    text: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Final:
    """The text of the utterance; nothing comes behind it."""

    text: str
    revision: int
    language: str
    language_probability: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no text; nothing comes behind it."""

    code: str
    """One of docs/protocol.md."""
    message: str
    """A sentence for people."""


Event = Speech | Partial | Closed | Final | Failed
