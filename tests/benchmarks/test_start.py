"""The medians of several starts."""

from benchmarks.start import table


def test_a_server_that_tells_nobody_has_no_ready() -> None:
    rows = [
        {"server": "ours", "accepts": 0.7, "ready": 1.9, "transcript": 2.0},
        {"server": "ours", "accepts": 0.9, "ready": 2.1, "transcript": 2.4},
        {"server": "other", "accepts": 3.0, "ready": None, "transcript": None},
    ]
    assert table(rows).rows == [
        ["ours", "0.80", "2.00", "2.20", "2"],
        ["other", "3.00", "–", "–", "1"],
    ]
