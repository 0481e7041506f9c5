"""The command tells by its exit status and one line what became of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from wyoming_streamwhisper import __version__


def command(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wyoming_streamwhisper", *argv],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parent.parent), **environ},
        timeout=60,
    )


@pytest.mark.parametrize("argv", [["--version"], ["run", "--version"]])
def test_version(argv: list[str]) -> None:
    assert command(*argv).stdout == f"{__version__}\n"


def test_help_lists_commands_and_options() -> None:
    done = command("--help")
    assert done.returncode == 0
    for word in ("check", "client", "--model", "--uri", "--zeroconf", "--config"):
        assert word in done.stdout


@pytest.mark.parametrize("name", ["run", "check"])
def test_a_wrong_value_is_one_line_and_status_78(name: str) -> None:
    done = command(name, "--step", "9")
    assert done.returncode == 78
    assert done.stderr == (
        "wyoming-streamwhisper: --step is '9', expected a number from 0.1 to 5 s\n"
    )


def test_bad_usage_is_status_2() -> None:
    assert command("--no-such-flag").returncode == 2


def test_configuring_loads_no_model_library() -> None:
    heavy = "{'faster_whisper', 'ctranslate2', 'onnxruntime', 'torch', 'av'}"
    code = f"import sys, wyoming_streamwhisper.config; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("argv", "found"),
    [([], "short (as the model declares)"), (["--audio-context", "full"], "full (as chosen)")],
)
def test_check_transcribes_and_says_what_was_decided(
    argv: list[str], found: str, tmp_path: Path
) -> None:
    done = command("check", *argv, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"audio context: {found}\n" in done.stdout
    assert "clip: 'Play jazz in the dining room.' (en)" in done.stdout
    assert re.search(r"^capacity: about \d+ speaking at once", done.stdout, re.MULTILINE)
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert kept.name.startswith("batches-")
