"""Log lines suit their reader: a person at a terminal, or the journal."""

import logging
import os
import sys
from collections.abc import Iterator

import pytest

from wyoming_streamwhisper.log import LogOptions, check_format, set_up


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("wyoming_streamwhisper")
    level, own_level, handlers = root.level, ours.level, root.handlers[:]
    yield
    root.setLevel(level)
    ours.setLevel(own_level)
    root.handlers[:] = handlers


def written(capfd: pytest.CaptureFixture[str]) -> str:
    logging.getLogger("wyoming_streamwhisper.x").warning("hot")
    logging.getLogger("wyoming_streamwhisper.x").debug("cold")
    logging.getLogger("library").info("cold")
    return capfd.readouterr().err


def test_at_a_terminal_a_line_has_time_and_level(capfd: pytest.CaptureFixture[str]) -> None:
    set_up(LogOptions(), {})
    assert written(capfd).endswith(" WARNING hot\n")


def test_the_journal_gets_the_level_as_priority(capfd: pytest.CaptureFixture[str]) -> None:
    status = os.fstat(sys.stderr.fileno())
    set_up(LogOptions(), {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    assert written(capfd) == "<4>hot\n"


def test_another_stderr_than_the_journal_gets_plain_lines(
    capfd: pytest.CaptureFixture[str],
) -> None:
    set_up(LogOptions(), {"JOURNAL_STREAM": "1:2"})
    assert written(capfd).endswith(" WARNING hot\n")


def test_the_form_can_be_chosen(capfd: pytest.CaptureFixture[str]) -> None:
    set_up(LogOptions(log_level="debug", log_format="%(levelname)s %(message)s"), {})
    assert written(capfd) == "WARNING hot\nDEBUG cold\n"


@pytest.mark.parametrize("text", ["%(foo)s", "plain", "%(message)d"])
def test_a_form_that_would_fail_on_every_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_format(text)
