"""The two plain WebSockets, spoken to by a client that shares nothing with the server."""

import asyncio
import contextlib
import itertools

import numpy as np
import pytest
import websockets

from tests.clips import CLIPS, GERMAN, SHORT, SILENCE, TURN_ON
from tests.server.door import House
from tests.server.http.web import Line, Web, array, line, npy, numbers, run, serving
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.session.context import ContextOptions

CONFIG = {"model_size": "base", "language": "en", "task": "transcribe", "chunk_duration": 5.0,
          "sample_rate": 16000, "overlap": 1.0, "use_context": True}  # fmt: skip
STOP = {"type": "stop"}


def test_words_come_while_they_are_spoken_and_the_text_behind_stop(web: Web) -> None:
    async def speak() -> Line:
        async with line(f"{web.ws}/stream") as client:
            await client.send(CONFIG)
            await client.kind("ready")
            await client.pcm(TURN_ON.pcm, 3200)
            await client.send(STOP)
            await client.kind("final")
            return client

    client = run(speak())
    final = client.came[-1]
    assert (final["text"], final["language"], final["asked"]) == (TURN_ON.text, "en", True)
    assert numbers(client.came) == sorted(set(numbers(client.came)))
    assert abs(final["end"] - len(TURN_ON.pcm) / 32000) < 0.1
    assert "speech" in [message["type"] for message in client.came]
    # Within a revision, text only grows.
    partials = [message for message in client.came if message["type"] == "partial"]
    for before, after in itertools.pairwise(partials):
        if before["revision"] == after["revision"]:
            assert after["text"].startswith(before["text"])


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_float_samples_of_any_rate_are_heard(web: Web, rate: int) -> None:
    sound = np.frombuffer(TURN_ON.pcm, "<i2").astype(np.float32) / 32768
    at = np.arange(0, len(sound), 16000 / rate)
    pcm = np.interp(at, np.arange(len(sound)), sound).astype("<f4").tobytes()

    async def speak() -> str:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"sample_rate": rate, "sample_format": "float32", "language": "en"})
            await client.pcm(pcm, 1001)  # not even whole samples
            await client.send(STOP)
            return (await client.kind("final"))["text"]

    assert run(speak()) == TURN_ON.text


def test_one_stop_after_the_other_is_answered_each(web: Web) -> None:
    async def speak() -> list[str]:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"language": "en"})
            for clip in (TURN_ON, SHORT):
                await client.pcm(clip.pcm)
                await client.send(STOP)
            await client.send(STOP)
            for _ in range(3):
                await client.kind("final")
            return client.texts("final")

    assert run(speak()) == [TURN_ON.text, SHORT.text, ""]


def test_silence_ends_a_turn_where_it_was_asked_for(web: Web) -> None:
    async def speak() -> list[str]:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"language": "en", "end_silence": 0.8})
            await client.pcm(TURN_ON.pcm + SILENCE + SHORT.pcm + SILENCE)
            for _ in range(2):
                await client.kind("final")
            assert [m["asked"] for m in client.came if m["type"] == "final"] == [False, False]
            return client.texts("final")

    assert run(speak()) == [TURN_ON.text, SHORT.text]


@pytest.mark.parametrize(("said", "step"), [(5.0, 5.0), (0.01, 0.1), (0, Streaming().step)])
def test_how_often_words_are_looked_for_is_the_clients_choice(
    web: Web, said: float, step: float
) -> None:
    async def ask() -> str:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"chunk_duration": said})
            key = (await client.kind("ready"))["session_id"]
            conversation = web.server.door.conversations.find(f"stream:{key}")
            assert conversation is not None
            assert conversation.stream.profile.streaming.step == step
            await client.pcm(TURN_ON.pcm)
            await client.send(STOP)
            return str((await client.kind("final"))["text"])

    assert run(ask()) == TURN_ON.text


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (b"\0\0", "bad-config"),
        ({"sample_rate": 1}, "invalid-value"),
        ({"language": "xx"}, "unsupported-language"),
        ({"model_size": "no-such"}, "unknown-model"),
        ({"session_id": "gone"}, "unknown-session"),
        ({"task": "sing"}, "invalid-value"),
    ],
)
def test_a_first_message_that_makes_no_sense_is_told(web: Web, first: object, code: str) -> None:
    async def speak() -> tuple[str, int]:
        async with line(f"{web.ws}/stream") as client:
            await client.send(first)
            return (await client.kind("error"))["code"], await client.closed()

    assert run(speak()) == (code, 1008)


@pytest.mark.parametrize("text", ["[1]", "not json", "{", '{"type": "sing"}', '{"type": NaN}'])
def test_a_later_message_that_makes_no_sense_is_told_and_the_rest_goes_on(
    web: Web, text: str
) -> None:
    async def speak() -> str:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"language": "en", "unknown": [1]})
            await client.pcm(TURN_ON.pcm)
            await client.socket.send(text)
            await client.kind("error")
            await client.send(STOP)
            return (await client.kind("final"))["text"]

    assert run(speak()) == TURN_ON.text


# /ws/transcription


async def named(web: Web, name: str, sound: bytes, count: int, size: int = 32000) -> list[str]:
    """Send sound as arrays, then stop; return the texts that came up to the answer to that."""
    async with line(f"{web.ws}/ws/transcription?client_id={name}&language=en") as client:
        for at in range(0, len(sound), size):
            await client.send(array(sound[at : at + size]))
        await client.send(STOP)
        for _ in range(count):
            await client.kind("transcription")
        assert {message["client_id"] for message in client.came} == {name}
        assert all(isinstance(message["timestamp"], float) for message in client.came)
        return client.texts("transcription")


def test_arrays_are_heard_without_end(web: Web) -> None:
    sound = TURN_ON.pcm + SILENCE + SHORT.pcm + SILENCE
    assert run(named(web, "me", sound, 3)) == [TURN_ON.text, SHORT.text, ""]


def test_eight_clients_interleaved_get_the_texts_that_each_gets_alone(web: Web) -> None:
    english = [clip for clip in CLIPS if clip.language == "en"][:8]
    sounds = [
        b"".join(clip.pcm + SILENCE for clip in (english[i % len(english)], TURN_ON, SHORT))
        for i in range(8)
    ]

    async def texts(name: str, sound: bytes) -> list[str]:
        """Return all texts; the empty one is the answer to the stop."""
        async with line(f"{web.ws}/ws/transcription?client_id={name}&language=en") as client:
            for at in range(0, len(sound), 16000):
                await client.send(array(sound[at : at + 16000]))
                await asyncio.sleep(0)  # so that all take turns
            await client.send(STOP)
            await client.until(lambda m: m["type"] == "transcription" and not m["text"])
            return client.texts("transcription")

    async def together() -> list[list[str]]:
        return await asyncio.gather(*(texts(f"t{i}", sound) for i, sound in enumerate(sounds)))

    async def alone() -> list[list[str]]:
        return [await texts(f"a{i}", sound) for i, sound in enumerate(sounds)]

    assert run(together()) == run(alone())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"RIFF" + bytes(100),
        npy(np.zeros(10, np.float64)),
        npy(np.zeros((2, 10), np.float32)),
        npy(np.array([1.0, np.nan], np.float32)),
        npy(np.array([np.inf], np.float32)),
        npy(np.array([{"a": 1}], object), allow_pickle=True),
        npy(np.zeros(1000, np.float32))[:-1],
        npy(np.zeros(1000, np.float32))[:20],
        npy(np.zeros(1000, np.float32)).replace(b"(1000,)", b"(9**9,)"),
        npy(np.zeros(10, np.float32)).replace(b"(10,)", b"(1<<"),
    ],
    ids=["empty", "wav", "double", "stereo", "nan", "infinite", "pickle", "cut", "headless",
         "power", "broken"],
)  # fmt: skip
def test_what_is_no_array_of_sound_is_told_and_the_rest_goes_on(web: Web, message: bytes) -> None:
    async def speak() -> tuple[str, str]:
        async with line(f"{web.ws}/ws/transcription?client_id=me&language=en") as client:
            await client.socket.send(message)
            code = (await client.kind("error"))["code"]
            await client.send(array(TURN_ON.pcm))
            await client.send(STOP)
            return code, (await client.kind("transcription"))["text"]

    assert run(speak()) == ("bad-audio", TURN_ON.text)


@pytest.mark.parametrize("query", ["", "?client_id=", "?client_id=%231", "?client_id=a%0Ab"])
def test_a_client_has_a_name(web: Web, query: str) -> None:
    async def speak() -> str:
        async with line(f"{web.ws}/ws/transcription{query}") as client:
            return str((await client.kind("error"))["code"])

    assert run(speak()) == "bad-client"


# Broken connections


def test_who_comes_back_gets_what_was_missed_and_loses_no_audio(house: House) -> None:
    sound = TURN_ON.pcm + SILENCE + SHORT.pcm + SILENCE
    half = 30_001  # amid a sample

    async def speak(web: Web) -> list[str]:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"language": "en", "end_silence": 0.8})
            ready = await client.kind("ready")
            await client.pcm(sound[:half])
            # Something must have arrived, or there would be nothing to go on with.
            await client.kind("speech")
            last = client.came[-1]["seq"]
            await client.vanish()
        async with line(f"{web.ws}/stream") as client:
            await client.send({"session_id": ready["session_id"], "last_seq": last})
            resumed = await client.kind("resumed")
            assert resumed["received"] <= half
            await client.pcm(sound[resumed["received"] :])
            await client.kind("final")
            await client.kind("final")
            assert numbers(client.came)[0] > last
            return client.texts("final")

    with serving(house, http_resume=30.0) as web:
        assert run(speak(web)) == [TURN_ON.text, SHORT.text]


def test_a_final_that_was_missed_is_told_again_and_again(house: House) -> None:
    async def speak(web: Web) -> tuple[list[str], list[str]]:
        uri = f"{web.ws}/ws/transcription?client_id=me&language=en"
        async with line(uri) as client:
            await client.send(array(TURN_ON.pcm))
            await client.send(STOP)
            await client.kind("transcription")
            await client.vanish()
        async with line(uri + "&last_seq=0") as again:
            assert (await again.kind("resumed"))["received"] == len(TURN_ON.pcm) // 2
            await again.kind("transcription")
            return client.texts("transcription"), again.texts("transcription")

    with serving(house, http_resume=30.0) as web:
        first, second = run(speak(web))
        assert first == second == [TURN_ON.text]


def test_a_second_connection_takes_over(house: House) -> None:
    async def speak(web: Web) -> tuple[int, str]:
        uri = f"{web.ws}/ws/transcription?client_id=me&language=en"
        async with line(uri) as first, line(uri + "&last_seq=0") as second:
            await second.kind("resumed")
            code = await first.closed()
            await second.send(array(TURN_ON.pcm))
            await second.send(STOP)
            return code, (await second.kind("transcription"))["text"]

    with serving(house) as web:
        assert run(speak(web)) == (4001, TURN_ON.text)


def test_nobody_waits_longer_than_was_said(house: House) -> None:
    async def speak(web: Web) -> str:
        async with line(f"{web.ws}/stream") as client:
            await client.send({"language": "en"})
            ready = await client.kind("ready")
            await client.pcm(TURN_ON.pcm)
            await client.kind("speech")
            await client.vanish()
        web.house.inside(_gone(web))
        async with line(f"{web.ws}/stream") as client:
            await client.send({"session_id": ready["session_id"], "last_seq": 1})
            return str((await client.kind("error"))["code"])

    with serving(house, http_resume=0.0) as web:
        assert run(speak(web)) == "unknown-session"


async def _gone(web: Web) -> None:
    while len(web.server.door.conversations) or web.session.running:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("last", ["7", "99999"])
def test_who_comes_back_too_late_is_told_and_begins_anew(web: Web, last: str) -> None:
    async def speak() -> str:
        uri = f"{web.ws}/ws/transcription?client_id=late&language=en&last_seq={last}"
        async with line(uri) as client:
            told = await client.kind("error")
            assert (told["code"], told["received"]) == ("unknown-session", 0)
            await client.send(array(TURN_ON.pcm))
            await client.send(STOP)
            return str((await client.kind("transcription"))["text"])

    assert run(speak()) == TURN_ON.text


def test_what_was_forgotten_of_a_long_time_is_told(house: House) -> None:
    async def speak(web: Web) -> None:
        uri = f"{web.ws}/ws/transcription?client_id=long&language=en"
        async with line(uri) as client:
            for _ in range(1100):  # more answers than are kept
                await client.send({"type": "sing"})
            await client.until(lambda message: message["seq"] == 1100)
            await client.vanish()
        async with line(f"{uri}&last_seq=3") as again:
            assert (await again.kind("error"))["code"] == "unknown-session"
            await again.send({"type": "sing"})
            assert (await again.kind("error"))["seq"] == 1101

    with serving(house, http_resume=30.0) as web:
        run(speak(web))
        web.house.inside(web.server.door.conversations.close())


@pytest.mark.parametrize("last", ["seven", "-1", "1" * 99])
def test_a_number_that_is_none_is_told(web: Web, last: str) -> None:
    async def speak() -> tuple[str, int]:
        async with line(f"{web.ws}/ws/transcription?client_id=me&last_seq={last}") as client:
            return (await client.kind("error"))["code"], await client.closed()

    assert run(speak()) == ("bad-client", 1008)


# Limits


def test_one_too_many_is_told_so(house: House) -> None:
    async def speak(web: Web) -> tuple[str, str]:
        async with line(f"{web.ws}/stream") as first:
            await first.send({"language": "en"})
            await first.kind("ready")
            async with line(f"{web.ws}/stream") as second:
                await second.send({"language": "en"})
                code = (await second.kind("error"))["code"]
            await first.pcm(TURN_ON.pcm)
            await first.send(STOP)
            return code, (await first.kind("final"))["text"]

    with serving(house, http_max_clients=1) as web:
        assert run(speak(web)) == ("too-many-connections", TURN_ON.text)


def test_who_sends_nothing_is_sent_away(house: House) -> None:
    async def speak(web: Web) -> tuple[int, int]:
        async with line(f"{web.ws}/stream") as silent, line(f"{web.ws}/stream") as idle:
            await idle.send({"language": "en"})
            return await silent.closed(), await idle.closed()

    with serving(house, idle_timeout=0.2) as web:
        assert run(speak(web)) == (1008, 1008)


def test_a_client_that_never_reads_and_sends_for_ever_holds_up_itself_only(house: House) -> None:
    async def speak(web: Web) -> str:
        async with line(f"{web.ws}/stream", max_queue=1) as flood:
            await flood.send({"language": "en", "end_silence": 0.3})

            async def send() -> None:
                while True:
                    await flood.pcm(SHORT.pcm + SILENCE)

            sending = asyncio.create_task(send())
            try:
                async with line(f"{web.ws}/stream") as client:
                    await client.send({"language": "en"})
                    await client.pcm(TURN_ON.pcm)
                    await client.send(STOP)
                    text = (await client.kind("final"))["text"]
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            kept = [len(c.stream._waiting) for c in web.server.door.conversations._known.values()]
            assert all(count < 2000 for count in kept)
            await flood.vanish()
            return str(text)

    with serving(house) as web:
        assert run(speak(web)) == TURN_ON.text


@pytest.mark.parametrize("after", range(5))
def test_a_client_may_go_at_any_moment(web: Web, after: int) -> None:
    async def speak() -> None:
        async with line(f"{web.ws}/stream") as client:
            steps = [
                lambda: client.send({"language": "en"}),
                lambda: client.pcm(TURN_ON.pcm[:20_000]),
                lambda: client.pcm(TURN_ON.pcm[20_000:]),
                lambda: client.send(STOP),
            ]
            for step in steps[:after]:
                await step()
            await client.vanish()

    run(speak())
    web.settled()


def test_when_too_many_speak_it_is_told_and_the_connection_ends(house: House) -> None:
    async def speak(web: Web) -> tuple[str, int]:
        async with line(f"{web.ws}/stream") as first, line(f"{web.ws}/stream") as second:
            await first.send({"language": "en"})
            await first.pcm(TURN_ON.pcm)
            await first.kind("speech")
            await second.send({"language": "en"})
            await second.pcm(TURN_ON.pcm)
            return (await second.kind("error"))["code"], await second.closed()

    with serving(house, contexts=ContextOptions(max_utterances=1)) as web:
        assert run(speak(web)) == ("overloaded", 1013)


def test_a_message_that_is_too_large_ends_the_connection(web: Web) -> None:
    async def speak() -> int:
        async with line(f"{web.ws}/stream") as client:
            # The server may hang up before all of it is sent.
            with contextlib.suppress(websockets.ConnectionClosed):
                await client.send(b"x" * (17 << 20))
            return await client.closed()

    assert run(speak()) in (1009, 1006)


def test_german_is_german(web: Web) -> None:
    async def speak() -> tuple[str, str]:
        async with line(f"{web.ws}/stream") as client:
            await client.send({})
            await client.pcm(GERMAN.pcm)
            await client.send(STOP)
            final = await client.kind("final")
            return final["text"], final["language"]

    assert run(speak()) == (GERMAN.text, "de")
