"""Voice activity: Silero as an ONNX network or on torch, and the service that batches streams."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_streamwhisper.core.audio import Samples
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine.api import State, Vad

_LOG = logging.getLogger(__name__)

Floats = NDArray[np.float32]

_CONTEXT = 64
"""Samples of the frame before that the network sees again."""
_UNITS = 128


class Silero(ABC):
    """The network's state and input, which are the same however it is run."""

    def new_state(self) -> State:
        """Return zeros: both recurrent states [128] and the frame before [64]."""
        return tuple(np.zeros(n, np.float32) for n in (_UNITS, _UNITS, _CONTEXT))

    def step(self, states: Sequence[State], frames: Floats) -> tuple[list[State], Floats]:
        """Judge one frame [512] of each stream in one call."""
        h, c, context = (np.stack(part) for part in zip(*states, strict=True))
        chances, h, c = self._run(np.concatenate([context, frames], axis=1), h, c)
        after: list[State] = [(h[i], c[i], frames[i, -_CONTEXT:]) for i in range(len(frames))]
        return after, chances.reshape(-1)

    def follow(self, state: State, frames: Floats) -> tuple[State, Floats]:
        """Judge further frames [n, 512] of one stream, one after the other."""
        chances = np.zeros(len(frames), np.float32)
        for i, frame in enumerate(frames):
            (state,), chances[i : i + 1] = self.step([state], frame[None])
        return state, chances

    @abstractmethod
    def _run(self, seen: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """Return probabilities and the next states of [streams, 576] samples and both states."""


class OnnxVad(Silero):
    """The network that faster-whisper ships, changed to take one frame of each of many streams.

    As shipped it takes many frames of one stream: its recurrent layer runs over the first axis.
    Swapping two axes on both sides of that layer makes the first axis the streams.
    """

    def __init__(self) -> None:
        self._session = _onnx_session(_batched_network())
        self._single: Any = None
        """The network as shipped, once somebody needs it."""

    def follow(self, state: State, frames: Floats) -> tuple[State, Floats]:
        """Judge them in one call, which costs half as much a frame."""
        if not len(frames):
            return state, np.zeros(0, np.float32)
        self._single = self._single or _onnx_session(_shipped_network().read_bytes())
        h, c, context = state
        contexts = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
        seen = np.concatenate([contexts, frames], axis=1)
        chances, h, c = self._single.run(
            None, {"input": seen, "h": h[None, None], "c": c[None, None]}
        )
        after: State = (h[0, 0], c[0, 0], frames[-1, -_CONTEXT:].copy())
        return after, np.asarray(chances, np.float32).reshape(-1)

    def _run(self, seen: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        chances, h, c = self._session.run(None, {"input": seen, "h": h[None], "c": c[None]})
        return np.asarray(chances, np.float32), h[0], c[0]


def _onnx_session(network: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _shipped_network() -> Path:
    import faster_whisper

    return Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"


def _batched_network() -> bytes:
    import onnx

    network: Any = onnx.load(str(_shipped_network()))
    before, after = [node for node in network.graph.node if node.op_type == "Transpose"]
    # [streams, units, 1] -> [1, streams, units] for the layer, and [1, units, streams] behind it.
    before.attribute[0].ints[:] = [2, 0, 1]
    after.attribute[0].ints[:] = [0, 2, 1]
    for put in (*network.graph.input, *network.graph.output):
        if put.name in ("h", "c", "hn", "cn"):
            put.type.tensor_type.shape.dim[1].dim_param = "streams"
    return bytes(network.SerializeToString())


class TorchVad(Silero):
    """The `silero-vad` package on torch (extra `torch`)."""

    def __init__(self, device: str = "cpu") -> None:
        """Load it onto a torch device: `cpu` or `cuda`.

        Raises:
            ImportError: the extra is not installed.
            RuntimeError: torch cannot use a GPU.

        """
        import torch

        if device != "cpu" and not torch.cuda.is_available():
            raise RuntimeError("this torch cannot use a GPU; install one for CUDA")
        from silero_vad import load_silero_vad  # sets torch to one thread, and more is slower here

        self._torch = torch
        self._device = torch.device(device)
        self._network = load_silero_vad(onnx=False)._model.to(self._device)

    def _run(self, seen: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        torch = self._torch
        with torch.inference_mode():
            chances, state = self._network(
                torch.from_numpy(seen).to(self._device),
                torch.from_numpy(np.stack([h, c])).to(self._device),
            )
        h, c = state.cpu().numpy()
        return chances.cpu().numpy(), h, c


def make_vad(name: str) -> Vad:
    """Return the detection of this name (an option's choice).

    Raises:
        ImportError: torch is needed and its extra is not installed.
        RuntimeError: `cuda` was asked for and torch finds no GPU.

    """
    if name == "onnx":
        return OnnxVad()
    return TorchVad("cuda" if name == "cuda" else "cpu")


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
        """Run frame after frame; streams with fewer frames drop out."""
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
