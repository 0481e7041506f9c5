"""What is known of a recording while it is transcribed, and at the end."""

from dataclasses import dataclass, field

from wyoming_streamwhisper.core.words import Word


@dataclass(frozen=True, slots=True)
class Segment:
    """About a sentence: what is shown at once as a subtitle. Times are seconds of the recording."""

    start: float
    end: float
    text: str
    language: str
    words: tuple[Word, ...]
    average_logprob: float = 0.0
    """Mean log-probability of the tokens of the chunk that it comes from."""
    no_speech: float = 0.0
    """The model's own probability that nobody speaks in that chunk."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; all in seconds of the recording."""

    read: float = 0.0
    """Decoded from the file so far."""
    done: float = 0.0
    """Transcribed so far, silence included."""
    duration: float | None = None
    """Length of the recording, where its container tells."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a job took. Stages overlap, so that they may add up to more than `elapsed`."""

    elapsed: float = 0.0
    """Seconds from begin to end."""
    audio: float = 0.0
    """Seconds of the recording."""
    speech: float = 0.0
    """Seconds of it that the model heard; the rest was silence."""
    chunks: int = 0
    retried: int = 0
    """Chunks whose first answer was not believed."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of work by stage: read, voice, features, encode, generate, align."""
    peak_memory: int = 0
    """Most bytes that the process had resident."""

    @property
    def speed(self) -> float:
        """How many times faster than real time it was."""
        return self.audio / self.elapsed if self.elapsed else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """The transcript of a recording."""

    segments: tuple[Segment, ...]
    text: str
    language: str
    """The one of most speech; empty where nobody spoke."""
    duration: float
    """Seconds."""
    metrics: Metrics = Metrics()
