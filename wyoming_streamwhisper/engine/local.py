"""The one owner of the model: takes requests, lets the most urgent ones decode, hands out results.

One task owns the schedule and the back end; all else talks to it through futures. It works in three
beats: schedule, run (in the threads of its crew, because a decode blocks; as many batches at once
as the model has replicas), settle. The back end may raise: then the requests of its batch are tried
one by one, so that a poisoned one fails alone.
It may hang: then everybody who waits is told, and the model is loaded anew in a new thread, again
and again until that succeeds. Whatever happens, nobody waits for ever.

It also watches how long batches take and how late answers will be (`engine.watch`); what a rung of
the ladder leaves out, it is for others to leave out.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.api import Backend, Capacity, EngineInfo, Request, Result
from wyoming_streamwhisper.engine.attempts import next_attempt
from wyoming_streamwhisper.engine.callers import Callers
from wyoming_streamwhisper.engine.capacity import Typical, carried
from wyoming_streamwhisper.engine.cost import CostModel
from wyoming_streamwhisper.engine.crew import Crew, Hung
from wyoming_streamwhisper.engine.schedule import BOUND, Schedule, Waiting
from wyoming_streamwhisper.engine.trials import Trials
from wyoming_streamwhisper.engine.watch import Watch

_LOG = logging.getLogger(__name__)

_HANG = 60.0
"""Seconds after which a batch is given up."""
_PATIENCE = 5.0
"""Seconds that closing waits for a decode or a load: native code that outlives the interpreter
aborts the process, but a decode that hangs or a download of minutes must not hold it."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts to load the model anew; each pause is twice the one before."""
_STAGES = {kind: metrics.Stages(kind.name.lower()) for kind in Kind}


class LocalEngine:
    """An `Engine` whose model lives in this process."""

    def __init__(
        self,
        load: Callable[[], Backend],
        info: EngineInfo,
        *,
        max_batch: int = 8,
        hang: float = _HANG,
        pause: float = _FIRST_PAUSE,
        patience: float = _PATIENCE,
        bound: float | None = BOUND,
        calibrate: Callable[[Backend, CostModel], None] | None = None,
        trials: Trials | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; `load` makes the back end (in the engine's thread), `info` holds until then.

        As many batches run at once as the back end has replicas. `bound` is the schedule's: how
        long a batch may take that nobody waits for. `calibrate` shows the cost model what batches
        take on this machine, in the same thread; without it that has to be learned in use.
        """
        self._load = load
        self._info = info
        self._hang = hang
        self._pause = pause
        self._patience = patience
        self._trials = trials
        self._clock = clock
        self._calibrate = calibrate
        self._max_batch = max_batch
        self._cost = CostModel()
        self._schedule = Schedule(max_batch, self._cost, bound)
        self._watch = Watch(self._schedule, clock)
        self._typical: Typical | None = None
        """What decodes are counted as in the capacity, once their costs were shown."""
        self._callers = Callers()
        self._arrived = asyncio.Event()
        self._backend: Backend | None = None
        self._crew = Crew(hang)
        self._owner: asyncio.Task[None] | None = None

    @property
    def info(self) -> EngineInfo:
        """What is known of the model."""
        return self._backend.info if self._backend else self._info

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._backend is not None

    @property
    def rung(self) -> Rung:
        """What is to be left out now."""
        self._look()
        return self._watch.rung

    @property
    def capacity(self) -> Capacity | None:
        """How many may speak at once, by what batches have taken lately."""
        if self._typical is None:
            return None
        capacity = carried(self._cost, self._typical, self._max_batch)
        metrics.CAPACITY.set(capacity.finals)
        return capacity

    @property
    def waiting(self) -> int:
        """Requests that have not begun; those that arrive while the model loads wait too."""
        return len(self._schedule)

    async def start(self) -> None:
        """Load the model and begin to decode.

        Raises:
            Exception: whatever the back end raises while it loads.

        """
        try:
            await self._load_backend()
        except Exception:
            self._refuse("engine-failed", "the model could not be loaded")
            raise
        self._callers.check()  # it may have been closed meanwhile
        self._owner = asyncio.create_task(self._own(), name="engine")

    async def decode(self, request: Request) -> Result:
        """Return the result of a request; cancelling drops one that has not begun."""
        self._callers.check()
        if self._trials:
            request = self._trials.prepare(request)
        result = None
        future = self._callers.enter(request.id)
        expiry = asyncio.get_running_loop().call_later(request.timeout, self._expire, request.id)
        try:
            self._enqueue(request, self._clock())
            result = await future
            return result
        finally:
            if self._trials:
                self._trials.answered(request, result)
            expiry.cancel()
            self._callers.leave(request.id)
            self._schedule.remove(request.id)
            metrics.WAITING.set(len(self._schedule))

    def promote(self, request_id: str, kind: Kind) -> None:
        """Make a waiting request more urgent."""
        self._schedule.promote(request_id, kind, self._clock())

    async def close(self) -> None:
        """Refuse what comes, answer what waits with `shutting-down`, and end the thread."""
        self._refuse("shutting-down", "the server is stopping", for_good=True)
        if self._owner is not None:
            self._owner.cancel()
            await asyncio.gather(self._owner, return_exceptions=True)
        if not await self._crew.end(self._patience):
            _LOG.warning("stopped while the model was still at work")

    # The owner: schedule, run, settle

    async def _own(self) -> None:
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    await self._hand_out(group)
            except* Hung:
                _LOG.error("the model did not answer in %.0f s and is loaded anew", self._hang)
            self._schedule.clear()
            self._callers.fail_all("engine-failed", "the model did not answer in time")
            await self._reload()

    async def _hand_out(self, group: asyncio.TaskGroup) -> None:
        """Let batches run as long as any of them comes back."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while batch := self._schedule.next(self._clock()):
                task = group.create_task(self._serve(batch), name="batch")
                # One that is cancelled before its first step never comes to a `finally` of its own.
                task.add_done_callback(functools.partial(self._ran, batch))

    def _ran(self, batch: Sequence[Waiting], _: object) -> None:
        self._schedule.done(batch)
        self._arrived.set()
        self._look()

    async def _serve(self, batch: Sequence[Waiting]) -> None:
        """Decode a batch; if it fails as a whole, each of its requests by itself."""
        begun = self._clock()
        assert self._backend is not None
        try:
            requests = [waiting.request for waiting in batch]
            results = await self._crew.decode(self._backend, requests)
        except Hung:
            raise
        except Exception as error:  # noqa: BLE001 - native code may raise anything
            if len(batch) > 1:
                for waiting in batch:
                    await self._serve([waiting])
                return
            _LOG.error("decoding failed: %s: %s", type(error).__name__, error)
            text = "the model could not decode this audio"
            self._callers.fail(batch[0].request.id, "engine-failed", text)
            return
        self._learn(batch, begun)
        for waiting, result in zip(batch, results, strict=True):
            self._settle(waiting, result, begun)

    def _learn(self, batch: Sequence[Waiting], begun: float) -> None:
        """Take in how long a batch took."""
        seconds = self._clock() - begun
        self._schedule.learn(batch, seconds)
        metrics.BATCH.observe(len(batch))
        metrics.BUSY.inc(seconds)

    def _settle(self, waiting: Waiting, result: Result, begun: float) -> None:
        request = waiting.request
        timing = replace(result.timing, queued=begun - waiting.since)
        stages = timing.queued, timing.features, timing.encode, timing.generate, timing.align
        _STAGES[request.kind].observe(stages, request.seconds)
        if not self._callers.awaits(request.id):
            return
        again = next_attempt(request, result)
        if again is not None:
            metrics.RETRIES.inc()
            self._enqueue(again, waiting.since)
            return
        answer = replace(result, timing=timing, attempts=request.attempt + 1)
        self._callers.answer(request.id, answer)

    # Who waits

    def _enqueue(self, request: Request, since: float) -> None:
        # Before the model is there nothing is known of what can be batched.
        key = self._backend.key(request) if self._backend else ()
        for older in self._schedule.add(request, key, since):
            self._callers.fail(older.id, "replaced", "a newer request took its place")
        self._arrived.set()
        metrics.WAITING.set(len(self._schedule))
        self._look()

    def _look(self) -> None:
        """Let the rung follow; while the model loads all is late, and that is no load."""
        if self._backend is not None:
            self._watch.look()

    def _expire(self, request_id: str) -> None:
        """Give up a request that still waits; one that is being decoded gets its answer."""
        if self._schedule.remove(request_id):
            self._callers.fail(request_id, "timeout", "the model was busy for too long")

    def _refuse(self, code: str, text: str, *, for_good: bool = False) -> None:
        """Answer everybody, now and until further notice."""
        self._schedule.clear()
        self._callers.refuse(code, text, for_good=for_good)

    # Loading

    async def _load_backend(self) -> None:
        backend = await self._crew.do(self._load)
        if self._calibrate is not None:
            await self._crew.do(self._calibrate, backend, self._cost)
            self._typical = Typical.of(backend)
        self._crew.grow(backend.info.replicas)
        self._schedule.fit(backend.info)
        self._backend = backend
        self._callers.welcome()
        for waiting in self._schedule.clear():
            self._enqueue(waiting.request, waiting.since)

    async def _reload(self) -> None:
        """Give the threads up, of which one hangs, and load the model anew, until that succeeds."""
        pause = self._pause
        while True:
            self._backend = None
            await self._crew.end(0.0)
            self._crew = Crew(self._hang)
            try:
                return await self._load_backend()
            except Exception as error:  # noqa: BLE001 - a device that is gone may raise anything
                _LOG.error("loading failed: %s: %s", type(error).__name__, error)
                self._refuse("engine-failed", "the model could not be loaded again")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
