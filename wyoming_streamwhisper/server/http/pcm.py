"""Audio as WebSocket clients write it, turned into what a stream takes; nothing else is trusted."""

import base64
import binascii
import io

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from wyoming_streamwhisper.server.http.problems import Problem

_LARGEST = 30 * 48_000
"""Samples of one array: half a minute at the highest rate."""
_MU_LAW_BIAS, _A_LAW_FLIP = 0x84, 0x55


def from_float(samples: npt.NDArray[np.float32]) -> bytes:
    """Write float samples, -1 to 1, as 32 bit integers, which keeps all of their precision.

    Raises:
        Problem: one of them is no finite number.

    """
    if not np.isfinite(samples).all():
        raise Problem(400, "bad-audio", "a sample is no finite number")
    scaled = np.clip(samples.astype(np.float64), -1.0, 1.0) * (2**31 - 1)
    return scaled.astype("<i4").tobytes()


def from_npy(message: bytes) -> npt.NDArray[np.float32]:
    """Read a `.npy` file: a float32 array of one dimension, which cannot hold any code.

    Raises:
        Problem: it is something else.

    """
    file = io.BytesIO(message)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        # The header first: it says how much memory the array wants.
        shape, _, dtype = read(file)
        if dtype == np.float32 and len(shape) == 1 and shape[0] <= _LARGEST:
            file.seek(0)
            return npy.read_array(file, allow_pickle=False)
    except Exception:  # noqa: BLE001 - what numpy's parser of headers may raise has no end
        raise Problem(400, "bad-audio", "a message is no .npy array") from None
    raise Problem(400, "bad-audio", "an array is not float32 of one dimension, up to 30 s")


def from_base64(text: str) -> bytes:
    """Read bytes written in base64.

    Raises:
        Problem: they are not.

    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(400, "bad-audio", "audio is no base64", "audio") from None


def from_law(data: bytes, law: str) -> bytes:
    """Write G.711 as 16 bit PCM; `law` is `audio/pcmu` or `audio/pcma` (ITU-T G.711)."""
    return _TABLES[law][np.frombuffer(data, np.uint8)].tobytes()


def _mu_law() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = ((2 * mantissa + 33) << exponent) * 4 - _MU_LAW_BIAS
    return np.where(code & 0x80, -size, size).astype("<i2")


def _a_law() -> npt.NDArray[np.int16]:
    code = np.arange(256, dtype=np.uint8) ^ _A_LAW_FLIP
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = 2 * mantissa + 1 + 32 * (exponent > 0) << np.maximum(exponent - 1, 0)
    return np.where(code & 0x80, 8 * size, -8 * size).astype("<i2")


_TABLES = {"audio/pcmu": _mu_law(), "audio/pcma": _a_law()}
