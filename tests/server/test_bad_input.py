"""Whatever a peer sends, the answer is defined, one log line tells, and nobody else notices."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, async_read_event

from tests.clips import GERMAN, SHORT
from tests.server.door import (
    PATIENCE,
    Door,
    House,
    Said,
    Sent,
    answer,
    chunks,
    connected,
    say,
    send,
    silence,
    speak,
    utterance,
)
from wyoming_streamwhisper.server.wire import encode

START, STOP = AudioStart(16000, 2, 1), AudioStop()
CHUNKS = chunks(SHORT.pcm)
SECRET = "the-password-is-swordfish"
OUR_OWN = "wyoming_streamwhisper.server"


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """No test here may lead to a traceback, and none to a log line with a user's words."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    assert not [r for r in caplog.records if r.exc_info or r.levelno >= logging.ERROR]
    assert SECRET not in caplog.text
    assert "dryer" not in caplog.text


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    found = [r for r in log.records if r.levelno >= logging.INFO and r.name.startswith(OUR_OWN)]
    return [r.getMessage() for r in found if "listening on" not in r.getMessage()]


def line(**header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n"


def encoded(events: Sequence[Sent]) -> bytes:
    return b"".join(encode(e if isinstance(e, Event) else e.event()) for e in events)


# Broken framing: an error, and the connection ends


async def raw(door: Door, sent: bytes, *, hang_up: bool = False) -> list[Event]:
    """Send bytes; return all events until the door closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.uri.split(":")[2]))
    writer.write(sent)
    if hang_up:
        writer.write_eof()
    events = []
    async with asyncio.timeout(PATIENCE):
        while (event := await async_read_event(reader)) is not None:
            events.append(event)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return events


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad-header"),
        (b"\n", "bad-header"),
        (b"[1]\n", "bad-header"),
        (b"{}\n", "bad-header"),
        (b'{"type": 5}\n', "bad-header"),
        (b"\xff\xfe{}\n", "bad-header"),
        (b'{"type": "describe", "data": [1]}\n', "bad-data"),
        (b'{"type": "describe", "data_length": 5}\n12345', "bad-data"),
        (b'{"type": "describe", "data_length": "5"}\n', "bad-header"),
        (b'{"type": "audio-chunk", "payload_length": -1}\n', "bad-header"),
        (b'{"type": "audio-chunk", "payload_length": 1000000000000}\n', "too-large"),
        (b'{"type": "transcribe", "data_length": 1000000000000}\n', "too-large"),
        (b"x" * 70_000, "too-large"),
        (b'{"type": "x", "data": {"a":' + b"[" * 500 + b"]" * 500 + b"}}\n", "too-deep"),
        (line(type="transcribe", data={"language": SECRET}, data_length=-1), "bad-header"),
    ],
)
def test_broken_framing_is_answered_and_ends_the_connection(
    door: Door, log: pytest.LogCaptureFixture, sent: bytes, code: str
) -> None:
    # What else is on its way must not destroy the answer.
    (event,) = asyncio.run(raw(door, sent + b"\0" * 200_000))
    assert (event.type, event.data["code"]) == ("error", code)
    (told,) = warnings(log)
    assert "127.0.0.1" in told
    assert code in told


@pytest.mark.parametrize("place", [1, 20, 60, 100, 200])
def test_a_stream_that_ends_within_an_event_is_one_line(
    door: Door, log: pytest.LogCaptureFixture, place: int
) -> None:
    (event,) = asyncio.run(raw(door, encode(CHUNKS[0])[:place], hang_up=True))
    assert (event.type, event.data["code"]) == ("error", "truncated")
    assert len(warnings(log)) == 1


def test_an_utterance_before_broken_framing_still_has_its_answer(door: Door) -> None:
    sent = encoded(utterance(SHORT.pcm))
    events = asyncio.run(raw(door, sent + b"garbage\n"))
    said, (last,) = Said(events[:-1]), events[-1:]
    assert said.text == SHORT.text
    assert last.data["code"] == "bad-header"


def test_an_utterance_amid_broken_framing_has_one_error(door: Door) -> None:
    sent = encoded([START, *CHUNKS])
    events = asyncio.run(raw(door, sent + b"garbage\n"))
    assert [e.data["code"] for e in events if e.type == "error"] == ["bad-header"]
    assert not [e for e in events if e.type == "transcript"]


# Events that say nonsense: an error, and the connection stays


LONG = "x" * 257


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"language": 5}, "bad-event"),
        ({"language": LONG}, "bad-event"),
        ({"language": "klingon"}, "unsupported-language"),
        ({"language": "fr"}, "unsupported-language"),
        ({"language": SECRET}, "unsupported-language"),
        ({"name": "no-such-model"}, "unknown-model"),
        ({"name": SECRET}, "unknown-model"),
        ({"name": ["demo"]}, "bad-event"),
        ({"context": "kitchen"}, "bad-event"),
        ({"context": {"satellite_id": 5}}, "bad-event"),
        ({"context": {"satellite_id": "#1"}}, "bad-event"),
        ({"context": {"satellite_id": "a\nfaked: log line"}}, "bad-event"),
        ({"context": {"satellite_id": LONG}}, "bad-event"),
        ({"transcript_names": SECRET}, "bad-event"),
        ({"transcript_names": [5]}, "bad-event"),
        ({"transcript_terms": ["x"] * 1001}, "bad-event"),
        ({"vad_sensitivity": {}}, "bad-event"),
    ],
)
def test_a_bad_request_is_the_only_answer_to_its_utterance(
    door: Door, log: pytest.LogCaptureFixture, asked: dict[str, Any], code: str
) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, Event("transcribe", asked), START, *CHUNKS, STOP)
            assert (await answer(client)).code == code
            await silence(client)
            await send(client, Event("transcribe", asked), *CHUNKS, STOP)
            assert (await answer(client)).code == code
            await silence(client)
            await send(client, *utterance(GERMAN.pcm))
            assert (await answer(client)).text == GERMAN.text

    asyncio.run(check())
    assert len(warnings(log)) == 2


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"rate": 16000, "width": 2},
        {"rate": "16000", "width": 2, "channels": 1},
        {"rate": 16000.0, "width": 2, "channels": 1},
        {"rate": 7999, "width": 2, "channels": 1},
        {"rate": 96000, "width": 2, "channels": 1},
        {"rate": 16000, "width": 5, "channels": 1},
        {"rate": 16000, "width": 2, "channels": 0},
        {"rate": 16000, "width": 2, "channels": True},
        {"rate": SECRET * 10_000, "width": 2, "channels": 1},
    ],
)
@pytest.mark.parametrize("kind", ["audio-start", "audio-chunk"])
def test_an_unknown_format_is_answered_once(
    door: Door, log: pytest.LogCaptureFixture, kind: str, form: dict[str, Any]
) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            bad = Event(kind, form, b"12" if kind == "audio-chunk" else None)
            await send(client, bad, bad, *CHUNKS, STOP)
            said = await answer(client)
            assert said.code == "bad-audio-format"
            if kind == "audio-start":  # each start is an attempt of its own
                assert (await answer(client)).code == "bad-audio-format"
            await silence(client)
            await send(client, *utterance(SHORT.pcm))
            assert (await answer(client)).text == SHORT.text

    asyncio.run(check())
    assert all(len(told) < 200 for told in warnings(log))


def test_a_chunk_of_unknown_format_ends_its_utterance_with_an_error(door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            bad = Event("audio-chunk", {"rate": 1, "width": 2, "channels": 1}, b"12")
            await send(client, START, *CHUNKS[:3], bad, bad, *CHUNKS, STOP)
            assert (await answer(client)).code == "bad-audio-format"
            await silence(client)
            await send(client, *utterance(SHORT.pcm))
            assert (await answer(client)).text == SHORT.text

    asyncio.run(check())


def test_errors_wait_for_the_answers_before_them(door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            bad = Event("transcribe", {"language": 5})
            form = Event("audio-start", {"rate": 5})
            await send(client, *utterance(SHORT.pcm), bad, START, *CHUNKS, STOP)
            await send(client, *utterance(GERMAN.pcm), form)
            assert (await answer(client)).text == SHORT.text
            assert (await answer(client)).code == "bad-event"
            assert (await answer(client)).text == GERMAN.text
            assert (await answer(client)).code == "bad-audio-format"

    asyncio.run(check())


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Event("select-program", {"name": "nobody"}), "unknown-program"),
        (Event("select-program"), "bad-event"),
        (Event("select-program", {"name": 5}), "bad-event"),
        (Event("ping", {"text": 5}), "bad-event"),
        (Event("ping", {"text": LONG}), "bad-event"),
    ],
)
def test_other_nonsense_leaves_an_utterance_alone(door: Door, event: Event, code: str) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, Transcribe(language="en"), event)
            assert (await answer(client)).code == code
            await send(client, START, *CHUNKS, STOP)
            assert (await answer(client)).text == SHORT.text

    asyncio.run(check())


@pytest.mark.parametrize("name", ["nothing", "", "x" * 60_000, "détecté\n", "stop-everything"])
def test_unknown_events_are_ignored(door: Door, name: str) -> None:
    events: list[Sent] = [
        START,
        Event(name, {"deep": [{}]}, bytes(1000)),
        *CHUNKS,
        Event(name),
        STOP,
    ]
    assert speak(door.uri, events).text == SHORT.text


# Chance


def garbage(chance: random.Random) -> bytes:
    """Make some bytes, or good events with a few bytes changed, left out or doubled."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(1, 3000)) + b"\n" * chance.randrange(2)
    events = [Event("describe"), Transcribe(language="en").event(), START.event(), *CHUNKS[:3]]
    good = bytearray(b"".join(map(encode, events)) + encode(STOP.event()))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(good))
        match chance.randrange(3):
            case 0:
                good[at] = chance.randrange(256)
            case 1:
                del good[at : at + chance.randrange(1, 50)]
            case _:
                good[at:at] = good[at : at + chance.randrange(1, 50)]
    return bytes(good)


def test_the_door_survives_garbage_of_any_kind(door: Door, log: pytest.LogCaptureFixture) -> None:
    async def throw(seed: int) -> None:
        chance = random.Random(seed)
        with contextlib.suppress(Exception):  # what comes back may be too broken to be read
            await raw(door, garbage(chance), hang_up=True)

    async def check() -> None:
        for first in range(0, 400, 8):
            others = say(door.uri, utterance(SHORT.pcm)) if not first % 80 else None
            await asyncio.gather(*map(throw, range(first, first + 8)))
            if others is not None:
                assert (await others).text == SHORT.text

    asyncio.run(check())
    door.inside(door.settled())


LEGAL: list[Sent] = [
    Transcribe(language="en"), Transcribe(language="xx"), START, AudioStart(8000, 1, 2), STOP, STOP,
    *CHUNKS[:6], AudioChunk(48000, 4, 2, bytes(960)), AudioChunk(16000, 2, 1, b""),
    Event("describe"), Event("select-program", {"name": "nobody"}), Event("voice-stopped"),
    Event("audio-start", {"rate": "x"}), Event("audio-chunk", {}, b"123"),
]  # fmt: skip


def owed(events: list[Sent]) -> range:
    """How many answers a shuffled conversation may have: at most one for each that asks."""
    kinds = [e.type if isinstance(e, Event) else e.event().type for e in events]
    asking = ("audio-stop", "transcribe", "audio-start", "audio-chunk", "select-program")
    return range(sum(kind in asking for kind in kinds) + 1)


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_events_is_answered_and_leaves_the_connection_whole(
    door: Door, seed: int
) -> None:
    async def check() -> None:
        chance = random.Random(seed)
        events = chance.choices(LEGAL, k=30)
        async with connected(door.uri) as client:
            await send(client, *events)
            # Behind a stop and a beginning of its own, an utterance is like any other.
            await send(client, STOP, *utterance(GERMAN.pcm, language="de"), Event("ping"))
            seen: list[Event] = []
            async with asyncio.timeout(PATIENCE):
                while not (seen and seen[-1].type == "transcript-stop" and _german(seen)):
                    event = await client.read_event()
                    assert event is not None
                    seen.append(event)
            kinds = [e.type for e in seen]
            outcomes = kinds.count("transcript") + kinds.count("error") - 1
            assert outcomes in owed(events)
            assert kinds.count("transcript") == kinds.count("transcript-stop")
            assert kinds.count("info") == sum(e == Event("describe") for e in events)

    asyncio.run(check())


def _german(seen: list[Event]) -> bool:
    texts = [e.data["text"] for e in seen if e.type == "transcript"]
    return texts[-1:] == [GERMAN.text]


def test_bad_neighbours_do_not_disturb(house: House, door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as good:
            await send(good, START, *CHUNKS[:4])
            for sent in (b"x\n", b"{}\n", encode(START.event()) + b"\0" * 99):
                await raw(door, sent, hang_up=True)
            await send(good, *CHUNKS[4:], STOP)
            assert (await answer(good)).text == SHORT.text

    asyncio.run(check())
