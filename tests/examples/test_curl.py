"""Every command of the page, run in the order of the page against a real daemon."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.examples.conftest import PATIENCE, ROOT

PAGE = (Path(ROOT) / "examples" / "curl.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```\n\n```\n(.*?)^```\n", PAGE, re.MULTILINE | re.DOTALL)
"""Commands, and what they answer."""


def test_every_command_has_an_answer() -> None:
    assert len(BLOCKS) == PAGE.count("```sh\n") > 5


@pytest.mark.parametrize(("commands", "answer"), BLOCKS, ids=range(len(BLOCKS)))
def test_a_command_answers_as_the_page_says(url: str, commands: str, answer: str) -> None:
    done = subprocess.run(
        ["bash", "-ec", commands.replace("http://127.0.0.1:10380", url)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    pattern = ".*".join(map(re.escape, answer.strip().split("…")))
    assert re.fullmatch(pattern, done.stdout.strip(), re.DOTALL), done.stdout
