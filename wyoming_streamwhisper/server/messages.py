"""What a peer's event means, checked: behind this file nobody doubts a value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wyoming.event import Event

from wyoming_streamwhisper.core.audio import AudioFormat, AudioFormatError

_LONGEST_TEXT = 256
"""Characters of a name, code or identity."""
_MOST_NAMES = 1000
_SENSITIVITIES = ("", "default", "relaxed", "aggressive")

T = TypeVar("T")


class Invalid(Exception):
    """An event does not say what it must; `code` is one of docs/protocol.md."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Transcribe:
    """A request for the next utterance; empty values say nothing."""

    model: str = ""
    language: str = ""
    vad_sensitivity: str = ""
    names: tuple[str, ...] = ()
    """Names first, then terms, as they shall be preferred."""
    context: dict[str, Any] = field(default_factory=dict)
    """The client's own, to be given back with the transcript."""

    @property
    def satellite(self) -> str:
        """Who speaks, if the client says it."""
        return str(self.context.get("satellite_id") or "")

    @property
    def partials(self) -> bool:
        """Whether the client wants words while they are spoken."""
        return self.context.get("partials") is not False


def read_transcribe(event: Event) -> Transcribe:
    """Read a `transcribe` event.

    Raises:
        Invalid: a value has the wrong type or is too long.

    """
    nobody: tuple[str, ...] = ()
    names = _get(event, "transcript_names", _names, nobody)
    terms = _get(event, "transcript_terms", _names, nobody)
    sensitivity = _get(event, "vad_sensitivity", _text, "")
    return Transcribe(
        model=_get(event, "name", _text, ""),
        language=_get(event, "language", _text, ""),
        # The protocol allows any word here; those that mean nothing to us change nothing.
        vad_sensitivity=sensitivity if sensitivity in _SENSITIVITIES else "",
        names=(*names, *terms),
        context=_get(event, "context", _context, {}),
    )


def read_format(event: Event, told: AudioFormat | None = None) -> AudioFormat:
    """Read the audio format of `audio-start` or `audio-chunk`.

    What a chunk leaves out was `told` at its start.

    Raises:
        Invalid: it is missing or none that can be heard.

    """
    said = {key: event.data.get(key) for key in ("rate", "width", "channels")}
    if told is not None:
        said = {key: getattr(told, key) if v is None else v for key, v in said.items()}
    try:
        return AudioFormat(**said)  # type: ignore[arg-type]  # checked there
    except AudioFormatError as error:
        low, high = error.allowed
        # The value itself is left out: it may be anything, of any length.
        text = f"{event.type}: {error.field} is no whole number from {low} to {high}"
        raise Invalid("bad-audio-format", text) from error


def read_name(event: Event) -> str:
    """Read the name in `select-program`.

    Raises:
        Invalid: there is none.

    """
    name = _get(event, "name", _text, "")
    if not name:
        raise Invalid("bad-event", f"{event.type}: name is missing")
    return name


def read_ping(event: Event) -> str | None:
    """Read the text of a `ping`, which `pong` repeats.

    Raises:
        Invalid: it is no text.

    """
    return _get(event, "text", _text, "") or None


def _get(event: Event, key: str, read: Callable[[Any], T], default: T) -> T:
    value = event.data.get(key)
    if value is None:
        return default
    try:
        return read(value)
    except ValueError as error:
        raise Invalid("bad-event", f"{event.type}: {key} {error}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text")
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"has more than {_LONGEST_TEXT} characters")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("is no list")
    if len(value) > _MOST_NAMES:
        raise ValueError(f"has more than {_MOST_NAMES} entries")
    return tuple(_text(name) for name in value)


def _context(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("is no object")
    satellite = value.get("satellite_id")
    # Connections without a name are called `#1` and so on, and nobody may speak for them; and it
    # stands in log lines.
    if satellite is not None and (_text(satellite)[:1] == "#" or not satellite.isprintable()):
        raise ValueError("has a satellite_id that begins with # or cannot be printed")
    return value
