"""Audio on its way in: each sample once and in order, however it comes, and never too many."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_streamwhisper.core.audio import RATE, AudioFormat, Samples
from wyoming_streamwhisper.core.convert import Converter
from wyoming_streamwhisper.session.intake import Intake

FORMATS = [AudioFormat(), AudioFormat(rate=8_000), AudioFormat(rate=48_000, width=1, channels=2)]
LONGEST = 700

# Drawn byte by byte, hypothesis would hardly ever make more than the longest utterance.
recordings = st.builds(
    lambda seed, n: Random(seed).randbytes(n), st.integers(), st.integers(0, 3_000)
)


def drain(intake: Intake, room: int) -> list[Samples]:
    taken = []
    while not intake.empty:
        taken.append(intake.take(room))
        assert 0 < len(taken[-1]) <= room
    return taken


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(FORMATS), recordings), max_size=4),
    st.integers(1, 2_000),
    st.integers(1, 1_000),
)
def test_every_sample_comes_out_once_and_in_order(
    streams: list[tuple[AudioFormat, bytes]], size: int, room: int
) -> None:
    intake, heard, expected = Intake(LONGEST), [np.zeros(0)], [np.zeros(0)]
    last = None
    for form, pcm in streams:
        if form == last or not pcm:  # that is the same stream of bytes, or none
            continue
        last, converter = form, Converter(form)
        expected += [converter.feed(pcm), converter.flush()]
        for at in range(0, len(pcm), size):
            if intake.feed(pcm[at : at + size], form):
                heard += drain(intake, room)
            else:
                assert not intake.full, "whoever waits for the end is told"
    intake.flush()
    heard += drain(intake, room)
    assert np.array_equal(np.concatenate(heard), np.concatenate(expected)[:LONGEST])
    assert intake.full == (sum(map(len, expected)) >= LONGEST)


def test_bytes_wait_for_a_whole_frame_of_voice_activity() -> None:
    intake = Intake(RATE)
    assert [intake.feed(bytes(320), AudioFormat()) for _ in range(7)] == [
        *[False] * 3,
        True,
        *[False] * 2,
        True,
    ]


def test_a_sender_far_ahead_floods_until_there_is_room() -> None:
    intake = Intake(3600 * RATE)
    intake.hear(np.zeros(30 * RATE, np.float32))
    assert not intake.flooded
    intake.hear(np.zeros(1, np.float32))
    assert intake.flooded
    intake.take(1)
    assert not intake.flooded


def test_who_sends_faster_than_anybody_speaks_is_ahead() -> None:
    now = 10.0
    intake = Intake(3600 * RATE, lambda: now)
    intake.hear(np.zeros(10 * RATE, np.float32))
    intake.take(4 * RATE)
    assert intake.ahead(4 * RATE) == 0.0
    assert intake.ahead(10 * RATE) == pytest.approx(10 - 4 - 1, abs=0.1)
    now += 6.0
    assert intake.ahead(10 * RATE) == 0.0
