"""What a job has done so far: its parts add to it, progress and metrics are read from it."""

import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.files.result import Metrics, Progress


@dataclass(slots=True)
class Tally:
    """Counts of one recording; places in it and lengths are samples."""

    begun: float = field(default_factory=time.perf_counter)
    duration: float | None = None
    """Seconds, where the container tells."""
    fault: str = ""
    """What is missing or damaged, in a sentence."""
    read: int = 0
    done: int = 0
    """Joined so far, silence included."""
    heard: int = 0
    """Shown to the model."""
    chunks: int = 0
    resumed: int = 0
    retried: int = 0
    stages: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time within towards a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.stages[stage] += time.perf_counter() - begun

    @property
    def seconds(self) -> float:
        """Length of the recording, as far as it is known."""
        return max(self.duration or 0.0, self.read / RATE)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self.read / RATE, self.done / RATE, self.duration)

    @property
    def metrics(self) -> Metrics:
        """What it took so far."""
        return Metrics(
            elapsed=time.perf_counter() - self.begun,
            audio=self.read / RATE,
            speech=self.heard / RATE,
            chunks=self.chunks,
            resumed=self.resumed,
            retried=self.retried,
            stages=dict(self.stages),
            peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
