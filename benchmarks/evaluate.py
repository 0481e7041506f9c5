"""Accuracy and delay of a Wyoming speech-to-text server on an evaluation folder.

    python -m benchmarks.evaluate EVAL_DIR --uri tcp://127.0.0.1:10300
    python -m benchmarks.evaluate EVAL_DIR --serve '--model demo' --model MODEL_FOLDER \
        --reference one-pass.json --json result.json

Several satellites speak the clips in real time; each clip is compared with what was said and with
what faster-whisper makes of the whole file with the same weights. Prints a Markdown table.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.accuracy import Clip, Measured, measure
from benchmarks.one_pass import one_pass
from benchmarks.report import groups, markdown
from benchmarks.serving import ours
from benchmarks.speech import manifest
from wyoming_streamwhisper.client.conversation import Asking
from wyoming_streamwhisper.client.play import Terms, say
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.screen import as_dict
from wyoming_streamwhisper.client.sources import Pacing, read_file

BURST = Pacing(real_time=False)

PATIENCE_S = 600.0
"""A server that begins a long dictation only at audio-stop takes minutes, and is measured too."""


async def speak_all(
    folder: Path, clips: Sequence[Clip], terms: Terms, parallel: int, detect: bool
) -> dict[str, Conversation]:
    """Let `parallel` satellites speak all clips, each one clip at a time."""
    # Longest first: otherwise one satellite would speak the last long clip alone at the end.
    waiting = iter(sorted(clips, key=lambda clip: -clip.seconds))
    records: dict[str, Conversation] = {}

    async def satellite() -> None:
        for clip in waiting:
            asking = replace(terms.asking, language=None if detect else clip.lang)
            own = replace(terms, asking=asking)
            audio = await asyncio.to_thread(read_file, folder / clip.file)
            records[clip.file] = await say(audio, own)
            _progress(f"{len(records)} of {len(clips)}")

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(satellite())
    _progress("\n")
    return {clip.file: records[clip.file] for clip in clips}


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


async def evaluate(options: argparse.Namespace, clips: Sequence[Clip]) -> dict[str, Conversation]:
    """Speak all clips to the running daemon, or to one that is started for it."""
    if options.serve is not None:
        async with ours(options.serve).start() as daemon:
            uri = daemon.uri
            return await _evaluate(uri, options, clips)
    return await _evaluate(options.uri, options, clips)


async def _evaluate(
    uri: str, options: argparse.Namespace, clips: Sequence[Clip]
) -> dict[str, Conversation]:
    context = dict(pair.split("=", 1) for pair in options.context)
    pacing = Pacing(
        real_time=not options.fast,
        chunk_ms=options.chunk_ms,
        trailing_silence=options.trailing_silence,
    )
    terms = Terms(uri, Asking(name=options.name, context=context), pacing, PATIENCE_S)
    # The first utterance waits for the model to load; it is no utterance to measure.
    shortest = min(clips, key=lambda clip: clip.seconds)
    await say(read_file(options.folder / shortest.file), replace(terms, pacing=BURST))
    return await speak_all(options.folder, clips, terms, options.parallel, options.detect)


def utterances(
    measured: Sequence[Measured], records: dict[str, Conversation]
) -> list[dict[str, Any]]:
    """Return all that is known of each utterance, as plain data."""
    return [
        {**asdict(one), "clip": one.clip.file, **as_dict(one.clip.file, records[one.clip.file])}
        for one in measured
    ]


def differing(measured: Sequence[Measured], other: Path) -> list[str]:
    """Return the files whose text is another one in an earlier run's `--json` file."""
    earlier = {row["file"]: row["text"] for row in json.loads(other.read_text())["utterances"]}
    return [one.clip.file for one in measured if earlier.get(one.clip.file, one.text) != one.text]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the evaluation and print its table."""
    options = _parser().parse_args(argv)
    sets = [name for name in options.sets.split(",") if name]
    clips = manifest(options.folder, sets, options.limit)
    if not clips:
        raise SystemExit(f"No clips of {options.sets or 'any set'} in {options.folder}.")
    # Before any daemon runs: both would want all cores.
    reference = (
        one_pass(options.folder, clips, options.model, options.reference, options.compute_type)
        if options.model
        else {}
    )
    records = asyncio.run(evaluate(options, clips))
    measured = [measure(clip, records[clip.file], not options.fast) for clip in clips]
    made = groups(measured, reference)
    print(markdown(made))
    if options.same_as:
        others = differing(measured, options.same_as)
        print(f"\n{len(others)} texts differ from {options.same_as}: {', '.join(others) or '–'}")
    if options.json:
        content = {
            "options": {key: str(value) for key, value in vars(options).items()},
            "groups": [asdict(one) for one in made],
            "utterances": utterances(measured, records),
        }
        options.json.write_text(json.dumps(content, ensure_ascii=False, indent=1))
    if any(one.error for one in measured):
        raise SystemExit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("folder", type=Path, metavar="EVAL_DIR", help="folder with manifest.jsonl and its files")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--uri", help="a running server")
    where.add_argument("--serve", metavar="ARGS", help="start our daemon with these arguments")
    add("--sets", default="", metavar="A,B", help="only these sets")
    add("--limit", type=int, metavar="N", help="only the first N of each set and language")
    add("--parallel", type=int, default=4, metavar="P", help="satellites at once (%(default)s)")
    add("--fast", action="store_true", help="not in real time: accuracy only, delays are void")
    add("--trailing-silence", type=float, default=0.7, metavar="S", help="(%(default)s)")
    add("--chunk-ms", type=int, default=30, metavar="N", help="length of a block of audio")
    add("--detect", action="store_true", help="do not tell the language")
    add("--name", help="model or program to ask for")
    add("--context", action="append", default=[], metavar="KEY=VALUE", help="of each request")
    add("--model", metavar="FOLDER", help="weights for the one-pass texts")
    add("--compute-type", default="int8", help="of the one-pass texts (%(default)s)")
    add("--reference", type=Path, metavar="FILE", help="where the one-pass texts are kept")
    add("--same-as", type=Path, metavar="FILE", help="say which texts differ from that --json")
    add("--json", type=Path, metavar="OUT", help="write groups and utterances")
    return parser


if __name__ == "__main__":
    main()
