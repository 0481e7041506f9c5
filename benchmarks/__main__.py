"""All benchmarks by name: `python -m benchmarks NAME ...` is `python -m benchmarks.NAME ...`.

The measurements of `compare` are names too: `python -m benchmarks crowd EVAL_DIR ...`.
"""

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import compare
from benchmarks.compare import MEASUREMENTS


def commands() -> list[str]:
    """Return the modules that are programs."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return [one.name for one in found if one.name != "__main__" and _is_program(one.name)]


def _is_program(name: str) -> bool:
    source = Path(__file__).parent / f"{name}.py"
    return source.exists() and "\ndef main(" in source.read_text()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark; its own options follow its name."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or [""]
    if name in MEASUREMENTS:
        folder, *options = rest or ["--help"]
        compare.main([folder, name, *options])
        return 0
    if name not in commands():
        print(f"Which benchmark? {', '.join([*MEASUREMENTS, *commands()])}", file=sys.stderr)
        return 2
    program = importlib.import_module(f"benchmarks.{name}")
    return int(program.main(rest) or 0)


if __name__ == "__main__":
    sys.exit(main())
