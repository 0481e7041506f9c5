"""What audio is: the samples that every room speaks of, and the formats that a client may send."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

RATE = 16_000
"""Hz of every sample inside the daemon; Whisper and Silero know no other."""

Samples = npt.NDArray[np.float32]
"""Shape (n,): mono, 16 kHz, -1 to 1."""

_ALLOWED = {"rate": (8_000, 48_000), "width": (1, 4), "channels": (1, 8)}


class AudioFormatError(ValueError):
    """A format that no legal audio has; `field`, `value` and `allowed` say what is wrong."""

    def __init__(self, field: str, value: object, allowed: tuple[int, int]) -> None:
        low, high = allowed
        super().__init__(f"{field} is {value!r}, not a whole number from {low} to {high}")
        self.field, self.value, self.allowed = field, value, allowed


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How PCM is written: little endian; width 1 is unsigned, wider is signed.

    Raises AudioFormatError when made of anything else.
    """

    rate: int = RATE
    """Frames a second, 8000 to 48000 Hz."""
    width: int = 2
    """Bytes of one channel's sample, 1 to 4."""
    channels: int = 1
    """1 to 8, interleaved."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, (low, high) = getattr(self, field.name), _ALLOWED[field.name]
            if type(value) is not int or not low <= value <= high:  # a bool is no number here
                raise AudioFormatError(field.name, value, (low, high))

    @property
    def frame(self) -> int:
        """Bytes of one frame: a sample of each channel."""
        return self.width * self.channels
