"""What one utterance shows, and the tables of many."""

import numpy as np
import pytest
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart

from benchmarks.accuracy import Clip
from benchmarks.alone import Cell, Heard, heard, plan
from benchmarks.latency import end_chart, end_table, stop_chart, stop_table, words_table
from benchmarks.settings import SHORT, TINY
from benchmarks.speech import Spoken
from tests.benchmarks.test_accuracy import record

CLIP = Clip("a.flac", "pauses", "en", 2.0, "Turn on.", ((0.0, 0.6), (0.6, 2.0)))
SPOKEN = Spoken(CLIP, np.zeros(32_000, np.int16), 2.0)


def rows(*utterances: Heard) -> list[dict[str, object]]:
    from dataclasses import asdict

    return [asdict(one) for one in utterances]


def answered(at: float, seconds: float = 3.0, stop: float | None = None) -> Heard:
    """Say two words, shown 0.5 s after the first and with the transcript at `at`."""
    made = record(
        (1.1, TranscriptStart()),
        (1.1, TranscriptChunk("Turn")),
        (at, Transcript("Turn on.")),
        seconds=seconds,
    )
    made.stop_sent_at = None if stop is None else 100.0 + stop
    return heard("ours", Cell(SPOKEN, None if stop is None else 0.7), made)


def test_one_utterance_is_measured_from_its_stop_and_from_its_voice() -> None:
    one = answered(3.2, stop=3.0)
    assert one.stop_to_text == pytest.approx(0.2)
    assert one.end_to_text == pytest.approx(1.2)
    assert one.delays == pytest.approx((0.5, 1.2))
    # Both words are expected 1 s apart: (1.1 - 0 + 3.2 - 1) / 2.
    assert one.laal == pytest.approx(1.65)
    assert not one.cut


def test_an_answer_before_the_voice_has_ended_is_cut() -> None:
    one = answered(1.5, seconds=1.5)
    assert one.cut
    assert one.end_to_text is None


def test_every_clip_is_spoken_with_every_silence() -> None:
    cells = plan([SPOKEN] * 10, SHORT)
    lengths = [cell.trailing_s for cell in cells]
    assert {length: lengths.count(length) for length in lengths} == {
        None: 8,
        0.7: 8,
        0.0: 4,
        0.25: 4,
        1.25: 4,
    }
    assert len(plan([SPOKEN], TINY)) == 3


def test_tables_compare_with_the_first_server() -> None:
    many = rows(answered(3.1, stop=3.0), answered(3.3, stop=3.0), answered(2.4, seconds=2.4))
    for row in many[1:]:
        row["server"] = "other"
    stop = stop_table(many)
    assert stop.header == ["server", "0.7 s", "n", "errors", "sent late, ms"]
    assert [row[:3] for row in stop.rows] == [
        ["ours", "100 / 100", "1"],
        ["other", "300 / 300 (× 3.0)", "1"],
    ]
    ends = [row[:6] for row in end_table(many).rows]
    assert ends == [
        ["ours", "client, 0.7 s", "1100 / 1100", "1", "0", "0 of 1"],
        ["other", "client, 0.7 s", "1300 / 1300", "1", "0", "0 of 1"],
        ["other", "server", "400 / 400", "1", "0", "0 of 1"],
    ]
    words = words_table(many, 0.7).rows
    assert [row[0] for row in words] == ["ours", "other"]
    assert words[0][2:4] == ["0.80 / 1.07", "2"]
    assert stop_chart(many).svg().count("<circle") == 3
    assert "client, 0.7 s" in end_chart(many).svg()
