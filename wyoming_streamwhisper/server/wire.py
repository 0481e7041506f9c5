"""Frames the Wyoming protocol: bytes in, events out, and no way for a peer to do harm.

Sans-I/O, and without knowledge of what an event means. The library's own reader answers malformed
input with silence, a lost task or endless memory; here every fault is one WireError with a code.

An event is a header line (a JSON object), then the data block and the payload whose lengths it
announced. Lengths are judged before anything is kept for them, and the work is linear in the bytes
however they are cut.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from wyoming.event import Event
from wyoming.version import __version__ as wyoming_version

_MEMORABLE = 256
"""Bytes of a header or data block that may come again; those of an audio chunk have 60 to 90."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What no event of a peer may pass."""

    header: int = 64 * 1024
    """Bytes of a header line; the limit of the library's own reader."""
    data: int = 1024 * 1024
    """Bytes of a data block; the names of a very large home take some ten thousand."""
    payload: int = 1024 * 1024
    """Bytes of a payload; 11 s of CD sound, where clients send 10 to 100 ms."""
    depth: int = 32
    """Objects and lists within each other; real events have at most six."""


class WireError(Exception):
    """The peer broke the framing; nothing behind it can be understood.

    `code` is stable and for programs (`bad-header`, `bad-data`, `too-large`, `too-deep`,
    `truncated`), `text` is for people and repeats nothing that the peer said.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class _Header:
    type: str
    data: dict[str, Any]
    data_length: int
    payload_length: int


class Wire:
    """Reads one peer's stream.

    Give what arrived to `receive`, then take events until there are none; the end of the stream
    is told by `eof`. After a WireError the wire is dead: it takes nothing and gives nothing.
    Events that were written alike share their data, so nobody may change it.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer known to hold no line's end."""
        self._header: _Header | None = None
        """Header of the event whose body is awaited."""
        self._known: dict[bytes, _Header] = {}
        """The last header line, and what it says: audio chunks are alike but for their sound."""
        self._known_data: dict[bytes, dict[str, Any]] = {}
        self._dead = False

    @property
    def held(self) -> int:
        """Bytes that are no event yet, or have not been asked for."""
        return len(self._buffer)

    def receive(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes as they arrived; raises nothing."""
        if not self._dead:
            self._buffer += data

    def events(self) -> Iterator[Event]:
        """Give all events that are complete; raises WireError."""
        return iter(self.next_event, None)

    def next_event(self) -> Event | None:
        """Give the next event, or None until more bytes come; raises WireError, once."""
        try:
            return self._next()
        except WireError:
            self._die()
            raise

    def eof(self) -> None:
        """Say that no more bytes come; raises WireError if an event is left unfinished.

        All complete events must have been taken.
        """
        unfinished = self._header is not None or len(self._buffer) > 0
        self._die()
        if unfinished:
            raise WireError("truncated", "the stream ended within an event")

    def close(self) -> None:
        """Take nothing more, and forget what was not asked for."""
        self._die()

    def _die(self) -> None:
        self._dead, self._header, self._searched = True, None, 0
        self._buffer.clear()

    def _next(self) -> Event | None:
        if self._header is None:
            line = self._take_line()
            if line is None:
                return None
            self._header = self._read_header(line)
        header = self._header
        body = header.data_length + header.payload_length
        # Nothing is copied until all is here, so a slow peer costs one pass over its bytes.
        if len(self._buffer) < body:
            return None
        self._header = None
        data = header.data
        if header.data_length:
            # What the block says counts more, key by key at the top and not below.
            block = bytes(self._buffer[: header.data_length])
            told = self._read_data(block)
            data = data | told if data else told
        payload = bytes(self._buffer[header.data_length : body]) or None
        del self._buffer[:body]
        return Event(header.type, data, payload)

    def _read_header(self, line: bytes) -> _Header:
        """Read a header line, unless it is the last one again."""
        header = self._known.get(line)
        if header is None:
            header = _read_header(line, self._limits)
            _remember(self._known, line, header)
        return header

    def _read_data(self, block: bytes) -> dict[str, Any]:
        """Read a data block, unless it is the last one again."""
        data = self._known_data.get(block)
        if data is None:
            data = _read_object(block, "data", self._limits)
            _remember(self._known_data, block, data)
        return data

    def _take_line(self) -> bytes | None:
        """Cut the header line off the buffer; None until its end is there."""
        end = self._buffer.find(b"\n", self._searched)
        self._searched = len(self._buffer)
        # Judged by where the line ends and not by what came along, so cuts do not matter.
        if (end if end >= 0 else self._searched) > self._limits.header:
            raise WireError("too-large", f"a header is longer than {self._limits.header} bytes")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        # Cheap: CPython moves where a bytearray starts, and its bytes only now and then.
        del self._buffer[: end + 1]
        self._searched = 0
        return line


def _remember(known: dict[bytes, _T], raw: bytes, value: _T) -> None:
    """Keep one value, and only one that is short: it stays as long as the connection."""
    if len(raw) <= _MEMORABLE:
        known.clear()
        known[raw] = value


def encode(event: Event) -> bytes:
    """Write one event as the library does: data in a block of its own, empty parts left out.

    Text that is no Unicode (half of a surrogate pair) is written as `?`, for the peer could not
    read anything else.
    """
    header: dict[str, Any] = {"type": event.type, "version": wyoming_version}
    block, payload = b"", event.payload or b""
    if event.data:
        block = _dump(event.data)
        header["data_length"] = len(block)
    if payload:
        header["payload_length"] = len(payload)
    return b"".join((_dump(header), b"\n", block, payload))


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _read_header(line: bytes, limits: Limits) -> _Header:
    """Check a header line; all that is not spoken of here is left alone, as the protocol wants."""
    header = _read_object(line, "header", limits)
    kind, data = header.get("type"), header.get("data")
    if not isinstance(kind, str):
        raise WireError("bad-header", "the type of an event is missing or no string")
    if data is not None and not isinstance(data, dict):
        raise WireError("bad-data", "the data of an event is no object")
    return _Header(
        kind,
        data or {},
        _read_length(header, "data_length", limits.data),
        _read_length(header, "payload_length", limits.payload),
    )


def _read_length(header: dict[str, Any], key: str, limit: int) -> int:
    length = header.get(key)
    if length is None:  # some clients write all keys
        return 0
    if type(length) is not int or length < 0:  # True would be 1
        raise WireError("bad-header", f"{key} is no whole number from 0")
    if length > limit:
        raise WireError("too-large", f"{key} is more than {limit} bytes")
    return length


def _read_object(raw: bytes, what: str, limits: Limits) -> dict[str, Any]:
    """Read a JSON object of strict JSON and whole Unicode; raises WireError."""
    try:
        value = _decoder.decode(raw.decode("utf-8"))
        if b"\\u" in raw:  # only an escape can bring in half of a surrogate pair
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    # Some hundred levels; fewer are counted below, so the answer never hangs on our own stack.
    except RecursionError:
        raise _too_deep(what, limits) from None
    except ValueError:  # no JSON, no UTF-8, or a number of thousands of digits
        raise WireError(f"bad-{what}", f"the {what} of an event is no JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise WireError(f"bad-{what}", f"the {what} of an event is no object")
    # To count what opens is quick; only where that is too much it matters how it lies.
    if raw.count(b"{") + raw.count(b"[") > limits.depth and _depth(value) > limits.depth:
        raise _too_deep(what, limits)
    return value


def _too_deep(what: str, limits: Limits) -> WireError:
    return WireError("too-deep", f"the {what} of an event is nested deeper than {limits.depth}")


def _depth(value: Any) -> int:
    """Count the levels of objects and lists, level by level, since recursion is the danger."""
    depth, level = 0, [value]
    while level := [v for v in level if isinstance(v, dict | list)]:
        depth += 1
        level = [child for v in level for child in (v.values() if isinstance(v, dict) else v)]
    return depth


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _reject(digits)


# Made once: json.loads with the same arguments makes a new one for every call.
_decoder = json.JSONDecoder(parse_constant=_reject, parse_float=_finite)
