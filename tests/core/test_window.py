"""The sliding window gives back exactly what was put in, as long as it holds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.window import LONGEST, Window


@given(st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 90_000)), max_size=40))
def test_window_is_a_view_of_the_stream(steps: list[tuple[int, int]]) -> None:
    window = Window()
    stream = np.zeros(0, np.float32)
    for size, trimmed in steps:
        size = min(size, window.room)
        fresh = np.arange(len(stream), len(stream) + size, dtype=np.float32)
        stream = np.concatenate([stream, fresh])
        window.append(fresh)
        window.trim(window.start + trimmed)
        assert window.end == len(stream)
        assert window.end - window.start + window.room == LONGEST
        held = window.samples(window.start, window.end)
        np.testing.assert_array_equal(held, stream[window.start :])


def test_it_is_never_longer_than_whisper_looks() -> None:
    window = Window()
    window.append(np.zeros(LONGEST, np.float32))
    assert window.room == 0
    with pytest.raises(ValueError, match="room for 0"):
        window.append(np.zeros(1, np.float32))


def test_samples_outside_are_refused_and_inside_are_copies() -> None:
    window = Window()
    window.append(np.ones(10, np.float32))
    window.trim(4)
    window.trim(2)
    for start, end in ((3, 5), (5, 11), (6, 5)):
        with pytest.raises(IndexError):
            window.samples(start, end)
    window.samples(4, 10)[:] = 0
    assert window.samples(4, 10).all()
