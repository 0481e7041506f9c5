"""One utterance at work: drives the pure core with voice activity and engine.

It owns everything that runs for the utterance: nothing of it outlives `close`. All of it happens in
the event loop, so there is no lock.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.core.audio import RATE, AudioFormat, Samples
from wyoming_streamwhisper.core.events import Closed
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.engine.api import Engine, EngineError, Request
from wyoming_streamwhisper.session.events import Event, Failed, Final, Partial
from wyoming_streamwhisper.session.intake import Intake
from wyoming_streamwhisper.session.outbox import Outbox

if TYPE_CHECKING:
    from wyoming_streamwhisper.core.utterance import Utterance as Core
    from wyoming_streamwhisper.engine.vad import VadService

_LOG = logging.getLogger(__name__)
_SILENT = 5 * RATE
"""Samples of silence after which an utterance does not count as speaking."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all decodes of an utterance have in common."""

    id: str
    satellite: str
    languages: tuple[str, ...]
    likely: tuple[tuple[str, float], ...]
    task: str
    beam_size: int
    own_end: bool = False
    """Whether the end of speech is ours to find, so that a speculative final is waited for."""


class Utterance:
    """Handle of a running utterance: `feed` audio, `end` it, and read its `events`."""

    def __init__(
        self,
        terms: Terms,
        heard: "Core",
        engine: Engine,
        vad: "VadService",
        longest: int,
        on_close: Callable[["Utterance", Final | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to listen; audio beyond `longest` samples is left out and ends the utterance."""
        self.terms = terms
        self._core = heard
        self._engine = engine
        self._vad = vad.stream(self._hear, self._deaf)
        self._intake = Intake(longest, clock)
        self._outbox = Outbox()
        self._on_close = on_close
        self._closed = False
        self._decodes: dict[int, asyncio.Task[None]] = {}
        self._urgent: set[int] = set()
        self.on_event: Callable[[Event], None] = lambda event: None
        """Told everything that is told to who reads `events`, for who looks on."""
        self.on_covered: Callable[[int], None] = lambda samples: None
        """Told up to which sample the audio is done with: its text is in closed pieces."""
        self.on_speaking: Callable[[], None] = lambda: None
        """Told when `speaking` changes."""
        self._spoke = True
        self._told: float | None = None
        """When the end was told, by the clock of metrics."""
        self.delay: float | None = None
        """With the outcome: seconds from the told end to it; None where no end was told."""
        self._moved = asyncio.Event()

    # The surface

    @property
    def ended(self) -> bool:
        """Whether further audio is ignored: the end was told or found, or the outcome is known."""
        return self._ending or self._core.ended or self._over

    @property
    def seconds(self) -> float:
        """Speech heard so far, in seconds."""
        return self._core.spoken / RATE

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks, has just spoken, or is expected to."""
        return self._core.quiet < _SILENT

    @property
    def result(self) -> str:
        """What became of it, for the count: `answered`, a code, or `dropped` without an outcome."""
        match self._outbox.outcome:
            case Final():
                return "answered"
            case Failed(code, _):
                return code
        return "dropped"

    @property
    def rung(self) -> Rung:
        """What is left out now, because there is too much to do."""
        return self._engine.rung

    def feed(self, pcm: bytes, form: AudioFormat) -> None:
        """Hear further audio; never blocks. A change of format is a new stream of bytes."""
        if self.ended:
            return
        if self._intake.feed(pcm, form):
            self._pump()

    def hear(self, samples: Samples) -> None:
        """Hear further audio that needs no conversion: mono, 16 kHz; never blocks."""
        if not self.ended:
            self._intake.hear(samples)
            self._pump()

    @property
    def flooded(self) -> bool:
        """Whether more audio waits than a sender should have ahead."""
        return self._intake.flooded and not self._over

    async def drained(self) -> None:
        """Wait until there is little audio left to take in, so that a fast sender floods nobody."""
        while self.flooded:
            self._moved.clear()
            await self._moved.wait()

    def end(self) -> None:
        """Learn that no more audio comes; the final follows."""
        if not self._ending:
            self._told = time.perf_counter()
            self._intake.flush()
            self._pump()

    def events(self) -> AsyncIterator[Event]:
        """Yield partials as they come and at last the outcome.

        A reader that is slow gets the newest partial only. They end without an outcome only where
        `close` comes before it.
        """
        return self._outbox.events()

    def fail(self, code: str, message: str) -> None:
        """Give the utterance up, with a reason for who listens."""
        self._tell(Failed(code, message))

    async def close(self) -> None:
        """Drop what is still under way. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._vad.close()
        self._moved.set()
        self._outbox.close()
        running = list(self._decodes.values())
        for task in running:
            task.cancel()
        try:
            await asyncio.gather(*running, return_exceptions=True)
        finally:
            # Who closes may be cancelled too; the seat is given back all the same.
            outcome = self._outbox.outcome
            self._on_close(self, outcome if isinstance(outcome, Final) else None)

    @property
    def _over(self) -> bool:
        return self._outbox.outcome is not None or self._closed

    @property
    def _ending(self) -> bool:
        return self._told is not None or self._intake.full

    # Audio on its way in

    def _pump(self) -> None:
        """Move audio that waits into the window, as far as there is room."""
        while not self._intake.empty and (room := self._core.room) and not self._core.ended:
            samples = self._intake.take(room)
            self._core.audio(samples)
            self._vad.feed(samples, self._core.leeway)
        self._moved.set()
        if self._ending and self._intake.empty and not self._core.ended:
            self._vad.flush()
            self._core.stop()
        self._act()

    def _hear(self, probabilities: list[float]) -> None:
        self._core.heed(self._engine.rung)
        self._core.speech(probabilities)
        if self.speaking is not self._spoke:
            self._spoke = not self._spoke
            self.on_speaking()
        self._pump()

    def _deaf(self) -> None:
        self.fail("engine-failed", "voice activity detection failed")

    # What the core asks for

    def _act(self) -> None:
        if not self._core.moved:
            return
        effects = self._core.take()
        for number in effects.withdrawn:
            if (task := self._decodes.get(number)) is not None:
                task.cancel()
        for number in effects.urgent:
            self._urgent.add(number)  # for a decode that has not come to the engine yet
            self._engine.promote(self._id(number), Kind.FINAL)
        for wish in effects.wishes:
            # One that was withdrawn in the same breath may have lost its audio already.
            if wish.number not in effects.withdrawn and not self._over:
                self._begin_decode(wish)
        for event in effects.events:
            self._tell(event)

    def _begin_decode(self, wish: Wish) -> None:
        decode = self._decode(wish, self._core.samples(wish))
        task = asyncio.create_task(decode, name=self._id(wish.number))
        self._decodes[wish.number] = task
        # A task that is cancelled before its first step never comes to a `finally` of its own.
        task.add_done_callback(lambda _: self._decoded(wish.number))

    def _decoded(self, number: int) -> None:
        self._decodes.pop(number, None)
        self._urgent.discard(number)

    def _tell(self, event: Event | Closed) -> None:
        if isinstance(event, Closed):
            self.on_covered(event.end)
            return
        if not self._outbox.put(event):
            return
        match event:
            case Partial():
                metrics.PARTIALS.inc()
            case Final() | Failed():
                if self._told is not None:
                    self.delay = time.perf_counter() - self._told
                    metrics.ANSWER.observe(self.delay)
                self._moved.set()
        self.on_event(event)

    def _id(self, number: int) -> str:
        return f"{self.terms.id}/{number}"

    async def _decode(self, wish: Wish, samples: Samples) -> None:
        terms = self.terms
        request = Request(
            id=self._id(wish.number),
            satellite=terms.satellite,
            kind=Kind.FINAL if wish.number in self._urgent else wish.kind,
            samples=samples,
            languages=(wish.language,) if wish.language else terms.languages,
            likely=terms.likely,
            task=terms.task,
            prompt=wish.prompt,
            prefix=wish.prefix,
            beam_size=1 if wish.kind is Kind.PARTIAL else terms.beam_size,
            timed=wish.timed,
            due=0.0 if terms.own_end and wish.kind is Kind.SPECULATIVE else None,
            ahead=self._intake.ahead(wish.end),
        )
        try:
            try:
                result = await self._engine.decode(request)
            except EngineError as error:
                self._core.failed(wish.number, error.code, str(error))
            else:
                self._core.result(wish.number, result.hypothesis)
            self._pump()
        except Exception:  # noqa: BLE001 - a task's border
            # Nobody awaits this task, so whoever waits for the outcome must hear of it here.
            _LOG.exception("%s: a decode could not be used", request.id)
            self.fail("engine-failed", "the answer of the model could not be used")
