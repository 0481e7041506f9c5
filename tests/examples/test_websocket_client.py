"""The independent client: both protocols, and a connection that breaks."""

import ast

import pytest

from tests.clips import SHORT, SILENCE, TURN_ON
from tests.examples.conftest import ROOT, Run, Wav

SAID = TURN_ON.pcm + SILENCE + SHORT.pcm
PROGRAM = "websocket_client.py"


def texts(out: str) -> list[str]:
    """Take the final texts out of what was printed: `   0.0 s  Turn ...`."""
    return [line.split(" s  ", 1)[1] for line in out.splitlines() if " s  " in line]


@pytest.mark.parametrize("kind", [[], ["--arrays", "stay"]], ids=["pcm", "arrays"])
def test_a_file_is_heard(example: Run, wav: Wav, kind: list[str]) -> None:
    done = example(PROGRAM, wav("said.wav", SAID), "--fast", *kind)
    assert (done.returncode, done.stderr) == (0, "")
    assert texts(done.stdout) == [TURN_ON.text, SHORT.text]


@pytest.mark.parametrize("after", ["0.5", "2", "4.7"])
@pytest.mark.parametrize("kind", [[], ["--arrays", "kitchen & hall"]], ids=["pcm", "arrays"])
def test_no_word_is_lost_when_the_connection_breaks(
    example: Run, wav: Wav, kind: list[str], after: str
) -> None:
    done = example(PROGRAM, wav("said.wav", SAID), "--break-after", after, *kind)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(back; " in done.stdout
    assert texts(done.stdout) == [TURN_ON.text, SHORT.text]


def test_what_is_no_wav_file_is_told(example: Run) -> None:
    done = example(PROGRAM, ROOT / "README.md")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("is no WAV file: file does not start with RIFF id.\n")


def test_it_uses_none_of_our_code() -> None:
    tree = ast.parse((ROOT / "examples" / PROGRAM).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not [name for name in modules if name and name.startswith(("wyoming", "live"))]


def test_without_a_server_there_is_one_sentence(example: Run, wav: Wav) -> None:
    done = example(PROGRAM, wav("said.wav", SAID), "--url", "ws://127.0.0.1:1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
