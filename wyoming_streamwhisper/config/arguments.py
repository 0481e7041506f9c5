"""The command line as a source: one flag for every option, named as Wyoming users know them."""

from argparse import (
    SUPPRESS,
    ArgumentParser,
    BooleanOptionalAction,
    Namespace,
    _ArgumentGroup,
)
from collections.abc import Mapping, Sequence

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.config.catalogue import OPTIONS, ROOMS
from wyoming_streamwhisper.config.values import UNSET, Given, expected
from wyoming_streamwhisper.option import Option, declared

Rooms = Mapping[str, tuple[type[object], ...]]
"""Dataclasses that declare options, by the heading that people see above them."""

# names that other Wyoming servers use
_ALIASES = {"task": ("--whisper-task",)}
_BARE = {"zeroconf": ("auto", "NAME"), "http": ("on", "URI")}
"""Options whose value may be left out, what that means, and how the value is called in the help."""
_SHORTHANDS = {"zeroconf": {"--no-zeroconf": "off"}, "log_level": {"--debug": "debug"}}
_USAGE = """%(prog)s [run] [options]      serve
       %(prog)s check [options]      test the configuration and the model
       %(prog)s transcribe FILE...   transcribe files (see transcribe --help)
       %(prog)s client ...           speak to a running server (see client --help)"""


def read_arguments(argv: Sequence[str]) -> tuple[dict[str, Given], str]:
    """Return the options that flags set, and the configuration file's path or nothing.

    Bad usage ends the process with status 2, as everywhere; bad values are for `values`.
    """
    parser = ArgumentParser(
        prog="wyoming-streamwhisper",
        usage=_USAGE,
        description="Live speech-to-text for every voice satellite, over the Wyoming protocol.",
        argument_default=SUPPRESS,  # what nobody said must not win over the file
        allow_abbrev=False,  # a new option would break the abbreviations of older ones
    )
    add_options(parser, ROOMS)
    return options_of(parser.parse_args(argv))


def options_of(said: Namespace) -> tuple[dict[str, Given], str]:
    """Return the options among what was parsed, and the configuration file's path or nothing."""
    given = {
        name: Given(_text(value), OPTIONS[name].flag)
        for name, value in vars(said).items()
        if name in OPTIONS
    }
    path: str = getattr(said, "config", "")
    return {name: value for name, value in given.items() if value.raw not in UNSET}, path


def _text(value: object) -> str:
    # back into one text, so that a repeated flag reads like a variable with several lines
    if isinstance(value, list):
        return "\n".join(item for item in value if item not in UNSET)
    return str(value)


def add_options(parser: ArgumentParser, rooms_by_heading: Rooms) -> None:
    """Add a flag for every option of these rooms, unset where nobody says it."""
    parser.epilog = (
        "Each option can also stand in the configuration file or in the environment, as "
        "STREAMWHISPER_ and its name in capitals; flags win over the environment, and that over "
        "the file."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--config", default="", metavar="FILE", help="configuration file (YAML)")
    for heading, rooms in rooms_by_heading.items():
        group = parser.add_argument_group(heading)
        for room in rooms:
            for option in declared(room):
                _add(group, option)


def _add(group: _ArgumentGroup, option: Option) -> None:
    names = (option.flag, *_ALIASES.get(option.name, ()))
    dest, text, metavar = option.name, _help(option), _metavar(option)
    if option.kind is bool:
        group.add_argument(*names, dest=dest, help=text, action=BooleanOptionalAction)
    elif option.many:
        group.add_argument(*names, dest=dest, help=text, action="append", metavar=metavar)
    elif option.name in _BARE:
        const, metavar = _BARE[option.name]
        group.add_argument(*names, dest=dest, help=text, nargs="?", const=const, metavar=metavar)
    else:
        group.add_argument(*names, dest=dest, help=text, metavar=metavar)
    for name, value in _SHORTHANDS.get(option.name, {}).items():
        same = f"same as {option.flag} {value}"
        group.add_argument(name, dest=dest, help=same, action="store_const", const=value)


def _metavar(option: Option) -> str:
    if option.declared.choices:
        return "{" + ",".join(option.declared.choices) + "}"
    return option.declared.unit or (option.declared.flag or option.name).upper()


def _help(option: Option) -> str:
    text = option.declared.help.replace("`", "")
    if isinstance(option.default, bool) or option.many or option.default == "":
        return text.replace("%", "%%")
    allowed = "" if option.kind is str else f"{expected(option)}; "
    text += f" ({allowed}default {option.default})"
    return text.replace("%", "%%")
