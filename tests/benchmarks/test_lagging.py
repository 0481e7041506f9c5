"""LAAL, on examples worked out by hand from its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.lagging import length_adaptive_average_lagging


def test_words_that_come_as_they_are_spoken_lag_by_nothing() -> None:
    """Four words in 2 s, each shown when an even voice would begin it."""
    assert length_adaptive_average_lagging([0.0, 0.5, 1.0, 1.5], 2.0, 4) == 0.0


def test_the_mean_stops_at_the_first_word_behind_the_speech() -> None:
    """(1 - 0 + 1.5 - 0.5 + 2.4 - 1) / 3; the word at 2.5 s is not counted."""
    lag = length_adaptive_average_lagging([1.0, 1.5, 2.4, 2.5], 2.0, 4)
    assert lag == pytest.approx(3.4 / 3)


def test_all_words_behind_the_speech_lag_as_the_first_one() -> None:
    assert length_adaptive_average_lagging([2.7, 2.7, 2.7], 2.0, 3) == 2.7


def test_words_that_were_never_said_are_no_advantage() -> None:
    """Four words where two were said: they are expected as densely as they came."""
    plain = length_adaptive_average_lagging([1.0, 1.0, 1.0, 1.0], 2.0, 4)
    assert length_adaptive_average_lagging([1.0, 1.0, 1.0, 1.0], 2.0, 2) == plain


@given(st.lists(st.floats(0, 20), min_size=1).map(sorted), st.floats(0.1, 20), st.integers(0, 40))
def test_everything_later_by_a_while_lags_more(
    shown: list[float], source: float, reference: int
) -> None:
    """Not by the same while: later, fewer words lie within the speech."""
    within = [at for at in shown if at < source]
    lag = length_adaptive_average_lagging(shown, source, reference)
    assert lag <= shown[-1]
    if len(within) == len(shown) and shown[-1] + 0.01 < source:
        later = length_adaptive_average_lagging([at + 0.01 for at in shown], source, reference)
        assert later == pytest.approx(lag + 0.01)


def test_without_words_there_is_no_lag() -> None:
    with pytest.raises(ValueError, match="no words"):
        length_adaptive_average_lagging([], 2.0, 3)
