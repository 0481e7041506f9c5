"""Memory of a daemon under one long stream that comes faster than real time.

    python -m benchmarks.long_stream EVAL_DIR --minutes 30 --serve '--model demo'

Speaks the clips of an evaluation folder one after the other, without an end between them, and
prints the daemon's resident memory each minute of audio and its growth after the first. One
utterance is spoken before, so that no figure contains the loading of the model.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.serving import ours, warm
from wyoming_streamwhisper.client.conversation import Asking, converse
from wyoming_streamwhisper.client.sources import RATE, Samples, read_file

_BLOCK = RATE // 10
_PATIENCE_S = 600.0


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def speech(folder: Path) -> list[Path]:
    """List the clips in which somebody speaks."""
    return sorted(file for file in folder.glob("*.flac") if not file.name.startswith("noise"))


async def stream(
    files: Sequence[Path], seconds: float, pid: int, table: list[float]
) -> AsyncIterator[Samples]:
    """Yield speech in blocks of 100 ms and note the daemon's memory at each minute."""
    sent = 0
    for file in itertools.cycle(files):
        audio = np.concatenate([read_file(file), np.zeros(RATE // 2, np.int16)])
        for start in range(0, len(audio), _BLOCK):
            if sent % (60 * RATE) < _BLOCK:
                table.append(resident_mib(pid))
            if sent >= seconds * RATE:
                return
            yield audio[start : start + _BLOCK]
            sent += len(audio[start : start + _BLOCK])


async def run(arguments: argparse.Namespace) -> int:
    """Speak the stream and print the table."""
    table: list[float] = []
    files = speech(arguments.folder)
    async with ours(arguments.serve).start() as daemon:
        await warm(daemon)
        begun = time.monotonic()
        blocks = stream(files, arguments.minutes * 60, daemon.pid, table)
        asking = Asking(language=arguments.language)
        record = await converse(daemon.uri, blocks, asking=asking, patience=_PATIENCE_S)
        spent = time.monotonic() - begun
        table.append(resident_mib(daemon.pid))
    report = {
        "minutes": arguments.minutes,
        "seconds_taken": round(spent, 1),
        "words": len(record.text.split()),
        "failure": record.failure.code if record.failure else None,
        "resident_mib": [round(mib, 1) for mib in table],
        "growth_after_first_minute_mib": round(max(table[1:]) - table[1], 1),
    }
    print(json.dumps(report, indent=1))
    return 1 if record.failure else 0


def main() -> int:
    """Read the command line."""
    ask = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ask.add_argument("folder", type=Path)
    ask.add_argument("--minutes", type=float, default=30)
    ask.add_argument("--language", default="en")
    ask.add_argument("--serve", default="--model demo", help="arguments of the daemon")
    return asyncio.run(run(ask.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
