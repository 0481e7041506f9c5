"""The tape holds what was not forgotten, by its place in the recording."""

import numpy as np
import pytest

from wyoming_streamwhisper.files.tape import Tape


def test_samples_are_found_by_their_index():
    tape = Tape()
    tape.append(np.arange(10, dtype=np.float32))
    tape.forget(4)
    tape.append(np.arange(10, 20, dtype=np.float32))
    assert tape.samples(5, 12).tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert (tape.start, tape.end) == (4, 20)


def test_what_is_forgotten_is_gone():
    tape = Tape()
    tape.append(np.zeros(10, np.float32))
    tape.forget(4)
    tape.forget(2)
    with pytest.raises(IndexError):
        tape.samples(3, 5)
    with pytest.raises(IndexError):
        tape.samples(5, 11)


def test_all_can_be_forgotten():
    tape = Tape()
    tape.append(np.zeros(10, np.float32))
    tape.forget(10)
    tape.append(np.ones(2, np.float32))
    assert tape.samples(10, 12).tolist() == [1, 1]
