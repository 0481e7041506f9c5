"""The client over real WebSockets, with a server that plays a peer."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

pytest.importorskip("websockets")

from websockets.asyncio.server import ServerConnection, serve

from benchmarks.peers.websocket import connector
from benchmarks.peers.whisper_live import WhisperLive
from benchmarks.peers.whisperlivekit import WhisperLiveKit
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.link import Connect
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.sources import Pacing

FAST = Pacing(real_time=False)
TONE = (3000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)
Play = Callable[[ServerConnection], Awaitable[None]]


def said(play: Play, connect: Connect) -> Conversation:
    async def run() -> Conversation:
        async with serve(play, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            uri = f"ws://127.0.0.1:{port}"
            return await speak(uri, TONE, Asking(language="de"), FAST, patience=5, connect=connect)

    return asyncio.run(run())


class Impatient(WhisperLive):
    """Waits less for a server that says nothing."""

    patience_s = 0.05


def impatient() -> Impatient:
    return Impatient(same_output_threshold=10, use_vad=True)


def test_audio_arrives_sample_for_sample_and_the_answer_is_timed() -> None:
    heard: list[bytes] = []
    paths: list[str] = []

    async def play(socket: ServerConnection) -> None:
        assert socket.request is not None
        paths.append(socket.request.path)
        await socket.send(json.dumps({"type": "config"}))
        while message := await socket.recv():
            assert isinstance(message, bytes)
            heard.append(message)
        await socket.send(json.dumps({"lines": [{"text": "An."}], "buffer_transcription": ""}))
        await socket.send(json.dumps({"type": "ready_to_stop"}))

    record = said(play, connector(WhisperLiveKit))
    assert b"".join(heard) == TONE.tobytes()
    assert paths == ["/asr?language=de"]
    assert record.failure is None
    assert record.text == "An."
    assert record.seconds == 1.0
    assert record.stop_to_transcript_s is not None


def test_a_refusal_is_a_failure() -> None:
    async def play(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(json.dumps({"status": "WAIT", "message": 3}))
        await socket.wait_closed()

    record = said(play, connector(impatient))
    assert record.failure is not None
    assert (record.failure.code, record.failure.text) == ("refused", "WAIT: 3")


def test_a_server_that_says_nothing_more_has_answered() -> None:
    async def play(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(json.dumps({"message": "SERVER_READY"}))
        segment = {"start": "0.0", "text": " An.", "completed": False}
        async for _ in socket:
            await socket.send(json.dumps({"segments": [segment]}))

    record = said(play, connector(impatient))
    assert record.failure is None
    assert record.text == "An."


def test_a_peer_that_hangs_up_is_a_failure() -> None:
    async def play(socket: ServerConnection) -> None:
        await socket.send(json.dumps({"type": "config"}))
        await socket.recv()

    record = said(play, connector(WhisperLiveKit))
    assert record.failure is not None
    assert record.failure.code == "closed"


def test_nobody_there_is_a_failure() -> None:
    record = asyncio.run(
        speak("ws://127.0.0.1:1", TONE, pacing=FAST, connect=connector(WhisperLiveKit))
    )
    assert record.failure is not None
    assert record.failure.code == "refused"
