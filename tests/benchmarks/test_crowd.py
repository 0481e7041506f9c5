"""Up to how many satellites answers are in time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.crowd import Level, carried, chart, table
from wyoming_streamwhisper.client.record import Conversation, Sent

LEVELS = [(1, 0.1), (2, 0.2), (4, 0.31), (6, 0.2), (8, 1.5)]


def answered(seconds: float | None) -> Conversation:
    """Audio-stop at 5.0 and a transcript so much later; None is a refusal."""
    record = Conversation(begun_at=1.0, sent=[Sent(4.0, 5.01)], stop_sent_at=5.0)
    if seconds is None:
        record.fail("overloaded", "too many")
    else:
        record.transcript_at = 5.0 + seconds
    return record


def test_the_first_number_that_is_late_ends_what_is_carried() -> None:
    """Six were in time again by luck."""
    assert carried(LEVELS, 0.3) == 2
    assert carried(LEVELS, 1.0) == 6
    assert carried(LEVELS, 2.0) == 8
    assert carried([(1, 0.5)], 0.3) == 0
    assert carried([], 0.3) == 0


@given(st.lists(st.floats(0, 3), min_size=1), st.floats(0, 3), st.floats(0, 3))
def test_a_looser_limit_carries_no_fewer(p95s: list[float], one: float, other: float) -> None:
    levels = list(enumerate(p95s, start=1))
    assert carried(levels, min(one, other)) <= carried(levels, max(one, other))


def test_a_refusal_is_an_answer_that_never_came() -> None:
    """One of ten is enough for the 95th percentile, and does not touch the median."""
    level = Level("ours", 10)
    for seconds in [0.1] * 9:
        level.note(answered(seconds))
    assert level.p95 == pytest.approx(0.1)
    level.note(answered(None))
    assert level.p95 == math.inf
    assert level.row()["p95"] is None
    assert level.row()["p50"] == pytest.approx(0.1)
    assert level.row()["errors"] == {"overloaded": 1}
    assert level.row()["utterances"] == 10


def test_the_table_says_where_the_search_ended() -> None:
    rows = []
    for satellites, seconds in ((1, 0.1), (2, 0.4), (4, None)):
        level = Level("ours", satellites)
        level.note(answered(seconds))
        rows.append(level.row())
    assert table(rows).rows[0][:5] == [
        "ours",
        "1",
        "2",
        "100, 400, ∞, –, –",
        "1 overloaded of 1 at 4",
    ]
    assert table(rows[:1]).rows[0][1:3] == ["≥ 1", "≥ 1"]
    assert "<svg" in chart(rows).svg()
