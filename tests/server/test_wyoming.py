"""The Wyoming door answers real clients as docs/protocol.md says, whatever order events come in."""

import asyncio
import io
import itertools
import threading
import wave
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soxr
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from tests.clips import CLIPS, GERMAN, NOISE, SHORT, SILENCE, TURN_ON, Clip
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
from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.engine.api import Backend
from wyoming_streamwhisper.server.options import Listener
from wyoming_streamwhisper.session.profile import Profile

START, STOP = AudioStart(16000, 2, 1), AudioStop()
CHUNKS = chunks(SHORT.pcm)


# The answer


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_real_speech_gives_its_text_and_its_language(door: Door, clip: Clip) -> None:
    said = speak(door.uri, utterance(clip.pcm))
    assert said.text == clip.text
    assert said.transcript.language == (clip.language if clip.text else None)


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_chunks_joined_are_the_transcript_which_comes_before_the_end(
    door: Door, clip: Clip
) -> None:
    said = speak(door.uri, utterance(clip.pcm, language=clip.language))
    assert said.joined == said.text == " ".join(said.text.split())
    assert said.types[0] == "transcript-start"
    assert said.types[-2:] == ["transcript", "transcript-stop"]
    assert set(said.types[1:-2]) <= {"transcript-chunk", "transcript-start"}


def test_words_come_before_the_end_is_told(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *chunks(TURN_ON.pcm + SILENCE))
            # Nobody has told the end yet.
            assert (await client.read_event()).type == "transcript-start"  # type: ignore[union-attr]
            first = await client.read_event()
            assert first is not None
            text = TranscriptChunk.from_event(first).text
            assert TURN_ON.text.startswith(text)
            await send(client, STOP)
            rest = await answer(client)
            assert text + rest.joined == rest.text == TURN_ON.text

    # So that one decode, the one after the speech, is enough: how many came of a burst is chance.
    with house.door(Profile(streaming=Streaming(policy="alignatt", doubt=1.0))) as door:
        asyncio.run(check())


def test_revisions_are_numbered(door: Door) -> None:
    said = speak(door.uri, utterance(TURN_ON.pcm))
    starts = said.of(TranscriptStart)
    assert [start.context for start in starts] == [{"revision": n} for n in range(len(starts))]


@pytest.mark.parametrize("sound", [b"", SILENCE, bytes(100), NOISE.pcm], ids=len)
def test_where_nobody_speaks_the_text_is_empty(door: Door, sound: bytes) -> None:
    said = speak(door.uri, utterance(sound, language="en"))
    assert said.text == ""
    assert said.types == ["transcript-start", "transcript", "transcript-stop"]


def test_a_client_may_read_only_after_its_stop(door: Door) -> None:
    # `say` sends everything before it reads anything.
    assert speak(door.uri, utterance(SHORT.pcm + SILENCE * 10, 320)).text == SHORT.text


# Orders of events


@pytest.mark.parametrize(
    "events",
    [
        [*CHUNKS, STOP],
        [START, *CHUNKS, STOP],
        [Transcribe(language="en"), *CHUNKS, STOP],
        [START, Transcribe(language="en"), *CHUNKS, STOP],
        [Transcribe(language="de"), Transcribe(language="en"), START, *CHUNKS, STOP],
        [START, START, *CHUNKS, STOP],
        [Ping(), START, Ping(), *CHUNKS, Event("user-event", {"name": "x"}), STOP],
        [Event("transcibe", {"language": "en"}), START, *CHUNKS, STOP],
        [START, *CHUNKS[:3], AudioChunk(16000, 2, 1, b""), *CHUNKS[3:], STOP, STOP],
        [START, *(Event("audio-chunk", {}, c.payload) for c in CHUNKS), STOP],
        [Event("run-pipeline", {"x": 1}), Event("voice-started"), START, *CHUNKS, STOP],
    ],
)
def test_an_utterance_is_answered_once_whatever_comes_around_it(
    door: Door, events: list[Sent]
) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, *events)
            assert (await answer(client)).text == SHORT.text
            await silence(client)

    asyncio.run(check())


def test_a_start_amid_audio_ends_the_utterance_before_it(door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *CHUNKS, START, *chunks(GERMAN.pcm), STOP)
            assert (await answer(client)).text == SHORT.text
            assert (await answer(client)).text == GERMAN.text

    asyncio.run(check())


@pytest.mark.parametrize("start", [[], [START]])
def test_a_request_amid_audio_is_for_the_next_utterance(door: Door, start: list[Sent]) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *CHUNKS[:4], Transcribe(language="xx"), *CHUNKS[4:], STOP)
            assert (await answer(client)).text == SHORT.text
            await send(client, *start, *CHUNKS, STOP)
            assert (await answer(client)).code == "unsupported-language"
            await silence(client)

    asyncio.run(check())


def test_audio_behind_an_answer_waits_for_a_new_beginning(door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            for beginning in ([START], [Transcribe()], [Transcribe(), START]):
                await send(client, *beginning, *CHUNKS, STOP)
                assert (await answer(client)).text == SHORT.text
                await send(client, *CHUNKS, STOP)
                await silence(client)

    asyncio.run(check())


@pytest.mark.parametrize(
    "events", [[STOP], [Transcribe(), STOP], [START, STOP], [START, Transcribe(), STOP]]
)
def test_a_stop_without_audio_ends_an_empty_utterance(door: Door, events: list[Sent]) -> None:
    assert speak(door.uri, events).text == ""


def test_pipelined_utterances_are_answered_in_order(door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, *itertools.chain(*(utterance(c.pcm) for c in CLIPS[:4])))
            assert [(await answer(client)).text for _ in range(4)] == [c.text for c in CLIPS[:4]]

    asyncio.run(check())


# Audio


@pytest.mark.parametrize("size", [320, 1, 333, 1023, 10**6])
def test_the_size_of_chunks_does_not_matter(door: Door, size: int) -> None:
    pcm = SHORT.pcm if size > 1 else SHORT.pcm[:4001]
    said = speak(door.uri, utterance(pcm, size))
    assert said.text == (SHORT.text if size > 1 else speak(door.uri, utterance(pcm)).text)


def converted(pcm: bytes, rate: int, width: int, channels: int) -> bytes:
    mono = np.frombuffer(pcm, "<i2") / 32768
    sound = soxr.resample(mono, 16000, rate)
    sound = np.repeat(sound[:, None], channels, axis=1).reshape(-1).clip(-1, 1 - 2**-15)
    if width == 1:
        return bytes((np.round(sound * 127) + 128).astype(np.uint8))
    whole = np.round(sound * (1 << (8 * width - 1))).astype("<i8")
    return whole[:, None].view(np.uint8)[:, :width].tobytes()


@pytest.mark.parametrize(
    ("rate", "width", "channels"),
    [
        (8000, 2, 1), (11025, 2, 2), (22050, 3, 1), (44100, 2, 2), (48000, 4, 8),
        (16000, 4, 3), (16000, 1, 1), (48000, 3, 1),
    ],
)  # fmt: skip
def test_every_format_is_heard(door: Door, rate: int, width: int, channels: int) -> None:
    pcm = converted(TURN_ON.pcm, rate, width, channels)
    events: list[Sent] = [
        AudioStart(rate, width, channels),
        *chunks(pcm, 4001, rate, width, channels),
        STOP,
    ]
    # What 8 kHz or 8 bit leave out, the small model may miss.
    heard = speak(door.uri, events).text
    assert heard == TURN_ON.text or rate < 16000 or width == 1


def test_a_change_of_format_amid_an_utterance_loses_nothing(door: Door) -> None:
    middle = 16000
    events: list[Sent] = [
        START,
        *chunks(TURN_ON.pcm[:middle]),
        *chunks(converted(TURN_ON.pcm[middle:], 48000, 4, 2), 3200, 48000, 4, 2),
        STOP,
    ]
    assert speak(door.uri, events).text == TURN_ON.text


@pytest.mark.parametrize("size", [7, 4096])
def test_a_wav_file_instead_of_sound_is_understood(door: Door, size: int) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(22050)
        writer.writeframes(converted(TURN_ON.pcm, 22050, 2, 2))
    assert speak(door.uri, utterance(file.getvalue(), size)).text == TURN_ON.text


def test_data_in_the_header_is_read_too(door: Door) -> None:
    async def check() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(door.uri.split(":")[2]))
        writer.write(b'{"type": "transcribe", "data": {"language": "en"}}\n')
        for event in CHUNKS:
            form = b'{"rate": 16000, "width": 2, "channels": 1}'
            payload = event.payload or b""
            writer.write(
                b'{"type": "audio-chunk", "data": %s, "payload_length": %d}\n%s'
                % (form, len(payload), payload)
            )
        writer.write(b'{"type": "audio-stop", "data": null, "data_length": null}\n')
        writer.write_eof()
        # A half-closed connection still gets its answer, and then its end.
        async with asyncio.timeout(PATIENCE):
            assert SHORT.text.encode() in await reader.read()
        writer.close()

    asyncio.run(check())


# What a request asks for


def test_the_language_is_given_detected_and_reported(door: Door) -> None:
    assert speak(door.uri, utterance(GERMAN.pcm, language="de")).transcript.language == "de"
    assert speak(door.uri, utterance(GERMAN.pcm, language="de_AT")).text == GERMAN.text
    assert speak(door.uri, utterance(GERMAN.pcm, language="auto")).text == GERMAN.text
    assert speak(door.uri, utterance(GERMAN.pcm, language="en")).transcript.language == "en"


def test_a_profile_with_languages_detects_whatever_was_sent(house: House) -> None:
    with house.door(Profile(languages=("en", "de"))) as door:
        said = speak(door.uri, utterance(GERMAN.pcm, language="en"))
        assert (said.text, said.transcript.language) == (GERMAN.text, "de")


def test_the_context_comes_back_with_the_transcript(door: Door) -> None:
    context = {"satellite_id": "kitchen", "mine": [1, {"deep": None}]}
    said = speak(door.uri, utterance(SHORT.pcm, context=context))
    assert said.transcript.context == context
    assert speak(door.uri, utterance(SHORT.pcm)).transcript.context is None


def test_partials_can_be_switched_off(door: Door) -> None:
    said = speak(door.uri, utterance(SHORT.pcm, context={"partials": False}), last="transcript")
    assert said.types == ["transcript"]
    assert said.text == SHORT.text


def test_a_satellite_is_remembered_over_connections(house: House) -> None:
    with house.door() as door:
        speak(door.uri, utterance(GERMAN.pcm, context={"satellite_id": "kitchen"}))
        speak(door.uri, utterance(SHORT.pcm))
        door.inside(door.settled())
        assert [*door.session._contexts._known] == ["kitchen"]


def test_a_connection_remembers_until_it_ends(door: Door) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, *utterance(SHORT.pcm))
            await answer(client)
            assert len(door.anonymous()) == 1
        await door.settled()

    asyncio.run(check())


def test_vad_sensitivity_names_and_terms_are_accepted(door: Door) -> None:
    asked: dict[str, Any] = {
        "vad_sensitivity": "relaxed",
        "transcript_names": ["dryer", "Dorothea"],
        "transcript_terms": ["tumbler"],
    }
    assert speak(door.uri, utterance(SHORT.pcm, **asked)).text == SHORT.text
    assert speak(door.uri, utterance(SHORT.pcm, vad_sensitivity="who knows")).text == SHORT.text


# Describe, ping, programs


async def described(client: AsyncClient) -> Info:
    await send(client, Describe())
    async with asyncio.timeout(PATIENCE):
        while event := await client.read_event():
            if Info.is_type(event.type):
                return Info.from_event(event)
    raise ConnectionError


async def info(uri: str) -> Info:
    async with connected(uri) as client:
        return await described(client)


def test_info_is_truthful(house: House) -> None:
    own = Profile("own", streaming=Streaming(endpointing="own"))
    quiet = Profile("quiet", languages=("de",), streaming=Streaming(partials=False))
    with house.door(Profile(), own, quiet) as door:
        programs = asyncio.run(info(door.uri)).asr
    assert [p.name for p in programs] == ["streamwhisper", "own", "quiet"]
    assert [p.requires_external_vad for p in programs] == [True, False, True]
    assert [p.supports_transcript_streaming for p in programs] == [True, True, False]
    for program in programs:
        assert program.installed
        assert program.version == __version__
        (model,) = program.models
        assert (model.name, model.installed) == ("demo", True)
    assert sorted(programs[0].models[0].languages) == ["de", "en"]
    assert programs[2].models[0].languages == ["de"]


def test_a_listener_names_its_own_profile_first_and_uses_it(house: House) -> None:
    uris = [Listener("tcp://127.0.0.1:0"), Listener("tcp://127.0.0.1:0", "quiet", "bath")]
    quiet = Profile("quiet", streaming=Streaming(partials=False))
    with house.door(Profile(), quiet, uris=uris) as door:
        first, second = door.uris
        assert asyncio.run(info(first)).asr[0].name == "streamwhisper"
        assert asyncio.run(info(second)).asr[0].name == "quiet"
        assert speak(second, utterance(SHORT.pcm), last="transcript").types == ["transcript"]
        door.inside(door.settled())
        assert [*door.session._contexts._known] == ["bath"]


def test_select_program_holds_for_the_connection(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, Event("select-program", {"name": "quiet"}))
            assert (await described(client)).asr[0].name == "quiet"
            for _ in range(2):
                await send(client, *utterance(SHORT.pcm))
                assert (await answer(client, "transcript")).types == ["transcript"]
            await send(client, Event("select-program", {"name": "streamwhisper"}))
            await send(client, *utterance(SHORT.pcm))
            assert (await answer(client)).types[0] == "transcript-start"

    quiet = Profile("quiet", streaming=Streaming(partials=False))
    with house.door(Profile(), quiet) as door:
        asyncio.run(check())


def test_a_request_chooses_a_program_or_the_model_for_one_utterance(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, *utterance(SHORT.pcm, name="quiet"))
            assert (await answer(client, "transcript")).types == ["transcript"]
            await send(client, *utterance(SHORT.pcm, name="demo"))
            assert (await answer(client)).text == SHORT.text

    quiet = Profile("quiet", streaming=Streaming(partials=False))
    with house.door(Profile(), quiet) as door:
        asyncio.run(check())


async def asked_around(client: AsyncClient) -> list[str]:
    """Ask what is answered at any time; return the types of what came."""
    await send(client, Describe(), Ping(text="who"))
    types = []
    async with asyncio.timeout(5):
        while event := await client.read_event():
            types.append(event.type)
            if Pong.is_type(event.type):
                assert Pong.from_event(event).text == "who"
                break
    return [t for t in types if not t.startswith("transcript-")]


def test_describe_and_ping_are_answered_while_listening_and_decoding(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *CHUNKS)
            assert await asked_around(client) == ["info", "pong"]
            await send(client, STOP)
            await asyncio.to_thread(held.reached.wait, PATIENCE)
            assert await asked_around(client) == ["info", "pong"]
            assert (await info(door.uri)).asr
            held.gate.set()
            assert (await answer(client)).text == SHORT.text

    with house.held() as (held, engine), house.door(engine=engine) as door:
        asyncio.run(check())


def test_audio_waits_for_the_model_and_describe_does_not(house: House) -> None:
    loaded = threading.Event()

    def load() -> Backend:
        assert loaded.wait(PATIENCE)
        return house.backend

    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, *utterance(SHORT.pcm))
            assert await asked_around(client) == ["info", "pong"]
            assert not door.session.ready
            loaded.set()
            assert (await answer(client)).text == SHORT.text

    engine = house.loading(load)
    with house.door(engine=engine) as door:
        starting = asyncio.run_coroutine_threadsafe(engine.start(), house.loop)
        asyncio.run(check())
        starting.result(PATIENCE)
    house.inside(engine.close())


# Our own endpointing


@pytest.mark.parametrize("endpointing", ["early", "own"])
def test_an_early_end_answers_while_audio_flows(house: House, endpointing: str) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *chunks(SHORT.pcm + SILENCE * 2))
            assert (await answer(client)).text == SHORT.text
            # What still flows belongs to nothing, and neither does the stop behind it.
            await send(client, *CHUNKS, STOP)
            await silence(client)
            await send(client, *utterance(GERMAN.pcm))
            assert (await answer(client)).text == GERMAN.text

    with house.door(Profile(streaming=Streaming(endpointing=endpointing))) as door:
        asyncio.run(check())


def test_only_own_endpointing_ends_where_nobody_speaks(house: House) -> None:
    streaming = Streaming(endpointing="own", no_speech_timeout=1.0)
    with house.door(Profile(streaming=streaming)) as door:
        assert speak(door.uri, [START, *chunks(SILENCE * 3)]).text == ""
    with house.door(Profile(streaming=replace(streaming, endpointing="early"))) as door:
        assert speak(door.uri, [START, *chunks(SILENCE * 3 + SHORT.pcm), STOP]).text == SHORT.text


def test_an_utterance_that_is_too_long_ends_with_what_was_heard(house: House) -> None:
    with house.door(max_utterance=2.0) as door:
        assert speak(door.uri, [START, *chunks(SHORT.pcm + SILENCE * 10)]).text == SHORT.text


# Several at once


def test_four_satellites_at_once_get_the_texts_that_each_gets_alone(door: Door) -> None:
    async def all_at_once() -> list[Said]:
        return await asyncio.gather(*(say(door.uri, utterance(c.pcm)) for c in CLIPS[:4]))

    alone = [speak(door.uri, utterance(c.pcm)) for c in CLIPS[:4]]
    together = asyncio.run(all_at_once())
    assert [s.text for s in together] == [s.text for s in alone] == [c.text for c in CLIPS[:4]]
    assert [s.of(Transcript) for s in together] == [s.of(Transcript) for s in alone]
    assert all(s.of(TranscriptStop) for s in together)
