"""OpenAI's realtime transcription, by its own package and event by event."""

import asyncio
import base64
from typing import Any

import numpy as np
import pytest
import soxr

from tests.clips import SHORT, SILENCE, TURN_ON
from tests.server.door import House
from tests.server.http.web import Line, Web, line, run, serving
from wyoming_streamwhisper.server.http.pcm import from_law

LABEL = "conversation.item.input_audio_transcription"


def at_24k(pcm: bytes) -> bytes:
    return soxr.resample(np.frombuffer(pcm, "<i2"), 16000, 24000).tobytes()


def append(pcm: bytes) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}


def update(**given: Any) -> dict[str, Any]:
    given.setdefault("transcription", {"model": "whisper-1", "language": "en"})
    session = {"type": "transcription", "audio": {"input": given}}
    return {"type": "session.update", "session": session}


async def say(client: Line, pcm: bytes, size: int = 9600) -> None:
    for at in range(0, len(pcm), size):
        await client.send(append(pcm[at : at + size]))


COMMIT = {"type": "input_audio_buffer.commit"}


def test_the_official_package_runs_a_session_unchanged(web: Web) -> None:
    openai = pytest.importorskip("openai")

    async def speak() -> tuple[list[str], str]:
        client = openai.AsyncOpenAI(api_key="none", base_url=f"{web.url}/v1")
        deltas: list[str] = []
        async with (
            client,
            client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
        ):
            await connection.session.update(
                session={
                    "type": "transcription",
                    "audio": {
                        "input": {
                            "format": {"type": "audio/pcm", "rate": 24000},
                            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                            "turn_detection": None,
                        }
                    },
                }
            )
            sound = at_24k(TURN_ON.pcm)
            for at in range(0, len(sound), 9600):
                audio = base64.b64encode(sound[at : at + 9600]).decode()
                await connection.input_audio_buffer.append(audio=audio)
            await connection.input_audio_buffer.commit()
            async with asyncio.timeout(60):
                async for event in connection:
                    assert event.type != "error", event
                    if event.type == f"{LABEL}.delta":
                        deltas.append(event.delta)
                    if event.type == f"{LABEL}.completed":
                        return deltas, event.transcript
        raise AssertionError("closed without a transcript")

    deltas, transcript = run(speak())
    assert transcript == TURN_ON.text
    assert transcript.startswith("".join(deltas)[:4])


def test_silence_commits_by_itself(web: Web) -> None:
    async def speak() -> Line:
        async with line(f"{web.ws}/v1/realtime?intent=transcription") as client:
            await client.send(update())
            await say(client, at_24k(TURN_ON.pcm + SILENCE + SHORT.pcm + SILENCE))
            for _ in range(2):
                await client.kind(f"{LABEL}.completed")
            return client

    client = run(speak())
    completed = [m for m in client.came if m["type"] == f"{LABEL}.completed"]
    assert [m["transcript"] for m in completed] == [TURN_ON.text, SHORT.text]
    first = completed[0]["item_id"]
    about = [
        m["type"] for m in client.came if first in (m.get("item_id"), m.get("item", {}).get("id"))
    ]
    kinds = [kind for kind in about if not kind.endswith(".delta")]
    assert kinds == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        f"{LABEL}.completed",
    ]  # fmt: skip
    assert completed[0]["usage"]["type"] == "duration"
    order = [m["previous_item_id"] for m in client.came if m["type"].endswith("committed")]
    assert order == [None, first]


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_telephones_are_heard(web: Web, law: str) -> None:
    sound = soxr.resample(np.frombuffer(TURN_ON.pcm, "<i2"), 16000, 8000)
    codes = bytes(range(256))
    table = np.frombuffer(from_law(codes, law), "<i2").astype(np.int32)
    order = np.argsort(table)
    places = np.searchsorted(table[order], sound).clip(0, 255)
    coded = order[places].astype(np.uint8).tobytes()

    async def speak() -> str:
        async with line(f"{web.ws}/v1/realtime") as client:
            await client.send(update(format={"type": law}, turn_detection=None))
            await say(client, coded)
            await client.send(COMMIT)
            return str((await client.kind(f"{LABEL}.completed"))["transcript"])

    assert run(speak()) == TURN_ON.text


def test_the_older_form_of_a_session_works(web: Web) -> None:
    session = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
        "turn_detection": None,
    }

    async def speak() -> str:
        async with line(f"{web.ws}/v1/realtime?intent=transcription") as client:
            await client.send({"type": "transcription_session.update", "session": session})
            await client.kind("transcription_session.updated")
            await say(client, at_24k(TURN_ON.pcm))
            await client.send(COMMIT)
            return str((await client.kind(f"{LABEL}.completed"))["transcript"])

    assert run(speak()) == TURN_ON.text


def test_an_update_leaves_what_it_does_not_name(web: Web) -> None:
    async def speak() -> list[dict[str, Any]]:
        async with line(f"{web.ws}/v1/realtime?model=whisper-1") as client:
            created = await client.kind("session.created")
            await client.send(update(turn_detection={"type": "server_vad", "threshold": 0.7}))
            first = await client.kind("session.updated")
            await client.send(update(transcription={"prompt": "Kitchen."}))
            return [m["session"]["audio"]["input"] for m in
                    (created, first, await client.kind("session.updated"))]  # fmt: skip

    created, first, second = run(speak())
    assert created["turn_detection"]["silence_duration_ms"] == 500
    assert first["turn_detection"] == {**created["turn_detection"], "threshold": 0.7}
    assert second["turn_detection"] == first["turn_detection"]
    assert second["transcription"]["language"] == "en"
    assert second["transcription"]["prompt"] == "Kitchen."


def test_what_is_cleared_is_not_heard(web: Web) -> None:
    async def speak() -> str:
        async with line(f"{web.ws}/v1/realtime") as client:
            await client.send(update(turn_detection=None))
            await say(client, at_24k(SHORT.pcm))
            await client.send({"type": "input_audio_buffer.clear"})
            await client.kind("input_audio_buffer.cleared")
            await say(client, at_24k(TURN_ON.pcm))
            await client.send(COMMIT)
            return str((await client.kind(f"{LABEL}.completed"))["transcript"])

    assert run(speak()) == TURN_ON.text


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (COMMIT, "input_audio_buffer_commit_empty"),
        ({"type": "input_audio_buffer.append", "audio": "no base64!"}, "bad-audio"),
        ({"type": "input_audio_buffer.append"}, "bad-audio"),
        ({"type": "session.update"}, "bad-message"),
        ({"type": "session.update", "session": {"audio": 1}}, "invalid-value"),
        (update(turn_detection={"type": "sing"}), "invalid-value"),
        (update(transcription={"language": "xx"}), "unsupported-language"),
        (update(transcription={"model": "no-such"}), "unknown-model"),
        ({"type": "response.create"}, "bad-message"),
        ({}, "bad-message"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_event_that_makes_no_sense_is_told_and_the_session_goes_on(
    web: Web, event: dict[str, Any], code: str
) -> None:
    async def speak() -> tuple[str, str]:
        async with line(f"{web.ws}/v1/realtime") as client:
            await client.send(update(turn_detection=None))
            await client.send(event)
            error = (await client.kind("error"))["error"]
            await say(client, at_24k(TURN_ON.pcm))
            await client.send(COMMIT)
            done = await client.kind(f"{LABEL}.completed")
            return error["code"], done["transcript"]

    assert run(speak()) == (code, TURN_ON.text)


def test_a_session_goes_on_after_a_break(house: House) -> None:
    sound = at_24k(TURN_ON.pcm)

    async def speak(web: Web) -> str:
        async with line(f"{web.ws}/v1/realtime") as client:
            created = await client.kind("session.created")
            await client.send(update(turn_detection=None))
            updated = await client.kind("session.updated")
            await say(client, sound[:48_000])
            await client.vanish()
        query = f"?session_id={created['session']['id']}&last_event_id={updated['event_id']}"
        async with line(f"{web.ws}/v1/realtime{query}") as client:
            resumed = await client.kind("session.resumed")
            await say(client, sound[resumed["received"] :])
            await client.send(COMMIT)
            return str((await client.kind(f"{LABEL}.completed"))["transcript"])

    with serving(house, http_resume=30.0) as web:
        assert run(speak(web)) == TURN_ON.text
