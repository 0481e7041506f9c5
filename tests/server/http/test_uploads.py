"""Recordings by upload: our own route and OpenAI's, their forms, their limits, and bad ones."""

import asyncio
import io
import json
import threading
import wave
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.clips import FOLDER, GERMAN, SHORT, SILENCE, TURN_ON
from tests.server.door import PATIENCE, House, until
from tests.server.http.web import Web, serving
from wyoming_streamwhisper.engine.api import Request
from wyoming_streamwhisper.engine.api import Result as Decoded
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.files.job import transcribe
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.server.http.forms import PlainForm, read
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.profile import Profile

PLAIN = "/transcribe"
OPENAI = "/v1/audio/transcriptions"
FLAC = (FOLDER / TURN_ON.name).read_bytes()


def wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 16_000, 0, "NONE", ""))
        written.writeframes(pcm)
    return file.getvalue()


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_recording_is_answered_with_all_that_is_known(web: Web) -> None:
    said = web.upload(PLAIN, FLAC, "talk.flac", model_size="base", language="en").json()
    assert (said["text"], said["language"], said["model"]) == (TURN_ON.text, "en", "demo")
    assert abs(said["duration"] - len(TURN_ON.pcm) / 32000) < 0.05
    (segment,) = said["segments"]
    assert "".join(word["word"] for word in segment["words"]).strip() == TURN_ON.text
    assert 0 <= segment["start"] < segment["end"] <= said["duration"] + 0.05


def test_the_language_is_found(web: Web) -> None:
    said = web.upload(PLAIN, wav(GERMAN.pcm)).json()
    assert (said["text"], said["language"]) == (GERMAN.text, "de")


def test_a_profile_is_asked_for_by_its_name(house: House) -> None:
    with serving(house, Profile("home"), Profile("german", language="de")) as web:
        said = web.upload(PLAIN, wav(GERMAN.pcm), model_size="german").json()
        assert said["language"] == "de"


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json"])
def test_openai_s_forms(web: Web, form: str) -> None:
    answer = web.upload(OPENAI, FLAC, model="whisper-1", response_format=form, language="en")
    assert answer.status_code == 200
    match form:
        case "json":
            assert answer.json()["text"] == TURN_ON.text
        case "text":
            assert answer.text == TURN_ON.text + "\n"
        case "verbose_json":
            said = answer.json()
            assert (said["language"], said["text"]) == ("english", TURN_ON.text)
            assert {"avg_logprob", "compression_ratio", "tokens"} <= said["segments"][0].keys()
            assert "words" not in said
        case _:
            assert TURN_ON.text in answer.text.replace("\n", " ")
            assert " --> " in answer.text
            assert answer.text.startswith("WEBVTT" if form == "vtt" else "1\n00:00:0")


def test_words_have_times_where_they_are_asked_for(web: Web) -> None:
    fields = {"model": "whisper-1", "response_format": "verbose_json", "language": "en"}
    said = web.upload(OPENAI, FLAC, **fields, **{"timestamp_granularities[]": "word"}).json()
    assert "segments" not in said
    assert " ".join(word["word"] for word in said["words"]) == TURN_ON.text
    assert all(a["end"] <= b["end"] for a, b in zip(said["words"], said["words"][1:], strict=False))


def test_a_translation_is_one_too(web: Web) -> None:
    answer = web.upload("/v1/audio/translations", FLAC, model="whisper-1")
    assert (answer.status_code, set(answer.json())) == (200, {"text", "usage"})


def test_the_text_comes_in_events(web: Web) -> None:
    sound = wav(TURN_ON.pcm + 2 * SILENCE + SHORT.pcm)
    answer = web.upload(OPENAI, sound, model="whisper-1", stream="true", language="en")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    assert [event["type"] for event in events[-1:]] == ["transcript.text.done"]
    deltas = "".join(e["delta"] for e in events if e["type"] == "transcript.text.delta")
    assert deltas == events[-1]["text"] == f"{TURN_ON.text} {SHORT.text}"


def test_segments_come_in_events_with_all_that_is_known_at_the_end(web: Web) -> None:
    sound = wav(TURN_ON.pcm + 2 * SILENCE + SHORT.pcm)
    answer = web.upload("/transcribe", sound, stream="true", language="en")
    assert answer.headers["content-type"].startswith("text/event-stream")
    *segments, done = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    assert {event["type"] for event in segments} == {"segment"}
    assert all(0 < event["done"] <= event["duration"] for event in segments)
    assert done.pop("type") == "done"
    assert done == web.upload("/transcribe", sound, language="en").json()
    for event, segment in zip(segments, done["segments"], strict=True):
        assert {key: event[key] for key in ("start", "end", "text")}.items() <= segment.items()


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # translations, by OpenAI
def test_the_official_package_transcribes_and_streams_unchanged(web: Web) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(api_key="none", base_url=f"{web.url}/v1") as client:
        assert "demo" in [model.id for model in client.models.list()]
        said = client.audio.transcriptions.create(
            file=("talk.flac", FLAC), model="whisper-1", language="en"
        )
        assert said.text == TURN_ON.text
        verbose = client.audio.transcriptions.create(
            file=("talk.flac", FLAC),
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
        assert " ".join(word.word for word in verbose.words) == TURN_ON.text
        assert client.audio.translations.create(file=("a.flac", FLAC), model="whisper-1").text
        events = list(
            client.audio.transcriptions.create(
                file=("talk.flac", FLAC), model="gpt-4o-transcribe", stream=True, language="en"
            )
        )
        assert events[-1].type == "transcript.text.done"
        assert events[-1].text == TURN_ON.text
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.audio.transcriptions.create(file=("talk.flac", FLAC), model="no-such")
        assert caught.value.code == "unknown-model"
        with pytest.raises(openai.APIStatusError) as caught:
            client.audio.transcriptions.create(file=("talk.mp3", b"x" * 99), model="whisper-1")
        assert caught.value.status_code == 415


# Bad input


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", (400, "empty")),
        (b"no audio at all " * 99, (415, "not-audio")),
        (b"\0" * 5000, (415, "not-audio")),
        (FLAC[:40], (415, "not-audio")),
    ],
    ids=["empty", "text", "zeros", "cut in its header"],
)
@pytest.mark.parametrize("stream", ["false", "true"])
def test_what_cannot_be_heard_is_told(
    web: Web, data: bytes, expected: tuple[int, str], stream: str
) -> None:
    assert reason(web.upload(OPENAI, data, stream=stream)) == expected


def test_a_recording_that_is_cut_off_is_heard_as_far_as_it_goes(web: Web) -> None:
    cut = wav(TURN_ON.pcm + SILENCE)[: -len(SILENCE)]
    answer = web.upload(PLAIN, cut, language="en")
    assert (answer.status_code, answer.json()["text"]) == (200, TURN_ON.text)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"language": "xx"}, (422, "unsupported-language")),
        ({"model": "no-such"}, (422, "unknown-model")),
        ({"response_format": "sing"}, (422, "invalid-value")),
        ({"temperature": "hot"}, (422, "invalid-value")),
        ({"temperature": "nan"}, (422, "invalid-value")),
        ({"stream": "maybe"}, (422, "invalid-value")),
        ({"prompt": "x" * 10_001}, (422, "invalid-value")),
        ({"prompt": "x" * 70_000}, (400, "bad-form")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_field_that_makes_no_sense_is_told(
    web: Web, fields: dict[str, str], expected: tuple[int, str]
) -> None:
    assert reason(web.upload(OPENAI, FLAC, **fields)) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"chunk_duration": "-1"},
        {"chunk_duration": "29"},
        {"chunk_duration": "2.5"},  # less than 1 s more than what two chunks share
        {"overlap_duration": "nan"},
        {"use_context": "perhaps"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_chunks_that_cannot_be_are_told(web: Web, fields: dict[str, str]) -> None:
    assert reason(web.upload(PLAIN, FLAC, **fields)) == (422, "invalid-value")


def test_how_a_recording_is_cut_is_the_clients_choice(web: Web) -> None:
    ours = FileOptions(min_chunk_duration=3.0)
    said = {"chunk_duration": ["6"], "overlap_duration": ["1.5"], "use_context": ["true"]}
    chosen = replace(ours, chunk_duration=6.0, overlap_duration=1.5, use_context=True)
    assert read(PlainForm, said).chosen(ours) == chosen
    assert read(PlainForm, {}).chosen(ours) == ours
    sound = wav(TURN_ON.pcm + SILENCE + SHORT.pcm)
    fields = {"chunk_duration": "4", "overlap_duration": "2", "language": "en"}
    cut = FileOptions(chunk_duration=4.0, overlap_duration=2.0)
    direct = web.house.inside(
        transcribe(io.BytesIO(sound), web.session, Profile(), Asked(language="en"), cut)
    )
    assert web.upload(PLAIN, sound, **fields).json()["text"] == direct.text
    assert web.upload(PLAIN, sound, language="en").json()["text"] != direct.text


@pytest.mark.parametrize("path", [PLAIN, OPENAI, "/v1/audio/translations"])
def test_the_temperature_reaches_the_decodes(house: House, path: str) -> None:
    with house.held() as (held, engine), serving(house, engine=engine) as web:
        asked: list[float] = []
        decode = held.decode

        def seen(requests: Sequence[Request]) -> list[Decoded]:
            asked.extend(request.temperature for request in requests)
            return decode(requests)

        held.decode = seen  # type: ignore[method-assign]
        held.gate.set()
        said = web.upload(path, FLAC, temperature="0.7", response_format="verbose_json").json()
        assert asked[0] == 0.7
        if path != PLAIN:
            assert said["segments"][0]["temperature"] == 0.7
        asked.clear()
        web.upload(path, FLAC)
        assert set(asked) == {0.0}


def test_unknown_fields_are_left_alone(web: Web) -> None:
    assert web.upload(OPENAI, FLAC, chunking_strategy="auto", mood="good").status_code == 200


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, (415, "no-form")),
        ({"content": b"x"}, (415, "no-form")),
        ({"data": {"file": "text"}}, (415, "no-form")),
        ({"files": {"other": b"x"}}, (400, "no-file")),
        ({"files": [("file", b"x"), ("file", b"y")]}, (400, "bad-form")),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, (400, "bad-form")),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=a"}},
            (400, "bad-form"),
        ),
    ],
    ids=["json", "nothing", "urlencoded", "no file", "two files", "no boundary", "no parts"],
)
def test_a_body_that_is_no_form_with_a_file_is_told(
    web: Web, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert reason(httpx.post(web.url + PLAIN, **sent)) == expected


# Limits


@pytest.mark.parametrize("told", [True, False], ids=["told", "found"])
def test_an_upload_that_is_too_large_is_not_kept(house: House, told: bool) -> None:
    with serving(house, http_max_size=50_000) as web:
        request = httpx.Request("POST", web.url + PLAIN, files={"file": ("a", bytes(200_000))})
        headers = {"Content-Type": request.headers["content-type"]}
        body = request.read()
        pieces = (body[at : at + 10_000] for at in range(0, len(body), 10_000))
        answer = httpx.post(web.url + PLAIN, content=body if told else pieces, headers=headers)
        assert reason(answer) == (413, "too-large")


def test_a_recording_that_is_too_long_is_told(house: House) -> None:
    with serving(house, http_max_duration=1.0) as web:
        assert reason(web.upload(PLAIN, wav(TURN_ON.pcm))) == (413, "too-long")


def held(house: House, use: Any, **options: Any) -> None:
    """Use a server whose decodes wait at a gate."""
    with house.held() as (gate, engine), serving(house, engine=engine, **options) as web:
        use(web, gate)
        gate.gate.set()


def test_one_upload_too_many_is_told_and_the_others_are_answered(house: House) -> None:
    def use(web: Web, held: Any) -> None:
        answers: list[httpx.Response] = []
        first = threading.Thread(
            target=lambda: answers.append(web.upload(PLAIN, FLAC, language="en"))
        )
        first.start()
        assert held.reached.wait(PATIENCE)
        assert reason(web.upload(PLAIN, FLAC)) == (429, "too-many-uploads")
        held.gate.set()
        first.join(PATIENCE)
        assert answers[0].json()["text"] == TURN_ON.text

    held(house, use, http_max_uploads=1)


def test_an_upload_that_takes_too_long_is_told(house: House) -> None:
    def use(web: Web, held: Any) -> None:
        assert reason(web.upload(PLAIN, FLAC)) == (503, "timeout")

    held(house, use, http_timeout=1.0)


@pytest.mark.parametrize("stream", ["false", "true"])
def test_who_goes_is_not_worked_for(house: House, stream: str) -> None:
    def use(web: Web, held: Any) -> None:
        async def leave() -> None:
            async with httpx.AsyncClient() as client:
                request = asyncio.create_task(
                    client.post(
                        web.url + OPENAI,
                        files={"file": ("a.flac", FLAC)},
                        data={"stream": stream},
                        timeout=PATIENCE,
                    )
                )
                await asyncio.to_thread(held.reached.wait, PATIENCE)
                request.cancel()
                await asyncio.gather(request, return_exceptions=True)
            # Nobody waits for the decode any more, though it still runs.
            engine: LocalEngine = web.session._engine  # type: ignore[assignment]
            await until(lambda: not engine._callers)

        asyncio.run(leave())

    held(house, use)
