"""The wire gives the same events for any cuts, and one WireError for whatever is no Wyoming."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wyoming.event import Event, async_read_event

from wyoming_streamwhisper.server.wire import Limits, Wire, WireError, encode

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
events = st.builds(
    Event,
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), values, max_size=4),
    st.none() | st.binary(min_size=1, max_size=300),
)
SMALL = Limits(header=200, data=100, payload=100, depth=4)


def read(portions: list[bytes], limits: Limits | None = None) -> tuple[list[Event], str]:
    """Give all events of a whole stream, and the code of its error."""
    wire = Wire(limits)
    found: list[Event] = []
    try:
        for portion in portions:
            wire.receive(portion)
            found.extend(wire.events())
        wire.eof()
    except WireError as error:
        return found, error.code
    return found, ""


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([b]) for b in data]


def line(**header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n"


CHUNK = line(type="audio-chunk", data_length=11, payload_length=4) + b'{"rate": 1}' + b"pcm!"


@given(st.lists(events, max_size=4), st.lists(st.integers(0, 3000), max_size=30))
def test_what_was_encoded_is_read_for_any_cuts(sent: list[Event], places: list[int]) -> None:
    data = b"".join(map(encode, sent))
    borders = [0, *sorted(p % (len(data) + 1) for p in places), len(data)]
    assert read([data[a:b] for a, b in pairwise(borders)]) == (sent, "")
    assert read(bytewise(data)) == (sent, "")


@given(events)
def test_the_library_reads_what_we_write(event: Event) -> None:
    async def by_library() -> Event | None:
        reader = asyncio.StreamReader()
        reader.feed_data(encode(event))
        reader.feed_eof()
        return await async_read_event(reader)

    assert asyncio.run(by_library()) == event


noise = st.binary(max_size=400)
near_misses = st.builds(
    lambda good, at, bad: good[: at % len(good)] + bad + good[at % len(good) :],
    st.just(CHUNK * 3),
    st.integers(0, 1000),
    st.binary(max_size=3),
)
headers = st.dictionaries(
    st.sampled_from(["type", "data", "data_length", "payload_length", "version"]),
    values | st.integers(-2, 150),
).map(lambda header: line(**header) + b"{}" * 100)


@settings(max_examples=300)
@given(noise | near_misses | headers | st.builds(lambda a, b: a + b, headers, noise))
@example(b"")
@example(b"\n")
@example(b"[" * 150 + b"\n")
def test_any_bytes_give_events_or_one_wire_error_alike_for_any_cuts(data: bytes) -> None:
    whole = read([data], SMALL)
    assert read(bytewise(data), SMALL) == whole
    assert all(type(e.type) is str and type(e.data) is dict for e in whole[0])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\n", "bad-header"),
        (b"\r\n", "bad-header"),
        (b"no json\n", "bad-header"),
        (b"42\n", "bad-header"),
        (b"null\n", "bad-header"),
        (b'["type"]\n', "bad-header"),
        (b"{}\n", "bad-header"),
        (line(type=None), "bad-header"),
        (line(type=5), "bad-header"),
        (line(type=["ping"]), "bad-header"),
        (b'{"type": "\xff"}\n', "bad-header"),
        (b'\xef\xbb\xbf{"type": "ping"}\n', "bad-header"),
        (b'{"type": "\\ud800"}\n', "bad-header"),
        (b'{"type": "ping", "x": NaN}\n', "bad-header"),
        (b'{"type": "ping", "x": -Infinity}\n', "bad-header"),
        (b'{"type": "ping", "x": 1e999}\n', "bad-header"),
        (b'{"type": "ping", "x": ' + b"9" * 5000 + b"}\n", "bad-header"),
        (line(type="x", data_length=True), "bad-header"),
        (line(type="x", data_length=5.0), "bad-header"),
        (line(type="x", data_length="5"), "bad-header"),
        (line(type="x", data_length=-1), "bad-header"),
        (line(type="x", data_length=[1]), "bad-header"),
        (line(type="x", payload_length=False), "bad-header"),
        (line(type="x", payload_length=-(10**30)), "bad-header"),
        (line(type="x", data_length=10**12), "too-large"),
        (line(type="x", payload_length=10**30), "too-large"),
        (line(type="x", payload_length=2**20 + 1), "too-large"),
        (b" " * 70000 + line(type="x"), "too-large"),
        (b"x" * 70000, "too-large"),
        (line(type="x", data=[1]), "bad-data"),
        (line(type="x", data="text"), "bad-data"),
        (line(type="x", data_length=4) + b"[{}]", "bad-data"),
        (line(type="x", data_length=4) + b"null", "bad-data"),
        (line(type="x", data_length=2) + b"{\xff", "bad-data"),
        (line(type="x", data_length=9) + b'{"a":NaN}', "bad-data"),
        (line(type="x", data_length=5002) + b"[" + b"1" * 5000 + b"]", "bad-data"),
        (line(type="x", data_length=200000) + b"[" * 200000, "too-deep"),
        (b'{"type": "x", "data": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}\n", "too-deep"),
        (b'{"type": "x"', "truncated"),
        (line(type="x", data_length=4) + b"{}", "truncated"),
        (line(type="x", payload_length=4) + b"pcm", "truncated"),
    ],
)
def test_each_fault_has_its_code(data: bytes, code: str) -> None:
    assert read([data]) == ([], code)
    assert read([CHUNK + data])[1] == code


def test_after_an_error_the_wire_is_dead() -> None:
    wire = Wire()
    wire.receive(b"{}\n" + CHUNK)
    with pytest.raises(WireError):
        wire.next_event()
    wire.receive(CHUNK)
    assert wire.next_event() is None
    wire.eof()


def test_events_before_a_fault_are_given() -> None:
    found, code = read([CHUNK + CHUNK + b"{}\n"])
    assert (len(found), code) == (2, "bad-header")


def test_an_error_repeats_nothing_that_was_said() -> None:
    wire = Wire()
    wire.receive(b'{"type": "transcript", "data": {"text": "secret words"}, }\n')
    with pytest.raises(WireError) as caught:
        wire.next_event()
    assert "secret" not in caught.value.text


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_hand_written_headers_are_read(end: bytes) -> None:
    assert read([b'{ "type": "describe" }' + end]) == ([Event("describe", {})], "")


def test_null_and_zero_are_absent() -> None:
    header = line(type="ping", data=None, data_length=None, payload_length=0, version=7)
    assert read([header + line(type="pong", data_length=0, payload_length=None)]) == (
        [Event("ping", {}), Event("pong", {})],
        "",
    )


def test_the_data_block_wins_over_inline_data_at_the_top_level_only() -> None:
    block = b'{"b": {"y": 2}, "c": 3}'
    header = line(type="x", data={"a": 1, "b": {"x": 1}}, data_length=len(block))
    (event,) = read([header + block])[0]
    assert event.data == {"a": 1, "b": {"y": 2}, "c": 3}


def test_brackets_in_text_are_no_depth() -> None:
    event = Event("transcript", {"text": "[{" * 50, "list": [{}] * 50})
    assert read([encode(event)]) == ([event], "")


def test_nesting_up_to_the_limit_is_taken() -> None:
    data: dict[str, Any] = {}
    for _ in range(30):
        data = {"deeper": data}
    assert read([encode(Event("x", {"top": data}))])[1] == ""
    assert read([encode(Event("x", {"one": {"more": data}}))])[1] == "too-deep"


def test_a_pair_of_surrogates_is_a_letter() -> None:
    assert read([b'{"type": "\\ud83d\\ude00"}\n']) == ([Event("\U0001f600", {})], "")


def test_half_a_pair_of_surrogates_is_not_sent() -> None:
    assert read([encode(Event("pong", {"text": "a\ud800"}))]) == (
        [Event("pong", {"text": "a?"})],
        "",
    )


def test_empty_parts_are_left_out() -> None:
    header = json.loads(encode(Event("describe", {}, b"")))
    assert sorted(header) == ["type", "version"]


def test_the_buffer_never_holds_more_than_one_event() -> None:
    wire = Wire(SMALL)
    for _ in range(1000):
        wire.receive(CHUNK)
        assert len(list(wire.events())) == 1
    wire.receive(CHUNK[:-1])
    assert wire.next_event() is None
    assert len(wire._buffer) < len(CHUNK)


def test_a_line_without_end_is_refused_as_soon_as_it_is_too_long() -> None:
    wire = Wire(SMALL)
    for _ in range(200):
        wire.receive(b"x")
        assert wire.next_event() is None
    wire.receive(b"x")
    with pytest.raises(WireError, match="longer than 200"):
        wire.next_event()
    assert not wire._buffer


@given(st.lists(st.sampled_from(range(4)), max_size=12), st.lists(events, min_size=4, max_size=4))
def test_what_came_before_does_not_change_how_an_event_is_read(
    order: list[int], choice: list[Event]
) -> None:
    wire = Wire()
    for number in order:
        wire.receive(encode(choice[number]))
        assert wire.next_event() == choice[number]


def test_a_chunk_like_the_one_before_shares_its_data() -> None:
    wire = Wire()
    wire.receive(CHUNK * 2)
    first, second = wire.events()
    assert first.data is second.data
