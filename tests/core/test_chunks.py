"""Chunks hold all speech, end in pauses if there are any, and share audio if there are none."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.chunks import Chunk, Chunking, FixedCutter, PauseCutter
from wyoming_streamwhisper.core.voice import FRAME

SECOND = RATE // FRAME
"""Frames; a little less than a second."""


def chunking(least=2.0, most=10.0, overlap=2.0, pause=0.5) -> Chunking:
    return Chunking(*(int(seconds * RATE) for seconds in (least, most, overlap, pause)))


def frames(*spans: tuple[float, bool]) -> list[float]:
    """Return probabilities for spans of (seconds, whether somebody speaks)."""
    return [0.99 if speaks else 0.01 for s, speaks in spans for _ in range(round(s * SECOND))]


def cut(probabilities, form=None, step=7) -> list[Chunk]:
    cutter = PauseCutter(form or chunking(), 0.5)
    found: list[Chunk] = []
    for at in range(0, len(probabilities), step):
        found.extend(cutter.feed(probabilities[at : at + step]))
        assert all(chunk.start < cutter.silent_until for chunk in found)
    return [*found, *cutter.finish(len(probabilities) * FRAME)]


def test_silence_is_in_no_chunk():
    assert cut(frames((30, False))) == []


def test_a_pause_ends_a_chunk():
    chunks = cut(frames((1, False), (4, True), (1, False), (4, True), (3, False)))
    assert len(chunks) == 2
    assert chunks[0].end <= chunks[1].start


def test_a_short_pause_ends_no_short_chunk():
    assert len(cut(frames((1, True), (0.6, False), (3, True), (1, False)))) == 1


def test_a_long_pause_ends_a_chunk_of_any_length():
    assert len(cut(frames((1, True), (3, False), (1, True), (3, False)))) == 2


def test_without_a_pause_chunks_share_audio():
    chunks = cut(frames((60, True)))
    assert all(c.end - c.start <= 10 * RATE for c in chunks)
    shared = [a.end - b.start for a, b in itertools.pairwise(chunks)]
    assert shared == [2 * RATE] * len(shared)


def test_a_breath_is_where_an_overlap_lies():
    speech = frames((7, True))
    chunks = cut([*speech, 0.01, 0.01, *frames((20, True))])
    middle = (chunks[0].end + chunks[1].start) / 2
    assert abs(middle - (len(speech) + 1) * FRAME) <= FRAME


spans = st.lists(st.tuples(st.floats(0.1, 8.0), st.booleans()), max_size=20)


@given(spans, st.integers(1, 400))
def test_all_speech_is_in_a_chunk_however_frames_come(spans, step):
    probabilities = frames(*spans)
    chunks = cut(probabilities, step=step)
    assert chunks == cut(probabilities, step=100_000)
    heard = [False] * len(probabilities)
    for chunk in chunks:
        for i in range(chunk.start // FRAME, min(-(-chunk.end // FRAME), len(heard))):
            heard[i] = True
    runs = itertools.groupby(range(len(probabilities)), key=lambda i: probabilities[i] > 0.5)
    for speaks, run in runs:
        indices = list(run)
        if speaks and len(indices) >= 3:  # shorter is a click
            assert all(heard[i] for i in indices)


@given(spans)
def test_chunks_are_in_order_and_not_too_long(spans):
    chunks = cut(frames(*spans))
    assert all(0 < c.end - c.start <= 10 * RATE for c in chunks)
    for a, b in itertools.pairwise(chunks):
        assert a.start < b.start
        assert a.end < b.end
        assert a.end - b.start <= 2 * RATE


@given(st.integers(0, 100 * RATE), st.integers(1, 999))
def test_the_fixed_scheme_covers_everything(total, step):
    cutter = FixedCutter(10 * RATE, 2 * RATE)
    chunks, count = [], -(-total // FRAME)
    for at in range(0, count, step):
        chunks.extend(cutter.feed([1.0] * min(step, count - at)))
    chunks.extend(cutter.finish(total))
    if total:
        assert chunks[0].start == 0
        assert chunks[-1].end >= total
    for a, b in itertools.pairwise(chunks):
        assert b.start - a.start == 8 * RATE
        assert b.start < a.end


def test_impossible_chunks_are_refused():
    with pytest.raises(ValueError, match="cannot share"):
        chunking(most=2.0)
    with pytest.raises(ValueError, match="at least"):
        chunking(least=11.0)
    with pytest.raises(ValueError, match="cannot share"):
        FixedCutter(2 * RATE, 2 * RATE)
