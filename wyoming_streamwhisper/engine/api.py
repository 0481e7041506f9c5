"""What the engine is asked and what it answers: requests, results, ports, errors.

A request holds all that its decode needs and nothing of this process, so it can be tried again,
sent to another process, or dropped. Core's wishes become requests in `session`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.words import Hypothesis
from wyoming_streamwhisper.engine.context import CAREFUL, Rule


class EngineError(Exception):
    """The engine could not answer; `code` is one of the stable codes of docs/protocol.md."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One stretch of audio to be decoded."""

    id: str
    """Unique over all requests of this engine."""
    satellite: str
    """Who speaks; a newer partial of one satellite replaces its older one."""
    kind: Kind
    samples: Samples
    """Mono, 16 kHz, at most 30 s."""
    languages: tuple[str, ...] = ()
    """The language, or those to choose from by listening; empty for all that the model knows."""
    likely: tuple[tuple[str, float], ...] = ()
    """What earlier speech says of the language, as probabilities of up to 1 together; what is left
    is shared by all languages alike."""
    task: str = "transcribe"
    prompt: Prompt = field(default_factory=Prompt)
    prefix: tuple[int, ...] = ()
    beam_size: int = 1
    temperature: float = 0.0
    """Above 0 each token is drawn at random, the likely ones more often, and there is no beam."""
    timed: bool = True
    timeout: float = 60.0
    """Seconds after which nobody waits for the answer any more."""
    due: float | None = None
    """Seconds after which the answer is late; None where the kind alone decides."""
    ahead: float = 0.0
    """Seconds by which its audio came sooner than it can be spoken: so much longer it may wait, for
    nobody who speaks would have asked for it before. 0 of who speaks now."""
    context: float | None = None
    """Seconds of audio context that it gets at least; None leaves it to the model's rule."""
    attempt: int = 0
    """How many answers to it were not believed; each further attempt is more careful."""

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.samples) / RATE


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each stage took, in seconds; stages of a batch are shared by its requests."""

    queued: float = 0.0
    features: float = 0.0
    encode: float = 0.0
    generate: float = 0.0
    align: float = 0.0
    batch: int = 1
    """Requests decoded together."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request."""

    hypothesis: Hypothesis
    timing: Timing = Timing()
    context: float = 30.0
    """Seconds of audio context that the encoder saw, padding included."""
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is known of the model that an engine runs."""

    model: str
    languages: tuple[str, ...]
    description: str = ""
    piece_min: float = 8.0
    """Length in seconds from which pieces may be closed, as the model recommends."""
    carry_text: bool = True
    """Whether the model is to read the text before a piece."""
    replicas: int = 1
    """Batches that can be decoded at once."""
    parallel: int = 1
    """Chunks of a file that are best under way at once."""
    square: float = math.inf
    """How large a batch of a file is at most, as the sum of its contexts' squares in seconds: the
    memory of attention grows with that."""
    chunk_max: float = 28.0
    """Length in seconds up to which a longer chunk of a file costs less a second."""
    running: str = ""
    """How it runs, for people: device and arithmetic."""
    context: Rule = CAREFUL
    """How short audio contexts may be."""
    fingerprint: str = ""
    """Another one wherever other weights or another arithmetic could give other texts."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many satellites can speak at once, as they do who give commands all the time."""

    with_partials: int
    """With words sent while they are spoken."""
    finals: int
    """With transcripts only, in time."""


class Backend(Protocol):
    """A loaded model: synchronous, called by as many threads at once as it has replicas."""

    @property
    def info(self) -> EngineInfo:
        """What is known of the model."""
        ...

    def key(self, request: Request) -> tuple[float, ...]:
        """Return what must be equal between requests that are decoded together; never raises.

        The first element is the audio context in seconds.
        """
        ...

    def decode(self, requests: Sequence[Request]) -> list[Result]:
        """Decode requests of one key together, one result for each in order.

        Raises:
            Exception: the whole batch failed; the owner tries its requests one by one.

        """
        ...


class Engine(Protocol):
    """What `session` sees: decodes requests, best first, however and wherever that is done."""

    @property
    def info(self) -> EngineInfo:
        """What is known of the model, also while it loads."""
        ...

    @property
    def ready(self) -> bool:
        """Whether requests are being decoded now; those made earlier wait."""
        ...

    @property
    def rung(self) -> Rung:
        """What is to be left out now, because there is too much to do."""
        ...

    @property
    def capacity(self) -> Capacity | None:
        """How many may speak at once; None where nobody measured it."""
        ...

    async def decode(self, request: Request) -> Result:
        """Return the result; cancelling drops a request that has not begun.

        Raises:
            EngineError: it will not be answered.

        """
        ...

    def promote(self, request_id: str, kind: Kind) -> None:
        """Make a waiting request more urgent; one that has begun or is unknown stays as it is."""
        ...

    async def close(self) -> None:
        """Answer what is under way and give the model back."""
        ...


State = tuple[NDArray[np.float32], ...]
"""What voice activity detection remembers of one stream; opaque and never shared."""


class Vad(Protocol):
    """Voice activity detection of many streams at once."""

    def new_state(self) -> State:
        """Return the state of a stream that has not begun."""
        ...

    def step(
        self, states: Sequence[State], frames: NDArray[np.float32]
    ) -> tuple[list[State], NDArray[np.float32]]:
        """Judge the next frame of each of n streams.

        Args:
            states: n states.
            frames: [n, 512] samples, mono, 16 kHz.

        Returns:
            The n next states, and [n] probabilities that somebody speaks.

        """
        ...

    def follow(
        self, state: State, frames: NDArray[np.float32]
    ) -> tuple[State, NDArray[np.float32]]:
        """Judge further frames [n, 512] of one stream; returns its next state and [n] of the same.

        It may be cheaper than `step`, frame after frame, and gives the same up to rounding.
        """
        ...
