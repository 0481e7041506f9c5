"""A whole comparison on a small scale: two of our daemons, the demo model, real sockets."""

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks.compare import main
from benchmarks.field import assembled, read_config
from benchmarks.processes import tree
from benchmarks.publish import BEGIN, END, merged
from benchmarks.publish import main as publish
from tests.clips import FOLDER, SHORT

SERVERS = """\
model: the demo model
servers:
  - name: ours
    kind: ours
    arguments: --model $MODEL --log-level warning
    note: as it comes
  - name: ours, own end
    kind: ours
    arguments: --model demo --endpointing own --log-level warning
    endpoints: true
  - name: broken
    kind: ours
    arguments: --no-such-option
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a configuration of three servers, of which one does not start."""
    monkeypatch.setenv("MODEL", "demo")
    file = tmp_path / "servers.yaml"
    file.write_text(SERVERS)
    return file


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Make a folder with the shortest clip alone: all of this is in real time."""
    lines = (FOLDER / "manifest.jsonl").read_text().splitlines()
    (tmp_path / "manifest.jsonl").write_text(next(line for line in lines if SHORT.name in line))
    (tmp_path / SHORT.name).symlink_to(FOLDER / SHORT.name)
    return tmp_path


def test_servers_are_compared_and_published(
    config: Path, speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every measurement has a row for every server that it is for, and a table in the page."""
    out = tmp_path / "result.json"
    where = ["--config", str(config), "--settings", "tiny", "--json", str(out)]
    main([str(speech), *where])
    result = json.loads(out.read_text())
    assert result["failed"].keys() == {"broken"}
    by_name = {
        name: {row["server"] for row in measured["rows"]}
        for name, measured in result["measured"].items()
    }
    both = {"ours", "ours, own end"}
    assert by_name == {
        "alone": both,
        "crowd": {"ours"},
        "footprint": both,
        "length": {"ours"},
        "start": both,
    }
    assert {row["error"] for row in result["measured"]["alone"]["rows"]} == {None}
    assert "### Audio-stop to transcript" in capsys.readouterr().out

    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    chunk = tmp_path / "chunk.json"
    chunk.write_text(json.dumps({"whole": {"total": 51.26}}))
    publish([str(out), "--chunk", str(chunk), "--into", str(tmp_path)])
    published = page.read_text()
    assert published.startswith("before\n")
    assert published.endswith("after\n")
    assert "old" not in published
    assert "broken did not start" in published
    assert "| whole: total | 51.3 |" in published
    charts = {file.stem for file in (tmp_path / "benchmarks").iterdir()}
    assert charts == {"stop", "end", "crowd", "length"}
    assert all(f"(benchmarks/{name}.svg)" in published for name in charts)


def test_only_what_is_named_is_made(config: Path) -> None:
    model, entrants = read_config(config, ["*own*"])
    assert model == "the demo model"
    assert [(one.name, one.endpoints) for one in entrants] == [("ours, own end", True)]


def test_all_but_one_are_held_still(config: Path) -> None:
    async def run() -> None:
        _, entrants = read_config(config, ["ours*"])
        async with assembled(entrants) as field:
            one, other = field.pids
            await _held(one)
            await _held(other)
            async with field.turn(entrants[0]):
                assert "T" not in _states(one)
                assert _states(other) == {"T"}
            await _held(one)

    asyncio.run(run())


async def _held(pid: int) -> None:
    """Wait until a process tree is held still: a signal takes effect when its process is run."""
    async with asyncio.timeout(10):
        while _states(pid) != {"T"}:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


def _states(pid: int) -> set[str]:
    stats = [Path(f"/proc/{one}/stat").read_text() for one in tree(pid)]
    return {stat.rpartition(")")[2].split()[0] for stat in stats}


def test_results_of_different_machines_are_not_mixed() -> None:
    one = {"machine": "a", "model": "m", "measured": {"alone": 1, "crowd": 1}}
    later = {"machine": "a", "model": "m", "measured": {"crowd": 2}}
    assert merged([one, later])["measured"] == {"alone": 1, "crowd": 2}
    with pytest.raises(ValueError, match="machine"):
        merged([one, {**later, "machine": "b"}])


def test_benchmarks_have_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"evaluate", "compare", "publish", "long_stream"} <= set(program.commands())
    assert not {"accuracy", "__main__"} & set(program.commands())
    assert program.main(["nonsense"]) == 2
    assert "Which benchmark? alone, crowd," in capsys.readouterr().err
    with pytest.raises(SystemExit):
        program.main(["crowd"])
    assert "EVAL_DIR" in capsys.readouterr().out
