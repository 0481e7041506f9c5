"""Judges the frames of all streams together, whatever network does it, and keeps streams apart.

A frame is judged as soon as something depends on it, and else where another stream's are; each
stream hears of its own frames only, in order, and what fails for one fails for no other.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from wyoming_streamwhisper.core.audio import Samples
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine.api import State, Vad

_LOG = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Hear = Callable[[list[float]], None]
Fail = Callable[[], None]


class VadStream:
    """One stream's way to the service."""

    def __init__(self, service: "VadService", state: State, hear: Hear, fail: Fail) -> None:
        self._service = service
        self._state = state
        self._hear = hear
        self._fail = fail
        self._rest: list[Samples] = []
        """Samples that are no whole frame yet, as they came."""
        self._resting = 0
        self._frames: list[Samples] = []
        self._open = True

    def feed(self, samples: Samples, leeway: int = 0) -> None:
        """Take further samples; their frames are judged once they are as long as `leeway` samples.

        Before that they are only where another stream's frames are.
        """
        if not self._open:
            return
        self._rest.append(samples)
        self._resting += len(samples)
        if self._resting < FRAME:
            return
        data = np.concatenate(self._rest)
        self._resting %= FRAME
        whole = len(data) - self._resting
        self._frames.extend(data[:whole].reshape(-1, FRAME))
        self._rest = [data[whole:]]
        self._service.wait(self, now=len(self._frames) * FRAME >= leeway)

    def flush(self) -> None:
        """Judge everything, the rest filled up with silence."""
        if self._resting:
            self.feed(np.zeros(FRAME - self._resting, np.float32))
        elif self._frames:
            self._service.wait(self, now=True)

    def close(self) -> None:
        """Hear no more."""
        self._open = False
        self._frames.clear()
        self._service.forget(self)


Work = tuple[VadStream, State, list[Samples]]
"""Frames of one stream that are to be judged, and its state before them."""
Judged = tuple[State, list[float]]
"""The state behind them, and the probability of each."""


class VadService:
    """Judges the frames of all streams together, one of each stream a call.

    The few frames of people who speak are judged in the event loop: to wake a thread and to come
    back from it costs as much as the network itself. A burst goes to a thread, piece by piece.
    """

    _MOST_STEPS = 32
    """Calls before results are handed out: a burst is answered piece by piece."""
    _FEW = 32
    """Frames that are judged in the loop, which then stands still for a millisecond or two."""

    def __init__(self, vad: Vad) -> None:
        self._vad = vad
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vad")
        self._waiting: set[VadStream] = set()
        self._called = False
        """Whether the loop will look at those who wait."""
        self._task: asyncio.Task[None] | None = None
        """Who judges a burst."""

    @property
    def idle(self) -> bool:
        """Whether all frames were judged but those that have time."""
        return not self._called and (self._task is None or self._task.done())

    def stream(self, hear: Hear, fail: Fail) -> VadStream:
        """Open a stream; `hear` gets the probabilities of its frames, in order.

        `fail` is called once if they cannot be had; nothing is heard afterwards.
        """
        return VadStream(self, self._vad.new_state(), hear, fail)

    def wait(self, stream: VadStream, *, now: bool) -> None:
        """Learn that a stream has frames, to be judged `now` or where others are.

        Those of one turn of the loop share their calls.
        """
        self._waiting.add(stream)
        if now and self.idle:
            self._called = True
            asyncio.get_running_loop().call_soon(self._look)

    def forget(self, stream: VadStream) -> None:
        """Keep nothing of a stream: frames with leeway may wait for company that never comes."""
        self._waiting.discard(stream)

    async def follow(self, state: State | None, frames: Floats) -> tuple[State, list[float]]:
        """Judge the next frames [n, 512] of a recording; `state` is None at its begin.

        They are judged some at a time, so that no stream waits long for the thread.
        """
        loop = asyncio.get_running_loop()
        now: State = self._vad.new_state() if state is None else state
        heard: list[float] = []
        for i in range(0, len(frames), self._MOST_STEPS):
            part = frames[i : i + self._MOST_STEPS]
            now, chances = await loop.run_in_executor(self._thread, self._vad.follow, now, part)
            heard.extend(chances.tolist())
        return now, heard

    async def close(self) -> None:
        """End the thread."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown, wait=True)

    def _look(self) -> None:
        self._called = False
        if sum(len(stream._frames) for stream in self._waiting) > self._FEW:
            self._task = asyncio.create_task(self._serve_burst(), name="vad")
        elif self._waiting:
            work = self._take()
            self._hand_out_all(work, self._judge_all(work))

    async def _serve_burst(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            work = self._take()
            judged = await loop.run_in_executor(self._thread, self._judge_all, work)
            self._hand_out_all(work, judged)

    def _take(self) -> list[Work]:
        """Take what is to be judged next."""
        # The state goes along: a stream gets its next one only when these frames are handed out,
        # so none of its frames may be taken before that, though more may come meanwhile.
        work = []
        for stream in self._waiting:
            frames = stream._frames[: self._MOST_STEPS]
            del stream._frames[: self._MOST_STEPS]
            work.append((stream, stream._state, frames))
        self._waiting = {stream for stream, _, _ in work if stream._frames}
        return work

    def _hand_out_all(self, work: Sequence[Work], judged: Sequence[Judged | Exception]) -> None:
        for (stream, _, _), outcome in zip(work, judged, strict=True):
            self._hand_out(stream, outcome)

    def _hand_out(self, stream: VadStream, outcome: Judged | Exception) -> None:
        if not stream._open:
            return
        try:
            if isinstance(outcome, Exception):
                raise outcome
            stream._state, chances = outcome
            stream._hear(chances)
        except Exception as error:  # noqa: BLE001 - native code may raise anything
            # This task serves everybody: what one stream led to must end with that stream.
            _LOG.exception("voice activity detection failed: %s", type(error).__name__)
            stream.close()
            stream._fail()

    def _judge_all(self, work: Sequence[Work]) -> Sequence[Judged | Exception]:
        """Judge all streams together; if that fails, each by itself."""
        try:
            return self._judge(work)
        except Exception as error:  # noqa: BLE001 - native code may raise anything
            if len(work) == 1:
                return [error]
            return [self._judge_all([single])[0] for single in work]

    def _judge(self, work: Sequence[Work]) -> list[Judged]:
        """Run frame after frame; streams with fewer frames drop out.

        The network is recurrent: a frame needs the state behind the one before it, so it is streams
        that share a call, not the frames of one.
        """
        states = [state for _, state, _ in work]
        chances: list[list[float]] = [[] for _ in work]
        for step in range(max(len(frames) for _, _, frames in work)):
            active = [i for i, (_, _, frames) in enumerate(work) if step < len(frames)]
            batch = np.stack([work[i][2][step] for i in active])
            after, found = self._vad.step([states[i] for i in active], batch)
            for i, state, chance in zip(active, after, found.tolist(), strict=True):
                states[i] = state
                chances[i].append(chance)
        return list(zip(states, chances, strict=True))
