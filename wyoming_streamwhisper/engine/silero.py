"""Silero's voice activity network, as an ONNX network or on torch, many streams in one call."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_streamwhisper.engine.api import State, Vad

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
