"""The `transcribe` sub-command: its options, what it writes, what it says while it works."""

import logging
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wyoming_streamwhisper import config, log
from wyoming_streamwhisper.build import Unusable, share_one_heap
from wyoming_streamwhisper.config.arguments import add_options, options_of
from wyoming_streamwhisper.config.catalogue import ROOMS
from wyoming_streamwhisper.config.settings import Settings, gather
from wyoming_streamwhisper.engine.api import EngineError
from wyoming_streamwhisper.engine.models import resolve
from wyoming_streamwhisper.files.formats import FORMATS, write
from wyoming_streamwhisper.files.reader import BadRecording
from wyoming_streamwhisper.files.result import Progress as Far
from wyoming_streamwhisper.files.result import Result
from wyoming_streamwhisper.service import EX_CONFIG
from wyoming_streamwhisper.session.asked import Refused
from wyoming_streamwhisper.transcribe.compare import one_pass, word_differences
from wyoming_streamwhisper.transcribe.transcriber import Interrupted, Transcriber

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""
_HEADINGS = ("Model", "Engine", "Recognition (each profile may have its own)", "Files", "Log")
"""Rooms whose options mean something for files."""
_MIB = 1 << 20


def main(argv: Sequence[str]) -> int:
    """Transcribe files: 0 all is well, 1 a file failed or is damaged, 2 usage, 78 configuration."""
    parser = _parser()
    try:
        asked = parser.parse_args(argv)
        _check(parser, asked)
    except SystemExit as leave:  # argparse has said why
        return int(leave.code or 0)
    try:
        flags, path = options_of(asked)
        settings = gather(flags, path, os.environ)
    except config.ConfigError as error:
        return _say(f"{error}", EX_CONFIG)
    log.set_up(settings.log)
    logging.getLogger("wyoming_streamwhisper").setLevel(logging.WARNING)
    share_one_heap()
    try:
        with Transcriber(settings, cache=asked.cache) as transcriber:
            statuses = [_transcribe(transcriber, file, asked) for file in asked.file]
    except Unusable as error:
        return _say(str(error), error.status)
    except Interrupted:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    return max(statuses)


def _transcribe(transcriber: Transcriber, file: Path, asked: Namespace) -> int:
    """Transcribe one file and write it; a file that fails does not stop the others."""
    bar = Bar(file.name, quiet=asked.quiet)
    try:
        with bar:
            result = transcriber.transcribe(file, resume=asked.resume, watch=bar.show)
    except (BadRecording, Refused) as error:
        return _say(str(error), 1)
    except EngineError as error:
        return _say(f"{file}: {error} ({error.code}); --resume goes on from there", 1)
    except Interrupted as stopped:
        _write(stopped.result, file, asked)
        done = stopped.result.segments[-1].end if stopped.result.segments else 0.0
        _say(f"{file}: stopped after {done:.0f} s of audio; --resume goes on from there", 0)
        raise
    _write(result, file, asked)
    if not asked.quiet:
        print(f"{file}: {summary(result)}", file=sys.stderr)
    if asked.compare:
        print(f"  {comparison(result, file, transcriber.settings)}", file=sys.stderr)
    return _say(result.fault, 1) if result.fault else 0


def _write(result: Result, file: Path, asked: Namespace) -> None:
    for form in asked.format:
        text = write(result, form)
        if asked.output_dir is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            continue
        asked.output_dir.mkdir(parents=True, exist_ok=True)
        path = asked.output_dir / f"{file.stem}.{form}"
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)  # nobody finds half a file


def summary(result: Result) -> str:
    """Say in two lines what it took."""
    took = result.metrics
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.stages.items())
    resumed = f" ({took.resumed} from before)" if took.resumed else ""
    return (
        f"{took.audio:.0f} s of audio, {took.speech:.0f} s heard in {took.chunks} chunks{resumed}, "
        f"{took.elapsed:.1f} s: {took.speed:.0f} times real time; "
        f"peak memory {took.peak_memory / _MIB:.0f} MiB\n  {stages}"
    )


def comparison(result: Result, file: Path, settings: Settings) -> str:
    """Transcribe once more in one pass and say how both compare."""
    engine, language = settings.engine, settings.profiles[0].language
    compute = engine.compute_type if engine.compute_type != "default" else "int8"
    threads = engine.cpu_threads or os.cpu_count() or 1
    model = resolve(settings.model).path
    other = one_pass(file, model, compute, threads, "" if language == "auto" else language)
    took = result.metrics
    return (
        f"one pass: {other.elapsed:.1f} s, so {other.elapsed / max(took.elapsed, 1e-9):.1f} times "
        f"faster here; {100 * word_differences(other.text, result.text):.1f} % of its words "
        f"differ; peak memory {other.peak_memory / _MIB:.0f} MiB"
    )


class Bar:
    """A progress bar with speed and time left, on a terminal only; results go to stdout."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task: TaskID = self._bar.add_task(name, total=None, speed="")

    def __enter__(self) -> "Bar":
        """Begin to draw."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no trace."""
        self._bar.stop()

    def show(self, far: Far) -> None:
        """Take in how far it is."""
        task = self._bar.tasks[0]
        speed = far.done / task.elapsed if task.elapsed else 0.0
        self._bar.update(self._task, completed=far.done, total=far.duration, speed=f"{speed:.0f}x")


def _say(text: str, status: int) -> int:
    print(f"wyoming-streamwhisper: {text}", file=sys.stderr)
    return status


def _check(parser: ArgumentParser, asked: Namespace) -> None:
    if "all" in asked.format:
        asked.format = list(FORMATS)
    asked.format = list(dict.fromkeys(asked.format or ["txt"]))
    if asked.output_dir is None and len(asked.format) > 1:
        parser.error("several formats need --output-dir")
    if asked.output_dir is None and len(asked.file) > 1 and asked.format != ["txt"]:
        parser.error(f"several files in {asked.format[0]} need --output-dir")
    stems = [file.stem for file in asked.file]
    if asked.output_dir is not None and len(set(stems)) < len(stems):
        parser.error("two files of one name would be written into the same file")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="wyoming-streamwhisper transcribe",
        usage="%(prog)s [options] FILE [FILE ...]",
        description="Transcribe recordings of any length and format, with a model of its own: no "
        "daemon is needed.",
        allow_abbrev=False,
        argument_default=SUPPRESS,
    )
    add = parser.add_argument
    add("file", nargs="+", type=Path, metavar="FILE", help="audio, or video with an audio track")
    add(
        "--format",
        action="append",
        default=[],
        choices=[*FORMATS, "all"],
        help="what is written (may be repeated; default txt)",
    )
    add("--output-dir", type=Path, default=None, metavar="DIR", help="write FILE's name there")
    add("--resume", action="store_true", default=False, help="go on from an interrupted run")
    add("--cache", action="store_true", default=False, help="keep results and use those kept")
    add("--compare", action="store_true", default=False, help="transcribe in one pass too")
    add("--quiet", action="store_true", default=False, help="no bar and no figures")
    add_options(parser, {heading: ROOMS[heading] for heading in _HEADINGS})
    return parser
