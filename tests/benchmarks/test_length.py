"""The cost of a second of audio, from readings."""

from benchmarks.length import chart, table


def reading(seconds: float, error: str | None = None) -> dict[str, object]:
    """Half a second of CPU for each second, read every 5 s and 0.2 s for the answer."""
    return {
        "server": "ours",
        "seconds": seconds,
        "cpu_s": 0.5 * seconds + 0.2,
        "along_s": [0.5 * at for at in range(5, int(seconds) + 1, 5)],
        "stop_to_text": None if error else 0.02,
        "error": error,
    }


def test_the_answer_counts_and_failures_say_why() -> None:
    made = table([reading(2), reading(10), reading(20, "timeout")])
    assert made.header == ["server", "2 s", "10 s", "20 s"]
    assert made.rows == [["ours", "0.60 (20)", "0.52 (20)", "timeout"]]


def test_the_chart_shows_the_longest_without_its_answer() -> None:
    drawn = chart([reading(2), reading(10)])
    assert drawn.series == [("ours", [(5.0, 0.5), (10.0, 0.5)])]
