"""Writes the documented example of a configuration file from what the rooms declare."""

import re
import textwrap

import yaml

from wyoming_streamwhisper.config.catalogue import ROOMS
from wyoming_streamwhisper.config.values import expected
from wyoming_streamwhisper.option import Option, declared
from wyoming_streamwhisper.server.options import Listener

_HEAD = """\
# Configuration of wyoming-streamwhisper: every option, with its default.
#
# Take the `#` away in front of what you change. Each option is also a flag (`--beam-size 5`) and
# an environment variable (STREAMWHISPER_BEAM_SIZE=5, or STREAMWHISPER_BEAM_SIZE_FILE with the name
# of a file that holds the value); flags win over the environment, and that over this file.
#
# This file is made from the code: `python -m wyoming_streamwhisper.config > config.example.yaml`.
"""

_PROFILES = """\
# ---- Profiles ----

# Named sets of the options under "Recognition"; what a profile does not say is taken from above.
# Each is a program that clients can choose, the first one by default, or that a listener is
# bound to:
#
#profiles:
#  home:
#    language: en
#    endpointing: early
#  dictation:
#    languages: [en, de]
#    beam_size: 5
#
#uris:
#  - tcp://0.0.0.0:10300
#  - {uri: "tcp://0.0.0.0:10301", profile: dictation, satellite: study}
"""


def example() -> str:
    """Return the example file."""
    rooms = [
        "\n".join([f"# ---- {heading} ----\n", *(_entry(o) for room in of for o in declared(room))])
        for heading, of in ROOMS.items()
    ]
    return "\n".join([_HEAD, *rooms, _PROFILES])


def as_yaml(value: object) -> str:
    """Return a value of an option as it stands behind its key."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    return _quoted(value)


def _entry(option: Option) -> str:
    about = [f"# {line}" for line in textwrap.wrap(option.declared.help, 96)]
    is_listed = option.declared.choices or option.kind in (bool, int, float)
    allowed = f"  # {expected(option)}" if is_listed else ""
    return "\n".join([*about, f"#{option.name}: {as_yaml(option.default)}{allowed}\n"])


def _quoted(value: object) -> str:
    if isinstance(value, Listener):
        return _quoted(value.uri)
    if isinstance(value, bool | int | float):
        return str(value).lower().removesuffix(".0")
    text = str(value)
    if re.fullmatch(r"[A-Za-z0-9][\w./-]*(:[\w./-]+)*", text, re.ASCII) and text.lower() != "null":
        return text
    # the width keeps a long text on its line
    return yaml.safe_dump(text, default_style='"', width=1 << 30).removesuffix("\n")
