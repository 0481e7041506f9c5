"""What is known of a recording while it is transcribed, and at the end."""

from dataclasses import dataclass, field

from wyoming_streamwhisper.core.captions import Segment

__all__ = ["Metrics", "Progress", "Result", "Segment"]


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
    resumed: int = 0
    """Chunks that an earlier run had decoded."""
    retried: int = 0
    """Chunks whose first answer was not believed."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of work by stage: read, voice, features, encode, generate, align."""
    peak_memory: int = 0
    """Most bytes that the process has had resident so far."""

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
    fault: str = ""
    """What is missing or damaged of the recording, in a sentence; empty if nothing is."""
