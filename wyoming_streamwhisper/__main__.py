"""The command `wyoming-streamwhisper`: finds what is to be done, and loads only what that needs."""

import logging
import os
import sys
from collections.abc import Callable, Sequence

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.service import EX_CONFIG


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sub-command, `run` where none is named, and return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:  # answered here, before anything is loaded
        print(__version__)
        return 0
    name = arguments.pop(0) if arguments and arguments[0] in _COMMANDS else "run"
    return _COMMANDS[name](arguments)


def _run(arguments: list[str]) -> int:
    return _with_settings("run", arguments)


def _check(arguments: list[str]) -> int:
    return _with_settings("check", arguments)


def _client(arguments: list[str]) -> int:
    from wyoming_streamwhisper import client

    return client.main(arguments)


def _transcribe(arguments: list[str]) -> int:
    from wyoming_streamwhisper.transcribe import command

    return command.main(arguments)


def _with_settings(task: str, arguments: list[str]) -> int:
    from wyoming_streamwhisper import config, log
    from wyoming_streamwhisper.config.environment import unknown_variables

    try:
        settings = config.load(arguments, os.environ)
    except config.ConfigError as error:
        print(f"wyoming-streamwhisper: {error}", file=sys.stderr)
        return EX_CONFIG
    log.set_up(settings.log)
    for sentence in unknown_variables(os.environ):
        logging.getLogger(__name__).warning(sentence)

    if task == "run":
        from wyoming_streamwhisper.daemon import run

        return run(settings)

    from wyoming_streamwhisper.check import check

    return check(settings)


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": _run,
    "check": _check,
    "transcribe": _transcribe,
    "client": _client,
}

if __name__ == "__main__":
    sys.exit(main())
