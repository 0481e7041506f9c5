"""What an utterance says of itself: its text as it comes, its end, and what it asks for."""

from dataclasses import dataclass

from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.core.words import Word


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody speaks from the sample `start` on; told only where it was asked for."""

    start: int


@dataclass(frozen=True, slots=True)
class Words:
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
class Finished:
    """The final text. Nothing comes behind it."""

    text: str
    revision: int
    language: str
    language_probability: float


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no final text. Nothing comes behind it."""

    code: str
    message: str


Event = Began | Words | Closed | Finished | Failed


@dataclass(frozen=True, slots=True)
class Effects:
    """What an input led to."""

    wishes: tuple[Wish, ...] = ()
    urgent: tuple[int, ...] = ()
    """Numbers of earlier wishes that have become the final."""
    withdrawn: tuple[int, ...] = ()
    """Numbers of earlier wishes that nobody waits for any more."""
    events: tuple[Event, ...] = ()
