"""The one owner of the model: takes requests, lets the most urgent ones decode, hands out results.

One task owns the schedule and the back end; all else talks to it through futures. It works in three
beats: schedule, run (in a thread of its own, because a decode blocks), settle. The back end may
raise: then the requests of its batch are tried one by one, so that a poisoned one fails alone.
It may hang: then everybody who waits is told, and the model is loaded anew in a new thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.core.wish import Kind
from wyoming_streamwhisper.engine.api import Backend, EngineError, EngineInfo, Request, Result
from wyoming_streamwhisper.engine.schedule import Schedule, Waiting


_LOG = logging.getLogger(__name__)

_ATTEMPTS = 3
"""As asked; in full and without prompt; the same with a beam and without repetitions."""
_CAREFUL_BEAM = 5
_HANG = 60.0
"""Seconds after which a batch is given up."""


class LocalEngine:
    """An `Engine` whose model lives in this process."""

    def __init__(
        self,
        load: Callable[[], Backend],
        info: EngineInfo,
        *,
        max_batch: int = 8,
        hang: float = _HANG,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; `load` makes the back end (in the engine's thread), `info` holds until then."""
        self._load = load
        self._info = info
        self._hang = hang
        self._clock = clock
        self._schedule = Schedule(max_batch)
        self._futures: dict[str, asyncio.Future[Result]] = {}
        self._arrived = asyncio.Event()
        self._backend: Backend | None = None
        self._thread = _new_thread()
        self._closing = False
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
    def waiting(self) -> int:
        """Requests that have not begun; those that arrive while the model loads wait too."""
        return len(self._schedule)

    async def start(self) -> None:
        """Load the model and begin to decode.

        Raises:
            Exception: whatever the back end raises while it loads.
        """
        await self._load_backend()
        self._owner = asyncio.create_task(self._own(), name="engine")

    async def decode(self, request: Request) -> Result:
        """Return the result of a request; cancelling drops one that has not begun."""
        if self._closing:
            raise EngineError("shutting-down", "the server is stopping")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._futures[request.id] = future
        try:
            self._enqueue(request)
            return await future
        finally:
            self._futures.pop(request.id, None)
            self._schedule.remove(request.id)

    def promote(self, request_id: str, kind: Kind) -> None:
        """Make a waiting request more urgent."""
        self._schedule.promote(request_id, kind)

    async def close(self) -> None:
        """Refuse what comes, answer what waits with `shutting-down`, and end the thread."""
        self._closing = True
        self._fail(self._schedule.clear(), "shutting-down", "the server is stopping")
        if self._owner is not None:
            self._owner.cancel()
            await asyncio.gather(self._owner, return_exceptions=True)
        # A running decode is waited for: native code must not outlive the interpreter.
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    # The owner: schedule, run, settle

    async def _own(self) -> None:
        while True:
            await self._arrived.wait()
            self._fail(self._schedule.expired(self._clock()), "timeout", "nobody waited any longer")
            batch = self._schedule.next()
            if not batch:
                self._arrived.clear()
                continue
            begun = self._clock()
            outcomes = await self._run([waiting.request for waiting in batch])
            for waiting, outcome in zip(batch, outcomes, strict=True):
                self._settle(waiting, outcome, begun)

    async def _run(self, requests: Sequence[Request]) -> list[Result | EngineError]:
        """Decode a batch; if it fails as a whole, each of its requests by itself."""
        try:
            return list(await self._in_thread(requests))
        except TimeoutError:
            await self._reload()
            hung = EngineError("engine-failed", "the model did not answer in time")
            return [hung for _ in requests]
        except Exception as error:  # noqa: BLE001 - the back end is native code and may raise anything
            if len(requests) > 1:
                singles = [await self._run([request]) for request in requests]
                return [outcome for single in singles for outcome in single]
            _LOG.error("decoding failed: %s: %s", type(error).__name__, error)
            return [EngineError("engine-failed", "the model could not decode this audio")]

    async def _in_thread(self, requests: Sequence[Request]) -> Sequence[Result]:
        backend = self._backend
        assert backend is not None
        loop = asyncio.get_running_loop()
        decoding = loop.run_in_executor(self._thread, backend.decode, requests)
        return await asyncio.wait_for(asyncio.shield(decoding), self._hang)

    def _settle(self, waiting: Waiting, outcome: Result | EngineError, begun: float) -> None:
        request = waiting.request
        future = self._futures.get(request.id)
        if future is None or future.done():
            return
        if isinstance(outcome, EngineError):
            future.set_exception(outcome)
            return
        again = _next_attempt(request, outcome)
        if again is not None:
            self._enqueue(again)
            return
        timing = replace(outcome.timing, queued=begun - waiting.since)
        future.set_result(replace(outcome, timing=timing, attempts=request.attempt + 1))

    def _enqueue(self, request: Request) -> None:
        # Before the model is there nothing is known of what can be batched.
        key = self._backend.key(request) if self._backend else ()
        replaced = self._schedule.add(request, key, self._clock())
        self._fail(replaced, "replaced", "a newer request took its place")
        self._arrived.set()

    def _fail(self, requests: Sequence[Request], code: str, text: str) -> None:
        for request in requests:
            future = self._futures.get(request.id)
            if future is not None and not future.done():
                future.set_exception(EngineError(code, text))

    # Loading

    async def _load_backend(self) -> None:
        loop = asyncio.get_running_loop()
        self._backend = await loop.run_in_executor(self._thread, self._load)
        waiting = self._schedule.clear()
        for request in waiting:
            self._enqueue(request)

    async def _reload(self) -> None:
        """Give the hanging thread up, tell everybody, and load the model in a new one."""
        _LOG.error("the model did not answer within %.0f s and is loaded anew", self._hang)
        self._backend = None
        everything = self._schedule.clear()
        self._fail(everything, "engine-failed", "the model did not answer in time")
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = _new_thread()
        await self._load_backend()


def _new_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")


def _next_attempt(request: Request, result: Result) -> Request | None:
    """Return a more careful request where an answer is not to be believed.

    Partials are not worth it. The second attempt sees the full context and no prompt, the third
    searches with a beam in which no phrase comes twice; whisper's own remedy, sampling at higher
    temperatures, would answer the same audio differently each time.
    """
    if result.hypothesis.plausible or request.kind is Kind.PARTIAL:
        return None
    attempt = request.attempt + 1
    if attempt >= _ATTEMPTS:
        return None
    beam = max(request.beam_size, _CAREFUL_BEAM) if attempt > 1 else request.beam_size
    return replace(request, attempt=attempt, prompt=Prompt(), beam_size=beam)
