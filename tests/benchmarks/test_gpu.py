"""The benchmark of a device works on any machine, if only to show that it does."""

import json
from pathlib import Path

import pytest

from benchmarks import gpu


def test_it_measures_batches_voice_activity_and_live_satellites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.json"
    small = "--device cpu --batches 1,2 --times 1 --live 2 --seconds 0.1 --audio 1 --cpu-threads 1"
    gpu.main([*small.split(), "--json", str(out)])
    found = json.loads(out.read_text())
    assert [(one["kind"], one["size"]) for one in found["batches"]] == [
        ("partial", 1),
        ("partial", 2),
        ("final", 1),
        ("final", 2),
    ]
    for one in found["batches"]:
        assert 0 < sum(one["shares"].values()) <= 1
    assert list(found["vad_ms"]) == ["2"]
    assert found["live"][0]["satellites"] == 2
    assert "| final | 2 |" in capsys.readouterr().out


def test_speech_is_as_long_as_asked_for() -> None:
    assert len(gpu.speech(20.0)) == 320_000
    assert len(gpu.speech(0.5)) == 8_000
