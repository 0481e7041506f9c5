"""Servers side by side, in one run: how fast, how many, at what cost.

    python -m benchmarks.compare EVAL_DIR --config benchmarks/servers.yaml --json result.json
    python -m benchmarks.compare EVAL_DIR alone crowd --serve '--model demo' --settings short

The measurements: `alone` (audio-stop and end of speech to transcript, word by word), `crowd`
(satellites at once), `footprint` (memory and CPU), `length` (cost against length), `start`.
Prints Markdown tables; `python -m benchmarks.publish result.json` writes them and charts to docs/.
"""

import argparse
import asyncio
import json
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import alone, crowd, footprint, length, start
from benchmarks.conditions import machine, watched
from benchmarks.field import Entrant, Field, assembled, read_config
from benchmarks.publish import summary
from benchmarks.servers import ours
from benchmarks.settings import KINDS, SETS, Settings
from benchmarks.speech import Spoken, choose, load, manifest
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.sources import Pacing

_LOG = logging.getLogger(__name__)

Rows = list[dict[str, Any]]
Measurement = Callable[[Field, Sequence[Spoken], Settings], AsyncIterator[dict[str, Any]]]

MEASUREMENTS: dict[str, Measurement] = {
    "alone": alone.run,
    "crowd": crowd.run,
    "footprint": footprint.run,
    "length": length.run,
    "start": start.run,
}
WARM = Pacing(real_time=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, with what, and how much of it."""

    entrants: Sequence[Entrant]
    clips: Sequence[Spoken]
    settings: Settings


async def compare(
    comparison: Comparison, names: Sequence[str], keep: Callable[[str, dict[str, Any]], None]
) -> dict[str, str]:
    """Take the named measurements one after the other; returns why servers did not start.

    `keep` is called with the name and the result of each, and with what there is of one that is
    broken off.
    """
    clips, settings = comparison.clips, comparison.settings
    own = asyncio.current_task()
    assert own is not None
    # Else servers that are held still would be left behind.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, own.cancel)
    async with assembled(comparison.entrants) as field:
        for entrant in field.entrants:
            async with field.turn(entrant):
                await _warm(field, entrant, clips)
        order = {entrant.name: place for place, entrant in enumerate(field.entrants)}
        for name in names:
            _LOG.info("%s: %s", name, ", ".join(field.running))
            begun = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
            rows: Rows = []
            try:
                with watched(field.pids) as work:
                    async for row in MEASUREMENTS[name](field, clips, settings):
                        rows.append(row)
            finally:
                rows.sort(key=lambda row: order[row["server"]])
                keep(name, {"begun": begun, "work": asdict(work), "rows": rows})
    return field.failed


async def _warm(field: Field, entrant: Entrant, clips: Sequence[Spoken]) -> None:
    """Speak twice: the model loads with the first utterance, some buffers grow with the second."""
    running = field.running[entrant.name]
    for one in clips[:2]:
        asking = Asking(language=one.clip.lang)
        record = await speak(running.uri, one.audio, asking, WARM, connect=running.connect)
        if record.failure is not None:
            _LOG.warning("%s, warming up: %s", entrant.name, record.failure.text)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare, print tables, write JSON."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = KINDS[options.settings]
    model, entrants = _entrants(options)
    sets = [name for name in options.sets.split(",") if name]
    languages = [name for name in options.languages.split(",") if name]
    offered = [
        clip for clip in manifest(options.folder, sets) if not languages or clip.lang in languages
    ]
    clips = load(options.folder, choose(offered, settings.clips, settings.seed))
    if not clips:
        raise SystemExit(f"No clips of {options.sets} in {options.folder}.")
    result: dict[str, Any] = {
        "machine": asdict(machine()),
        "model": model,
        "settings": {"name": options.settings, **asdict(settings)},
        "speech": {"sets": sets, "clips": [one.clip.file for one in clips]},
        "servers": {one.name: one.note for one in entrants},
        "failed": {},
        "measured": {},
    }

    def keep(name: str, measured: dict[str, Any]) -> None:
        result["measured"][name] = measured
        if options.json:
            options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1))

    names = options.measurements or list(MEASUREMENTS)
    comparison = Comparison(entrants, clips, settings)
    try:
        result["failed"] = asyncio.run(compare(comparison, names, keep))
    except asyncio.CancelledError as ended:
        print(summary(result))
        raise SystemExit("Ended by a signal: this is not all.") from ended
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1))
    print(summary(result))


def _entrants(options: argparse.Namespace) -> tuple[str, list[Entrant]]:
    if options.config:
        model, entrants = read_config(options.config, options.servers or ["*"])
    else:
        model = options.model
        called = [(f"ours {text}".strip(), ours(text)) for text in options.serve]
        entrants = [Entrant(replace(server, name=name)) for name, server in called]
    if not entrants:
        raise SystemExit("No server to measure.")
    return model, entrants


def _measurement(name: str) -> str:
    """Check a name; as `choices` argparse would refuse to be given none."""
    if name not in MEASUREMENTS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(MEASUREMENTS)}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("folder", type=Path, metavar="EVAL_DIR", help="folder with manifest.jsonl and its files")
    add(
        "measurements",
        nargs="*",
        metavar="MEASUREMENT",
        type=_measurement,
        help=f"which: {', '.join(MEASUREMENTS)} (all)",
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="YAML", help="servers to compare")
    where.add_argument(
        "--serve", action="append", metavar="ARGS", help="our daemon with these arguments; repeat"
    )
    add("--servers", action="append", metavar="PATTERN", help="of --config only these; repeat")
    add("--model", default="", metavar="TEXT", help="what the model is, in words, with --serve")
    add("--settings", choices=KINDS, default="short", help="how much (%(default)s)")
    add("--sets", default=",".join(SETS), metavar="A,B", help="sets of the folder (%(default)s)")
    add("--languages", default="", metavar="A,B", help="only these (all)")
    add("--json", type=Path, metavar="OUT", help="write all results, each when it is there")
    return parser


if __name__ == "__main__":
    main()
