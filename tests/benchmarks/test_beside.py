"""Commands with and without a file beside: sums of a report, and a short run on our own daemon."""

import json
from pathlib import Path

import pytest

from benchmarks.beside import Report, Said, Span, main, table
from tests.clips import FOLDER


def said(busy: bool, seconds: float | None) -> Said:
    return Said(busy, 0.7, "a.flac", "", None if seconds else "timeout", seconds, 0.003)


def test_busy_is_a_multiple_of_idle() -> None:
    report = Report([said(False, 0.01), said(True, 0.015), said(True, 0.015), said(True, None)])
    row = table(report).rows[0]
    assert row == ["0.7 s", "10.0 / 10.0", "15.0 / 15.0", "1.50", "1 / 2", "1", "3"]


def test_the_files_speed_is_that_of_all_stretches() -> None:
    report = Report(spans=[Span(True, 10.0, 500.0), Span(True, 30.0, 300.0), Span(False, 5.0, 5.0)])
    assert report.speed(alone=True) == 20.0
    assert report.speed(alone=False) == 1.0
    assert Report().speed(alone=True) is None


def test_a_run_measures_both_and_can_be_joined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    few = ["--rounds", "1", "--clips", "1", "--minutes", "0.3", "--alone", "0.5"]
    assert main([str(FOLDER), *few, "--sets", "command", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert [(one["busy"], one["trailing_s"], one["error"]) for one in report["said"]] == [
        (False, 0.7, None),
        (False, 0.0, None),
        (True, 0.7, None),
        (True, 0.0, None),
    ]
    assert sum(span["done_s"] for span in report["spans"]) > 0
    assert "x real time beside commands" in capsys.readouterr().out
