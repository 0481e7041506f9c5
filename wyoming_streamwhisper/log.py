"""What the daemon says while it runs: lines on stderr, in the form that their reader wants."""

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from wyoming_streamwhisper.option import option

_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is logged, and how a line looks."""

    log_level: str = option(
        "info",
        "How much is said: `debug` includes what people said, `info` a line per utterance without "
        "its words.",
        choices=("debug", "info", "warning", "error"),
    )
    log_format: str = option(
        "",
        "Form of a line, as Python's `logging` writes it (`%(levelname)s: %(message)s`); empty "
        "takes one that suits the terminal or the journal.",
    )


class _JournalFormatter(logging.Formatter):
    """Puts the level where the journal looks for it, which adds time and name by itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line behind syslog's priority, which the journal takes off again."""
        return f"<{_PRIORITIES.get(record.levelno, 2)}>{super().format(record)}"


def set_up(options: LogOptions, environ: Mapping[str, str] = os.environ) -> None:
    """Send what is logged to stderr from now on."""
    handler = logging.StreamHandler()
    if options.log_format:
        handler.setFormatter(logging.Formatter(options.log_format))
    elif _is_journal(environ):
        handler.setFormatter(_JournalFormatter())
    else:
        handler.setFormatter(logging.Formatter(_FORMAT))
    level = logging.getLevelNamesMapping()[options.log_level.upper()]
    # libraries that we use (the hub's client, asyncio) are chatty below warnings
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("wyoming_streamwhisper").setLevel(level)


def check_format(text: str) -> None:
    """Raise ValueError for a form that would fail on every line."""
    record = logging.LogRecord("", logging.INFO, "", 0, "", None, None)
    try:
        logging.Formatter(text).format(record)
    except (KeyError, TypeError) as error:
        raise ValueError(text) from error


def _is_journal(environ: Mapping[str, str]) -> bool:
    """Tell whether stderr goes to the journal itself, not to a file or a pipe of our parent's."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or replaced by something without a descriptor
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
