"""The notebook's cells, in their order, with a short stream."""

import json
import re
import subprocess
import sys

import pytest

from tests.examples.conftest import PATIENCE, ROOT, environ

PATH = ROOT / "examples" / "long_stream.ipynb"


def test_the_notebook_shows_memory_and_delays_to_the_end(url: str) -> None:
    pytest.importorskip("matplotlib")
    cells = json.loads(PATH.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    done = subprocess.run(
        [sys.executable, "-c", "\n\n".join(code)],
        cwd=PATH.parent,
        env=environ(MPLBACKEND="Agg", STREAM_URL=url, STREAM_SECONDS="24", STREAM_SPEED="8"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert "24 s of audio" in done.stdout
    assert "all went well" in done.stdout
    # Four clips and the silences behind them are 11.05 s, and each is a turn: the last one is cut.
    assert int(re.search(r"(\d+) turns", done.stdout).group(1)) in (8, 9)
    for name in ("first words", "final"):
        assert re.search(rf"{name}: \d+ ms -> \d+ ms", done.stdout), done.stdout
    assert re.search(r"grew by \d+\.\d MiB", done.stdout)


def test_the_notebook_is_small_in_the_repository() -> None:
    assert PATH.stat().st_size < 150_000
