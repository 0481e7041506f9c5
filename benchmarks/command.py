"""What commands share that measure a daemon of ours: options, the JSON that is kept, the table."""

import argparse
import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def measured(
    ask: argparse.ArgumentParser,
    argv: Sequence[str] | None,
    run: Callable[[argparse.Namespace], Coroutine[Any, Any, T]],
    table: Callable[[T], str],
) -> int:
    """Read a command line, measure, write what was found and print its table."""
    ask.add_argument("--serve", default="--model demo --log-level warning", metavar="ARGS")
    ask.add_argument("--json", type=Path)
    arguments = ask.parse_args(argv)
    found = asyncio.run(run(arguments))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, default=asdict, indent=1) + "\n")
    print(table(found))
    return 0
