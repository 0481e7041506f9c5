"""Installs peers into environments of their own: python -m benchmarks.peers install NAME..."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.environments import PACKAGES, default_cache, install


def main(argv: Sequence[str] | None = None) -> int:
    """Install the peers that are named, or all."""
    names = [one.name for one in PACKAGES]
    ask = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    ask.add_argument("action", choices=("install",))
    ask.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; or all")
    ask.add_argument("--cache", type=Path, default=default_cache(), help="(%(default)s)")
    options = ask.parse_args(argv)
    if unknown := [name for name in options.names if name not in names]:
        ask.error(f"no such peer: {', '.join(unknown)}")
    for name in options.names or names:
        print(install(name, options.cache))
    return 0


if __name__ == "__main__":
    sys.exit(main())
