"""What is peculiar to a peer's protocol, without a socket: one object for each utterance."""

from typing import Any, Protocol

from wyoming.event import Event

Message = dict[str, Any]


class Refused(Exception):
    """The server does not take this client; the text says why."""


class Dialect(Protocol):
    """Turns a peer's messages into Wyoming events."""

    @property
    def patience_s(self) -> float | None:
        """Seconds without news, behind the end of the audio, after which a client takes what it has
        for the answer; None where the server says when it has finished.
        """

    def path(self, language: str | None) -> str:
        """Return where the WebSocket is, behind host and port."""

    def hello(self, language: str | None) -> str | None:
        """Return what the client says first, if anything."""

    def is_ready(self, message: Message) -> bool:
        """Whether audio may be sent from this message on; raises Refused."""

    def ending(self) -> bytes | None:
        """Return what tells the server that no more audio comes, if anything does."""

    def ended(self) -> list[Event]:
        """Return what the end of the audio makes known: perhaps all is answered already."""

    def heard(self, message: Message) -> list[Event]:
        """Return what a message makes known."""

    def given_up(self) -> list[Event]:
        """Return the answer where `patience_s` is over."""
