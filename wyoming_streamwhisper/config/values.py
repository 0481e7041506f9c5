"""From what somebody wrote to a checked value: one grammar for file, environment and flags."""

import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from wyoming_streamwhisper.core.languages import LANGUAGES
from wyoming_streamwhisper.log import check_format
from wyoming_streamwhisper.option import Option
from wyoming_streamwhisper.server.options import Listener

# how a sentence calls what is expected
_KINDS: dict[type[object], str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Listener: "tcp://HOST:PORT, unix://PATH or a mapping {uri, profile, satellite}",
}


UNSET = ("", "null")
"""Words that stand for nothing: add-ons and compose files hand on unset options like this."""


class ConfigError(Exception):
    """One sentence that says where, what stands there, and what was expected."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody wrote it (a text, or a list or mapping from YAML), and where."""

    raw: object
    where: str


def read(option: Option, given: Given) -> Any:
    """Return the value of an option, or raise ConfigError."""
    if not option.many:
        return _read_one(option, given.raw, given.where)
    items = given.raw if isinstance(given.raw, list) else [given.raw]
    if isinstance(given.raw, str):  # not from a YAML list, whose items may contain commas
        items = [item.strip() for item in re.split(r"[,\n]", given.raw) if item.strip()]
    return tuple(_read_one(option, item, given.where) for item in items)


def expected(option: Option) -> str:
    """Say in words which values an option takes."""
    said = option.declared
    if option.name in _CHECKS:
        return _CHECKS[option.name][1]
    if said.choices:
        return "one of " + ", ".join(said.choices)
    low = "" if said.low is None else f"from {said.low:g}"
    high = "" if said.high is None else f"to {said.high:g}" if low else f"up to {said.high:g}"
    return " ".join(filter(None, [_KINDS[option.kind], low, high, said.unit]))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word that looks most like this one, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def read_file(path: str, where: str) -> str:
    """Return the text of a file that `where` names."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not a text in UTF-8") from error


def _read_one(option: Option, raw: object, where: str) -> object:
    try:
        value = _READERS[option.kind](raw)
        _check(option, value)
    except ValueError:
        shown = "something else" if option.declared.secret else repr(raw)
        hint = _hint(option, raw)
        # without the cause, which tells nothing more and may show a secret
        raise ConfigError(f"{where} is {shown}, expected {expected(option)}{hint}") from None
    return value


def _check(option: Option, value: object) -> None:
    said = option.declared
    if said.choices and value not in said.choices:
        raise ValueError(value)
    if isinstance(value, int | float):
        low = -math.inf if said.low is None else said.low
        high = math.inf if said.high is None else said.high
        if not low <= value <= high:
            raise ValueError(value)
    # rooms below us cannot name these checks: a declaration is data
    if isinstance(value, str) and option.name in _CHECKS:
        _CHECKS[option.name][0](value)


def _hint(option: Option, raw: object) -> str:
    if option.name in ("language", "languages"):
        codes = {name: code for code, name in LANGUAGES.items()} | {c: c for c in LANGUAGES}
        word = str(raw).lower()
        code = codes.get(word) or codes.get(re.split("[-_]", word)[0])
        return f"; did you mean {code}?" if code else ""
    return did_you_mean(str(raw), option.declared.choices)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError(raw)
    return raw


def _number(raw: object) -> float:
    value = float(_text(raw))
    if not math.isfinite(value):
        raise ValueError(raw)
    return value


def _truth(raw: object) -> bool:
    word = _text(raw).lower()
    if word not in _TRUTHS:
        raise ValueError(raw)
    return _TRUTHS[word]


def _listener(raw: object) -> Listener:
    if isinstance(raw, str):
        return Listener(_uri(raw))
    known = {f.name for f in fields(Listener)}
    if not isinstance(raw, dict) or "uri" not in raw or not set(raw) <= known:
        raise ValueError(raw)
    said = {key: _text(value) for key, value in raw.items() if value is not None}
    return Listener(**said | {"uri": _uri(raw["uri"])})


def _uri(raw: object) -> str:
    text = _text(raw)
    parts = urlsplit(text)  # ValueError for a bad IPv6 address, and below for a bad port
    is_path = parts.scheme == "unix" and parts.netloc + parts.path
    is_host = parts.scheme == "tcp" and parts.hostname and parts.port is not None
    is_more = is_host and (parts.path or parts.query or parts.fragment or parts.username)
    if is_more or not (is_path or is_host):
        raise ValueError(raw)
    return text


def _language(code: str) -> None:
    if code not in LANGUAGES:
        raise ValueError(code)


def _language_or_auto(code: str) -> None:
    if code != "auto":
        _language(code)


def _device(name: str) -> None:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError(name)


def _http(address: str) -> None:
    if address not in ("on", "off"):
        _uri(address)


def _announcement(name: str) -> None:
    # `zeroconf: false` is meant as `off`, not as a name; 63 bytes is the most in a label of DNS
    if (name in _TRUTHS and name != "off") or len(name.encode()) > 63:
        raise ValueError(name)


_TRUTHS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)

_READERS: dict[type[object], Callable[[object], object]] = {
    str: _text,
    int: lambda raw: int(_text(raw)),
    float: _number,
    bool: _truth,
    Listener: _listener,
}

_CHECKS: dict[str, tuple[Callable[[str], None], str]] = {
    "language": (_language_or_auto, "auto or a language code of Whisper such as en"),
    "languages": (_language, "language codes of Whisper such as en"),
    "device": (_device, "auto, cpu, cuda or cuda:N"),
    "http": (_http, "on, off, tcp://HOST:PORT or unix://PATH"),
    "zeroconf": (_announcement, "auto, off or a name of at most 63 bytes"),
    "log_format": (check_format, "a format of Python's logging such as %(levelname)s: %(message)s"),
}
"""Where neither a list nor a range says it: what raises ValueError, and what is right."""
