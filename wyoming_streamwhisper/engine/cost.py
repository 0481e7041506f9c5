"""How long a batch will take, learned from those before it: pure, no clock.

A batch costs a + b * (frames of all) + c * (steps of the longest) + d * (steps of all): a pass over
the model's weights, the encoder's work, and the decoder's, once for the batch and once for each
row. On a CPU, where arithmetic is what lasts, a and c are next to nothing and a batch of two takes
twice as long as one; on a GPU they are nearly everything. Nobody has to say which it is.

Robust: one row of the fit is the median of the last batches of like shape, errors count relative
to the time, and no coefficient is negative. What the line misses of a shape (attention grows with
the square of the context), the median ratio of that shape adds.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_KEPT = 9
"""Batches of like shape that are remembered: enough for a median, few enough to follow a change."""
_TOKENS = 4.0
"""Tokens of a second of speech, about, in the languages that Whisper reads well."""
_BETTER = 0.98
"""Share of the error that must remain at most for a further coefficient to be worth it."""
_UNKNOWN = (0.02, 0.002, 0.0, 0.0)
"""Coefficients before anything is known: batches are thought to pay, because trying shows it."""


class Shape(NamedTuple):
    """What of a batch decides how long it takes."""

    requests: int
    context: float
    """Seconds of audio context of each."""
    steps: float
    """Decoder steps of the longest, times its beam."""


class Observation(NamedTuple):
    """A batch that was decoded."""

    shape: Shape
    seconds: float


def steps(seconds: float, prefix: int, beam: int) -> float:
    """Return the decoder steps to expect for so many seconds of audio and forced tokens."""
    return (max(_TOKENS * seconds, prefix) + 1) * beam


@dataclass(slots=True)
class _Stratum:
    """The last batches of like shape."""

    seen: deque[Observation]
    typical: NDArray[np.float64]
    """Terms of the line, on average."""
    seconds: float = 0.0
    ratio: float = 1.0
    """What the line has to be multiplied with."""

    def add(self, observation: Observation) -> None:
        self.seen.append(observation)
        self.typical = np.mean([_terms(one.shape) for one in self.seen], axis=0)
        self.seconds = median(one.seconds for one in self.seen)


class CostModel:
    """Predicts the time of a batch from its shape."""

    def __init__(self) -> None:
        self._strata: dict[tuple[int, float], _Stratum] = {}
        self._line: NDArray[np.float64] = np.array(_UNKNOWN)
        self._unlearned = 0
        self._learned = 0

    def learn(self, shape: Shape, seconds: float) -> None:
        """Take in how long a batch took."""
        key = _like(shape)
        if new := key not in self._strata:
            self._strata[key] = _Stratum(deque(maxlen=_KEPT), _terms(shape))
        self._strata[key].add(Observation(shape, max(seconds, 1e-5)))
        self._learned += 1
        self._unlearned += 1
        # Often while little is known; later one fit for some batches is enough.
        if new or self._unlearned > min(self._learned // 4, _KEPT // 2):
            self._fit()

    def predict(self, shape: Shape) -> float:
        """Return the seconds that a batch is expected to take."""
        line = float(_terms(shape) @ self._line)
        stratum = self._strata.get(_like(shape)) or self._nearest(shape)
        return line * (stratum.ratio if stratum else 1.0)

    def _nearest(self, shape: Shape) -> _Stratum | None:
        """Return the batches of another size that had the same context, the nearest ones."""
        size, context = _like(shape)
        same = [key for key in self._strata if key[1] == context]
        return self._strata[min(same, key=lambda key: abs(key[0] - size))] if same else None

    def _fit(self) -> None:
        self._unlearned = 0
        strata = list(self._strata.values())
        self._line = _fit_line(
            np.array([one.typical for one in strata]), np.array([one.seconds for one in strata])
        )
        for one in strata:
            # Two that are just as the line says: a single strange batch decides nothing.
            ratios = [o.seconds / float(_terms(o.shape) @ self._line) for o in one.seen]
            one.ratio = median([1.0, 1.0, *ratios])


def _terms(shape: Shape) -> NDArray[np.float64]:
    frames, steps = shape.requests * shape.context, shape.requests * shape.steps
    return np.array([1.0, frames, shape.steps, steps])


def _like(shape: Shape) -> tuple[int, float]:
    """Return what batches of like shape have in common: about the size, and the context."""
    return shape.requests.bit_length(), shape.context


def _fit_line(terms: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least squares of relative errors without negative coefficients.

    There are so few coefficients that all choices of them are tried. A choice of more must be
    clearly better: where only single requests were seen, what a batch saves is left open, and it
    is thought to save, because that shows itself as soon as it is tried.
    """
    weighed = terms / seconds[:, None]
    best, least = np.array(_UNKNOWN), float("inf")
    for chosen in _choices(terms.shape[1]):
        found, *_ = np.linalg.lstsq(weighed[:, chosen], np.ones(len(seconds)), rcond=None)
        if (found < 0).any() or not found.any():
            continue
        error = float(np.square(weighed[:, chosen] @ found - 1).sum())
        if error < _BETTER * least - 1e-9:
            least, best = error, np.zeros(terms.shape[1])
            best[list(chosen)] = found
    return best


def _choices(count: int) -> Sequence[list[int]]:
    """List all non-empty sets of coefficients, small ones first."""
    sets = chain.from_iterable(combinations(range(count), size) for size in range(1, count + 1))
    return [list(chosen) for chosen in sets]
