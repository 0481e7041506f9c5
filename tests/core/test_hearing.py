"""Samples and voice together: what is said of them lies within what was heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.hearing import Hearing
from wyoming_streamwhisper.core.voice import FRAME

SETTLE = int(0.2 * RATE)


def heard(frames: str, short: int = 0) -> Hearing:
    """Hear a frame for each letter, `#` for speech; the last one lacks so many samples."""
    hearing = Hearing(0.5, SETTLE)
    hearing.window.append(np.zeros(len(frames) * FRAME - short, np.float32))
    hearing.voice.feed([0.99 if letter == "#" else 0.01 for letter in frames])
    return hearing


@given(st.text("#.", min_size=1, max_size=80), st.integers(0, FRAME - 1))
def test_nothing_lies_beyond_what_was_heard(frames: str, short: int) -> None:
    hearing = heard(frames, short)
    end = hearing.window.end
    assert hearing.known <= end
    pauses = hearing.pauses()
    assert all(until <= end for _, until in pauses)
    assert all(0 < begin <= until for begin, until in pauses[:-1])
    settled = hearing.settled()
    assert settled is None or SETTLE < settled <= end


@given(st.text("#.", min_size=1, max_size=60), st.integers(0, 20))
def test_the_final_made_in_advance_is_the_one_that_is_wanted(frames: str, behind: int) -> None:
    now, later = heard(frames), heard(frames + "." * behind)
    settled = now.settled()
    if settled is not None:
        assert later.settled() == settled, "however long the silence is"
        assert later.last_end(later.window.end) == settled


@given(st.text("#.", min_size=1, max_size=60), st.integers(0, 61 * FRAME))
def test_what_is_forgotten_is_forgotten_on_both_sides(frames: str, before: int) -> None:
    hearing = heard(frames)
    quiet = hearing.voice.quiet
    hearing.forget(before)
    assert hearing.window.start == min(before, hearing.window.end)
    finished = [s for s in hearing.voice.stretches if s.end < hearing.voice.known]
    assert all(stretch.end > before for stretch in finished)
    assert hearing.voice.quiet == quiet, "silence is counted on"


@pytest.mark.parametrize(
    ("frames", "until", "worth"),
    [
        ("." * 40, 40 * FRAME - 3 * FRAME - int(0.3 * RATE), int(0.3 * RATE)),
        ("." * 40 + "##", 42 * FRAME - 3 * FRAME - int(0.3 * RATE), int(0.3 * RATE)),
        ("." * 40 + "###", 40 * FRAME - int(0.3 * RATE), 1),
        ("#" * 5, -int(0.3 * RATE), 1),
    ],
    ids=["nobody", "perhaps", "somebody", "at once"],
)
def test_silence_ends_a_little_before_the_speech(frames: str, until: int, worth: int) -> None:
    assert heard(frames).silence() == (until, worth)


@pytest.mark.parametrize(("frames", "leeway"), [("....", SETTLE // 2), ("####", SETTLE // 2)])
def test_frames_may_wait_but_not_in_a_pause(frames: str, leeway: int) -> None:
    assert heard(frames).leeway == leeway
    assert heard(f"{frames}####.").leeway == 0
