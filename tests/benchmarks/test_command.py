"""A command that measures shows what it found and keeps it."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.command import measured


@dataclass(frozen=True)
class Row:
    value: float


def test_what_was_found_is_kept_and_its_table_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(arguments: argparse.Namespace) -> list[Row]:
        return [Row(arguments.seconds)]

    ask = argparse.ArgumentParser()
    ask.add_argument("--seconds", type=float, default=8.0)
    kept = tmp_path / "kept.json"
    told = ["--seconds", "2", "--json", str(kept)]
    assert measured(ask, told, run, lambda rows: f"{len(rows)} row") == 0
    assert capsys.readouterr().out == "1 row\n"
    assert json.loads(kept.read_text()) == [{"value": 2.0}]
