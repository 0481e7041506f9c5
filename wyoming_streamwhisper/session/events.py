"""What a listener to an utterance is told, whatever the protocol behind it."""

from dataclasses import dataclass


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
    """What may follow it and may be taken back, for people who look on; begins with a space where
    one belongs."""


@dataclass(frozen=True, slots=True)
class Final:
    """The text of the utterance; the last event."""

    text: str
    revision: int
    language: str
    language_probability: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no text, as a code of docs/protocol.md and a sentence; the last event."""

    code: str
    message: str


Event = Speech | Partial | Final | Failed


class Refused(Exception):
    """An utterance cannot begin; `code` is one of docs/protocol.md."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
