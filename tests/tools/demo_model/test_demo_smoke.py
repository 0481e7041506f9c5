"""The whole chain, tiny: speech, training, export, evaluation (two minutes; asked for by name).

DEMO_MODEL_SMOKE=1 pytest tests/tools/demo_model/test_demo_smoke.py
"""

from __future__ import annotations

import json
import os

import pytest

pytestmark = [
    pytest.mark.skipif("DEMO_MODEL_SMOKE" not in os.environ, reason="set DEMO_MODEL_SMOKE=1"),
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("default"),  # of the tools around the recipe, not ours
]


def test_the_recipe_runs_from_speech_to_figures(tmp_path):
    """Every stage leaves what the next needs, and goes on where it stopped."""
    for module in ("torch", "whisper", "transformers", "jiwer", "soundfile", "matplotlib"):
        pytest.importorskip(module)
    from tools.demo_model.__main__ import main

    work = ["--work", str(tmp_path), "--smoke", "--workers", "2"]
    main(["build", *work])
    spoken = (tmp_path / "speech" / "index.jsonl").stat().st_mtime_ns
    main(["train", *work, "--steps", "4"])  # goes on from step 3
    assert (tmp_path / "speech" / "index.jsonl").stat().st_mtime_ns == spoken
    log = (tmp_path / "run" / "log.jsonl").read_text()
    steps = [json.loads(line)["step"] for line in log.splitlines()]
    assert steps == [1, 2, 3, 4]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {"command en", "long de", "names en", "free en"} <= set(figures["errors"])
    assert set(figures["implementations"]) >= {"openai-whisper", "transformers"}
    for file in ("curves.png", "checkpoint.pt"):
        assert (tmp_path / "run" / file).exists()
    for folder in ("ct2-int8", "ct2-float32", "hf", "openai"):
        assert any((tmp_path / "export" / folder).iterdir())
