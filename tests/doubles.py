"""Stand-ins that implement the ports of the engine room, for tests that need no model."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.words import Hypothesis, Word
from wyoming_streamwhisper.engine.api import (
    Capacity,
    EngineError,
    EngineInfo,
    Request,
    Result,
    State,
)

INFO = EngineInfo("scripted", ("en", "de"), piece_min=8.0)


def make_request(id: str = "r", kind: Kind = Kind.FINAL, seconds: float = 1.0, **more: object):
    """Return a request for silence, with what a test wants to be different."""
    request = Request(id, f"satellite of {id}", kind, np.zeros(int(seconds * RATE), np.float32))
    return replace(request, **more)


def hypothesis(text: str, seconds: float = 1.0, *, plausible: bool = True) -> Hypothesis:
    """Return words spread evenly over the audio."""
    parts = text.split()
    step = seconds / max(len(parts), 1)
    words = tuple(
        Word(f" {part}", i * step, (i + 1) * step, 0.9, (i,)) for i, part in enumerate(parts)
    )
    return Hypothesis(words, "en", plausible=plausible)


def echo(request: Request) -> Result:
    """Answer with the request's own id, so that mixed-up answers show."""
    return Result(hypothesis(request.id, request.seconds))


class ScriptedBackend:
    """A `Backend` that answers by a function; requests of one `kind` and length share a key."""

    def __init__(self, answer: Callable[[Request], Result] = echo) -> None:
        self.info = INFO
        self.batches: list[list[Request]] = []
        self._answer = answer

    def key(self, request: Request) -> tuple[float, ...]:
        return (request.seconds, request.beam_size, float(request.attempt))

    def decode(self, requests: Sequence[Request]) -> list[Result]:
        self.batches.append(list(requests))
        return [self._answer(request) for request in requests]


class Gate:
    """Holds a thread until a test opens it, and tells the test that it is held."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._reached = threading.Event()

    def __call__(self) -> None:
        self._reached.set()
        assert self._open.wait(60), "nobody opened the gate"

    async def reached(self) -> None:
        await asyncio.to_thread(self._reached.wait, 60)

    def open(self) -> None:
        self._open.set()


@dataclass
class Call:
    """A request that a scripted engine got, to be answered by the test."""

    request: Request
    future: asyncio.Future[Result]

    def answer(self, text: str = "", **more: object) -> None:
        said = hypothesis(text, self.request.seconds)
        self.future.set_result(Result(replace(said, **more)))

    def fail(self, code: str = "engine-failed") -> None:
        self.future.set_exception(EngineError(code, "as the script says"))


@dataclass
class ScriptedEngine:
    """An `Engine` that keeps every request until it is answered, by a function if there is one."""

    script: Callable[[Request], str | EngineError | Exception] | None = None
    info: EngineInfo = INFO
    ready: bool = True
    rung: Rung = Rung.ALL
    capacity: Capacity | None = None
    calls: list[Call] = field(default_factory=list)
    """Requests that wait for their answer."""
    seen: list[Request] = field(default_factory=list)
    promoted: list[tuple[str, Kind]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def decode(self, request: Request) -> Result:
        self.seen.append(request)
        if self.script is not None:
            await asyncio.sleep(0)
            said = self.script(request)
            if isinstance(said, Exception):
                raise said
            return Result(hypothesis(said, request.seconds))
        call = Call(request, asyncio.get_running_loop().create_future())
        self.calls.append(call)
        self.arrived.set()
        try:
            return await call.future
        finally:
            self.calls.remove(call)

    def promote(self, request_id: str, kind: Kind) -> None:
        self.promoted.append((request_id, kind))

    async def close(self) -> None:
        for call in list(self.calls):
            call.fail("shutting-down")

    async def call(self, kind: Kind | None = None) -> Call:
        """Wait for a request (of a kind) that is to be answered."""
        while True:
            for call in self.calls:
                if not call.future.done() and kind in (None, call.request.kind):
                    return call
            self.arrived.clear()
            await self.arrived.wait()


class LoudnessVad:
    """A `Vad` that takes a frame for speech if it is loud; its state counts the frames."""

    def new_state(self) -> State:
        return (np.zeros(1, np.float32),)

    def step(
        self, states: Sequence[State], frames: NDArray[np.float32]
    ) -> tuple[list[State], NDArray[np.float32]]:
        loud = np.abs(frames).max(axis=1) > 0.01
        return [(state[0] + 1,) for state in states], np.where(loud, 0.99, 0.01).astype(np.float32)

    def follow(
        self, state: State, frames: NDArray[np.float32]
    ) -> tuple[State, NDArray[np.float32]]:
        loud = np.abs(frames).max(axis=1) > 0.01
        return (state[0] + len(frames),), np.where(loud, 0.99, 0.01).astype(np.float32)
