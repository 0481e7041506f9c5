"""The `client` sub-command: its options, and which room does what is asked.

Rooms are imported where they are needed: a container's health check is `client --describe`, and
should cost as little as it can.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wyoming_streamwhisper.client.play import Source, Terms
    from wyoming_streamwhisper.client.screen import Screen

DEFAULT_URI = "tcp://127.0.0.1:10300"
INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""


def main(argv: list[str]) -> int:
    """Run the client: 0 all got transcripts, 1 something failed, 2 wrong usage."""
    parser = _parser()
    try:
        options = parser.parse_args(argv)
        if not (options.describe or options.discover):
            _check(parser, options)
    except SystemExit as leave:  # argparse has said why
        return int(leave.code or 0)
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run(options: argparse.Namespace) -> int:
    if options.describe:
        return await _describe(options)
    if options.discover:
        return await _discover(options)
    if options.satellites:
        return await _load(options)
    return await _play(options)


async def _describe(options: argparse.Namespace) -> int:
    from wyoming_streamwhisper.client.daemons import describe, readable
    from wyoming_streamwhisper.client.link import Unreachable

    try:
        info = await describe(options.uri)
    except Unreachable as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    lines = [json.dumps(info.event().data)] if options.json else readable(info)
    print("\n".join(lines))
    return 0


async def _discover(options: argparse.Namespace) -> int:
    from wyoming_streamwhisper.client.daemons import discover, readable

    try:
        daemons = await discover(options.wait)
    except OSError as error:
        print(f"This machine cannot search the network: {error}.", file=sys.stderr)
        return 1
    for daemon in daemons:
        if options.json:
            programs = [program.name for program in daemon.info.asr] if daemon.info else None
            print(json.dumps({"name": daemon.name, "uri": daemon.uri, "asr": programs}))
            continue
        print(f"{daemon.name}  {daemon.uri}")
        for line in readable(daemon.info) if daemon.info else [daemon.problem]:
            print(f"  {line}")
    if not daemons:
        print(f"No daemon was announced within {options.wait:g} s.", file=sys.stderr)
    return 0 if daemons else 1


async def _play(options: argparse.Namespace) -> int:
    from wyoming_streamwhisper.client.play import play

    live = options.together or bool(options.source) or options.mic is not None
    records = await play(_sources(options), _terms(options), _screen(options), together=live)
    return int(any(record.failure for record in records))


async def _load(options: argparse.Namespace) -> int:
    from rich.console import Console

    from wyoming_streamwhisper.client.load import Clip, Crowd, load, table
    from wyoming_streamwhisper.client.screen import Json, Screen
    from wyoming_streamwhisper.client.sources import SourceError, read_file

    try:
        clips = [Clip(path.name, read_file(path)) for path in options.file]
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    crowd = Crowd(options.satellites, options.rounds)
    records = await load(clips, crowd, _terms(options), Json() if options.json else Screen())
    if not options.json:
        Console().print(table(records, crowd))
    return int(any(record.failure for record in records))


def _sources(options: argparse.Namespace) -> "list[Source]":
    from wyoming_streamwhisper.client.play import Source

    sources = [Source(path.name, path) for path in options.file]
    if options.mic is not None:
        sources.append(Source("mic", device=options.mic or None))
    for name, what in options.source:
        kind, _, device = what.partition(":")
        if kind == "mic":
            sources.append(Source(name, device=device or None))
        else:
            sources.append(Source(name, Path(what)))
    seen = Counter[str]()
    for place, source in enumerate(sources):
        seen[source.name] += 1
        if seen[source.name] > 1:  # The screen tells sources apart by name.
            sources[place] = replace(source, name=f"{source.name} ({seen[source.name]})")
    return sources


def _terms(options: argparse.Namespace) -> "Terms":
    from wyoming_streamwhisper.client.conversation import Asking
    from wyoming_streamwhisper.client.play import Terms
    from wyoming_streamwhisper.client.sources import Pacing

    asking = Asking(
        language=options.language,
        name=options.name,
        program=options.program,
        context=dict(options.context),
        names=options.names,
    )
    pacing = Pacing(
        real_time=not options.fast,
        chunk_ms=options.chunk_ms,
        trailing_silence=options.trailing_silence,
    )
    return Terms(options.uri, asking, pacing, options.patience)


def _screen(options: argparse.Namespace) -> "Screen":
    from wyoming_streamwhisper.client.screen import Drawn, Json, Plain

    if options.json:
        return Json()
    return Drawn() if sys.stdout.isatty() and not options.verbose else Plain(options.verbose)


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    files = [*options.file, *(Path(w) for _, w in options.source if w.partition(":")[0] != "mic")]
    if not (files or options.source or options.mic is not None):
        parser.error("nothing to say: name a FILE, --mic, --source, --describe or --discover")
    if options.satellites and not options.file:
        parser.error("--satellites needs the FILEs that they speak")
    if options.satellites and (options.source or options.mic is not None):
        parser.error("--satellites speaks FILEs only, without --mic and --source")
    for path in files:
        if not path.is_file():
            # Without the usage, which is long and does not help here.
            parser.exit(2, f"{parser.prog}: there is no file {path}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wyoming-streamwhisper client",
        description="Speak files or a microphone to a daemon and see the words as they come.",
        epilog="Microphone and system sound at once: --source me=mic --source system=mic:DEVICE, "
        "where DEVICE is a monitor of PulseAudio or PipeWire; `python -m sounddevice` lists them.",
    )
    add = parser.add_argument
    add("file", nargs="*", type=Path, metavar="FILE", help="WAV, FLAC, MP3, ... to speak")
    add("--uri", default=DEFAULT_URI, help="the daemon (default: %(default)s)")
    add("--mic", nargs="?", const="", metavar="DEVICE", help="speak; Enter or Ctrl-C ends")
    add(
        "--source",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=mic|mic:DEVICE|FILE",
        help="a source with its own colour; repeat for several at once",
    )
    add("--together", action="store_true", help="play all FILEs at once")
    add("--fast", action="store_true", help="send files as fast as the daemon takes them")
    _add_asking(parser)
    add("--trailing-silence", type=_seconds, default=0.0, metavar="S", help="silence behind files")
    add("--chunk-ms", type=_count, default=30, metavar="N", help="length of a block of audio")
    add("--patience", type=_seconds, default=60.0, metavar="S", help="give up on a silent daemon")
    add("--describe", action="store_true", help="print what the daemon offers (a health check)")
    add("--discover", action="store_true", help="list the daemons announced on the network")
    add("--wait", type=_seconds, default=3.0, metavar="S", help="how long --discover listens")
    add("--satellites", type=_count, metavar="N", help="load test: N speak the FILEs at once")
    add("--rounds", type=_count, default=1, metavar="R", help="how often each satellite does")
    add("--json", action="store_true", help="one JSON object per utterance, nothing else")
    add("--verbose", action="store_true", help="a line for every chunk with its time")
    return parser


def _add_asking(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is asked of the daemon")
    group.add_argument("--language", help="code of the language spoken; left out, it is detected")
    group.add_argument("--name", help="model or program to ask for")
    group.add_argument("--program", help="program to select before (several are announced)")
    group.add_argument(
        "--context",
        action="append",
        default=[],
        type=_pair,
        metavar="KEY=VALUE",
        help="goes into the request's context, such as satellite_id=kitchen; repeatable",
    )
    group.add_argument(
        "--names",
        type=_names,
        default=(),
        metavar="A,B",
        help="names of rooms, devices and people that may be said",
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return key, value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
