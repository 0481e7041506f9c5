"""Percentiles are numpy's, and infinity stays infinity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import percentile, spread

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(VALUES, st.floats(0, 1))
def test_percentiles_are_those_of_numpy(values: list[float], share: float) -> None:
    assert percentile(values, share) == pytest.approx(np.quantile(values, share), abs=1e-6)


def test_an_answer_that_never_came_makes_its_percentiles_infinite() -> None:
    """With one of ten missing, the median is known and the 95th percentile is not."""
    answers = [*map(float, range(9)), math.inf]
    assert percentile(answers, 0.5) == 4.5
    assert percentile(answers, 0.95) == math.inf
    assert percentile([math.inf, math.inf], 0.5) == math.inf


def test_what_is_not_known_is_left_out() -> None:
    summed = spread([None, 1.0, 3.0])
    assert summed is not None
    assert (summed.n, summed.p50) == (2, 2.0)
    assert spread([None]) is None
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
