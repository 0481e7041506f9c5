"""What a client asks for in one utterance, and that it may be refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for in one utterance; empty values leave it to the profile."""

    satellite: str = ""
    """Who speaks; empty for somebody without a memory."""
    language: str = ""
    names: tuple[str, ...] = ()
    vad_sensitivity: str = ""
    partials: bool = True
    turn: float = 0.0
    """Seconds of silence that end the utterance in any case; 0 leaves that to the profile."""
    speech: bool = False
    """Tell also when speech begins."""
    temperature: float = 0.0
    """Of a recording: above 0 its text is sampled; speech is always decoded as best can be."""


class Refused(Exception):
    """An utterance cannot begin; `code` is one of docs/protocol.md."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
