"""What a person or a program sees of the conversations: drawn in place, plain lines, or JSON."""

import json
import sys
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from wyoming_streamwhisper.client.record import Conversation

COLOURS = ("blue", "yellow", "green", "magenta", "cyan", "red")
"""The first two are the two-source example: microphone and system sound."""


class Screen:
    """Shows conversations; this one shows nothing but failures, on stderr."""

    def __enter__(self) -> Self:
        """Begin to draw."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave what was drawn."""

    def begins(self, name: str) -> None:
        """Take in that the source `name` begins to speak."""

    def heard(self, name: str, record: Conversation) -> None:
        """Take in that an event came for the source `name`."""

    def done(self, name: str, record: Conversation) -> None:
        """Take in that the utterance of `name` is over."""
        if record.failure is not None:
            reason = record.failure.text.rstrip(".")
            print(f"{name}: {reason} ({record.failure.code}).", file=sys.stderr, flush=True)


class Json(Screen):
    """One JSON object per utterance and nothing else on stdout."""

    def done(self, name: str, record: Conversation) -> None:
        """Print the object; its failure goes to stderr too."""
        super().done(name, record)
        print(json.dumps(as_dict(name, record), ensure_ascii=False), flush=True)


class Plain(Screen):
    """One line per utterance; verbose adds a line for every chunk."""

    def __init__(self, verbose: bool = False) -> None:
        self._verbose = verbose

    def heard(self, name: str, record: Conversation) -> None:
        """Print the chunk with the seconds since the audio began."""
        last = record.received[-1]
        if self._verbose and last.event.type.startswith("transcript"):
            text = last.event.data.get("text", "") if last.event.data else ""
            at = last.at - record.begun_at
            print(f"{at:8.2f} s  {name}: {last.event.type} {text!r}", flush=True)

    def done(self, name: str, record: Conversation) -> None:
        """Print the text and how long it took."""
        super().done(name, record)
        if record.transcript is not None:
            print(f"{name}: {record.text}  [{summary(record)}]", flush=True)


class Lines:
    """A line for each source at the bottom of a terminal, drawn in place, and finished ones above.

    Where the output is no terminal, only the finished lines are printed.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live(console=console or Console(), auto_refresh=False, transient=True)
        self._speaking: dict[str, tuple[str, str]] = {}
        self._colours: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the finished lines, and those that an interruption cut short."""
        self._live.stop()

    def show(self, name: str, text: str = "", tail: str = "") -> None:
        """Draw the words of a source: solid what is sure, dim the tail that may still change."""
        self._speaking[name] = (text, tail)
        self._draw()

    def drop(self, name: str) -> None:
        """Draw the source no more."""
        self._speaking.pop(name, None)
        self._draw()

    def finish(self, name: str, text: str, note: str = "") -> None:
        """Print a text that does not change any more, and a note dimly below."""
        self._live.console.print(self._line(name, text))
        if note:
            self._live.console.print(Text(f"  {note}", style="dim"))

    def _draw(self) -> None:
        console = self._live.console
        # What does not fit would be cut at its end, where the newest words are.
        room = console.width * max(1, (console.height - 2) // max(1, len(self._speaking)) - 1)
        lines = [
            self._line(name, text[-max(1, room - len(tail)) :], tail)
            for name, (text, tail) in self._speaking.items()
        ]
        self._live.update(Group(*(line.append(" ▌", style="dim") for line in lines)), refresh=True)

    def _line(self, name: str, text: str, tail: str = "") -> Text:
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return Text.assemble(
            (f"{name}  ", f"bold {colour}"), (text, colour), (tail, f"dim {colour}")
        )


class Drawn(Lines, Screen):
    """Words of all live sources in place at the bottom of a terminal, finished ones above."""

    def begins(self, name: str) -> None:
        """Draw an empty line for it; sources get their colours in this order."""
        self.show(name)

    def heard(self, name: str, record: Conversation) -> None:
        """Draw the words so far; they are sure, so they are drawn solid."""
        self.show(name, record.text)

    def done(self, name: str, record: Conversation) -> None:
        """Move the text up and draw its figures dimly below."""
        self.drop(name)
        super().done(name, record)
        if record.transcript is not None:
            self.finish(name, record.text, summary(record))


def summary(record: Conversation) -> str:
    """Say in a few words how the answer came."""
    parts = [record.transcript.language or ""] if record.transcript else []
    if record.first_partial_s is not None:
        parts.append(f"first words after {record.first_partial_s:.2f} s")
    if record.stop_to_transcript_s is not None:
        parts.append(f"final {1000 * record.stop_to_transcript_s:.0f} ms after the end")
    elif record.transcript is not None:
        parts.append("final before the end of the audio")
    if record.revisions:
        times = len(record.revisions) - 1
        parts.append("never revised" if times == 0 else f"revised {times}×")
    return ", ".join(part for part in parts if part)


def as_dict(name: str, record: Conversation) -> dict[str, Any]:
    """Return an utterance as `--json` prints it; `revisions` 1 means never revised."""
    failure = record.failure
    return {
        "file": name,
        "text": record.text if record.transcript else None,
        "language": record.transcript.language if record.transcript else None,
        "seconds": round(record.seconds, 3),
        "stop_to_transcript_ms": _ms(record.stop_to_transcript_s),
        "first_partial_ms": _ms(record.first_partial_s),
        "revisions": len(record.revisions),
        "partials": [(round(at - record.begun_at, 3), text) for at, text in record.partials],
        "error": None if failure is None else {"code": failure.code, "text": failure.text},
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)
