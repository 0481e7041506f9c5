"""Which device and arithmetic the model gets, and how its tensors stay there.

CTranslate2's GPU code opens cuBLAS at the first decode, long after loading went well, so it is
looked for here, where somebody can still be told what to do.
"""

import ctypes
import importlib.util
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np

_LOG = logging.getLogger(__name__)

_CUBLAS = "libcublas.so.12"
"""As CTranslate2's wheels name it, whichever CUDA the driver is of."""
_HELP = (
    f"a GPU is here, but {_CUBLAS} is not: pip install nvidia-cublas-cu12 into this environment, "
    "or install CUDA 12"
)
_ON_GPU = ("float16", "int8_float32", "float32")
"""Best first. int8_float16 needs less memory and is for those who lack it to choose."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model runs."""

    kind: str
    """`cpu` or `cuda`."""
    index: int = 0
    note: str = ""
    """Why it is not where one would expect it, for people."""

    @property
    def torch(self) -> str:
        """Its name in torch."""
        return f"cuda:{self.index}" if self.kind == "cuda" else "cpu"


def choose_device(wanted: str, *, find_cublas: Callable[[], bool] | None = None) -> Device:
    """Return the device for `auto`, `cpu`, `cuda` or `cuda:N`; auto without cuBLAS is the CPU.

    Raises:
        RuntimeError: a GPU was asked for and cannot be used; the text says what to do.

    """
    name, _, index = wanted.partition(":")
    if not gpu_is_meant(wanted):
        if name in ("auto", "cpu"):
            return Device("cpu")
        raise RuntimeError("no NVIDIA GPU or driver is found; see what `nvidia-smi` says")
    if (find_cublas or load_cublas)():
        return Device("cuda", int(index or 0))
    if name == "cuda":
        raise RuntimeError(_HELP)
    _LOG.warning("%s; using the CPU", _HELP)
    return Device("cpu", note=_HELP)


def gpu_is_meant(wanted: str) -> bool:
    """Whether `choose_device` would look for a GPU and find one; whether it can be used is open."""
    return wanted != "cpu" and ctranslate2.get_cuda_device_count() > 0


def load_cublas() -> bool:
    """Load cuBLAS from the system or from NVIDIA's wheel; returns whether it is there.

    The loader finds a library that is loaded already by its name, so that CTranslate2 needs no
    LD_LIBRARY_PATH for the wheel.
    """
    if _loads(_CUBLAS):
        return True
    found = importlib.util.find_spec("nvidia")
    for folder in (found.submodule_search_locations or ()) if found else ():
        libraries = Path(folder) / "cublas" / "lib"
        if _loads(str(libraries / "libcublasLt.so.12")) and _loads(str(libraries / _CUBLAS)):
            return True
    return False


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True


def compute_type(wanted: str, device: Device) -> str:
    """Return CTranslate2's name of the arithmetic; `default` is the device's best."""
    if wanted != "default":
        return wanted
    if device.kind == "cpu":
        return "int8"
    supported = ctranslate2.get_supported_compute_types("cuda", device.index)
    return next(name for name in _ON_GPU if name in supported)


def storage(values: Any) -> Any:
    """Return CTranslate2's view of a contiguous array, or of a tensor on a GPU, without a copy."""
    # It takes the memory for that of the current GPU.
    with _current_gpu(getattr(values, "device", None)):
        return ctranslate2.StorageView.from_array(values)


def select(encoded: Any, indices: Sequence[int]) -> Any:
    """Return rows of encoder output [rows, positions, width], in ascending order.

    They stay on the GPU if torch can reach it; else they take the way through the CPU.
    """
    if len(indices) == encoded.shape[0]:
        return encoded
    if encoded.dtype == ctranslate2.DataType.bfloat16:
        # Neither NumPy nor the CUDA array interface knows it; CTranslate2 turns it back.
        encoded = encoded.to(ctranslate2.DataType.float32)
    if encoded.device == "cuda" and (torch := torch_on_gpu()):
        place = torch.device("cuda", encoded.device_index)
        with torch.cuda.device(place):
            rows = torch.as_tensor(encoded, device=place)[list(indices)]
            torch.cuda.current_stream(place).synchronize()
        return storage(rows)
    return storage(np.array(encoded.to_device(ctranslate2.Device.cpu))[list(indices)])


def torch_on_gpu() -> Any:
    """Return torch if it is installed and reaches a GPU, else None."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def _current_gpu(place: Any) -> Any:
    if getattr(place, "type", "") != "cuda":
        return nullcontext()
    import torch

    return torch.cuda.device(place)
