"""Percentiles: the one way in which all benchmarks sum up what they measured."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of `n` values, in the unit of the values."""

    n: int
    p50: float
    p95: float


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie, between ranks linearly.

    As numpy's default, but for infinity, which stands for an answer that never came: a percentile
    that would lie between a value and infinity is infinite. Raises ValueError without values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below, rest = math.floor(place), place - math.floor(place)
    if not rest:
        return ordered[below]
    low, high = ordered[below], ordered[below + 1]
    return high if math.isinf(high) else low + rest * (high - low)


def spread(values: Iterable[float | None]) -> Spread | None:
    """Return the spread of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(len(known), percentile(known, 0.5), percentile(known, 0.95))
