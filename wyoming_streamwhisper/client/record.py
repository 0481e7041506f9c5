"""The record of one utterance: what was sent, what came back, and when.

It keeps every event with its time, so that delays and revisions can be measured from it afterwards.
Does no I/O and reads no clock. What the events mean is `docs/protocol.md`.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.error import Error
from wyoming.event import Event


@dataclass(frozen=True, slots=True)
class Sent:
    """Audio up to `position` seconds had been handed to the network at `at`."""

    position: float
    at: float


@dataclass(frozen=True, slots=True)
class Received:
    """An event from the daemon; `position` is how many seconds of audio had gone out by then."""

    event: Event
    at: float
    position: float


@dataclass(slots=True)
class Revision:
    """What one `transcript-start` opened; its chunks joined are the text so far."""

    at: float
    chunks: list[tuple[float, str]] = field(default_factory=list)
    """When each came, and its text."""

    @property
    def text(self) -> str:
        """The text so far in this revision."""
        return "".join(text for _, text in self.chunks)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no transcript: the daemon's own code, or one that the client gives."""

    code: str
    text: str


@dataclass(slots=True)
class Conversation:
    """The record of one utterance. Times are `time.monotonic()`, positions seconds of audio."""

    begun_at: float = 0.0
    """When the first audio was about to go out."""
    speech_at: float | None = None
    """When the first block loud enough for speech went out."""
    stop_sent_at: float | None = None
    """None where the daemon answered before the audio ended."""
    sent: list[Sent] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    transcript: Transcript | None = None
    transcript_at: float | None = None
    failure: Failure | None = None

    @property
    def seconds(self) -> float:
        """Seconds of audio sent."""
        return self.sent[-1].position if self.sent else 0.0

    @property
    def text(self) -> str:
        """The transcript, or the text so far."""
        if self.transcript is not None:
            return self.transcript.text
        return self.revisions[-1].text if self.revisions else ""

    @property
    def partials(self) -> list[tuple[float, str]]:
        """Every text that was there to be shown, with its time: one for each chunk."""
        return [
            (at, text)
            for revision in self.revisions
            for (at, _), text in zip(
                revision.chunks, accumulate(text for _, text in revision.chunks), strict=True
            )
        ]

    @property
    def first_partial_s(self) -> float | None:
        """Seconds from the first speech that went out to the first words that came back."""
        chunks = (chunk for revision in self.revisions for chunk in revision.chunks)
        first = next((at for at, text in chunks if text.strip()), None)
        spoken = self.begun_at if self.speech_at is None else self.speech_at
        return None if first is None else first - spoken

    @property
    def lag_s(self) -> float:
        """How far behind real time the sending fell at worst; zero says the pace was held."""
        behind = (sent.at - self.begun_at - sent.position for sent in self.sent)
        return max(0.0, max(behind, default=0.0))

    @property
    def stop_to_transcript_s(self) -> float | None:
        """Seconds from audio-stop to the transcript; None where either is missing."""
        if self.transcript_at is None or self.stop_sent_at is None:
            return None
        return self.transcript_at - self.stop_sent_at

    def sent_at(self, position: float) -> float:
        """Return when the sample at `position` seconds went out (the last one, if it never did)."""
        found = bisect_left(self.sent, position, key=lambda sent: sent.position)
        return self.sent[min(found, len(self.sent) - 1)].at

    def fail(self, code: str, text: str) -> None:
        """Note why there is no transcript; once there is one, nothing can take it back."""
        if self.transcript is None and self.failure is None:
            self.failure = Failure(code, text)

    def note(self, event: Event, at: float) -> bool:
        """Take in an event that came at `at`; return whether the daemon has said all.

        Raises KeyError, TypeError or AttributeError for an event that is not well formed.
        """
        self.received.append(Received(event, at, self.seconds))
        if TranscriptStart.is_type(event.type):
            self.revisions.append(Revision(at))
        elif TranscriptChunk.is_type(event.type):
            if not self.revisions:
                # Nothing in the protocol's library forces a server to announce its first chunk.
                self.revisions.append(Revision(at))
            self.revisions[-1].chunks.append((at, _text(TranscriptChunk.from_event(event).text)))
        elif Transcript.is_type(event.type):
            transcript = Transcript.from_event(event)
            _text(transcript.text)
            self.transcript, self.transcript_at = transcript, at
        elif Error.is_type(event.type):
            error = Error.from_event(event)
            self.fail(error.code or "error", _text(error.text))
        return self.failure is not None or (self.transcript is not None and self._closed)

    @property
    def _closed(self) -> bool:
        """Whether a streamed answer has its `transcript-stop` (before or after the transcript)."""
        stopped = any(TranscriptStop.is_type(r.event.type) for r in reversed(self.received))
        return stopped or not self.revisions


def _text(text: object) -> str:
    """Pass text through; the library takes whatever JSON a server writes."""
    if not isinstance(text, str):
        raise TypeError("text that is none")
    return text
