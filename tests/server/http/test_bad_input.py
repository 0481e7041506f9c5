"""Whatever one client sends: a clear status, nothing of it left, and others notice nothing.

`serving` looks for what was left. A neighbour speaks while each of these happens.
"""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import numpy as np
import pytest

from tests.clips import SILENCE, TURN_ON
from tests.server.door import PATIENCE, House
from tests.server.http.test_uploads import FLAC, wav
from tests.server.http.web import Web, array, line, npy, run, serving

Told = tuple[object, ...]


@contextlib.asynccontextmanager
async def neighbour(web: Web) -> AsyncIterator[None]:
    """Speak around what happens, and get the right text."""
    async with line(f"{web.ws}/stream") as speaker:
        await speaker.send({"language": "en"})
        await speaker.pcm(TURN_ON.pcm[:40_000])
        await speaker.kind("speech")
        yield
        await speaker.pcm(TURN_ON.pcm[40_000:])
        await speaker.send({"type": "stop"})
        assert (await speaker.kind("final"))["text"] == TURN_ON.text


def beside(web: Web, what: Callable[[], Awaitable[Told]]) -> Told:
    async def both() -> Told:
        async with neighbour(web):
            return await what()

    told: Told = run(both())
    return told


def riff(rate: int = 16_000, bits: int = 16, kind: int = 1, data: bytes = b"") -> bytes:
    """Return a WAV file as its header wants it."""
    form = struct.pack("<HHIIHH", kind, 1, rate, rate * bits // 8 & 0xFFFFFFFF, bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def a_day() -> bytes:
    """Return a recording whose header says that it is 24 hours long."""
    samples = 24 * 3600 * 16_000
    told = int.from_bytes(FLAC[18:26], "big") & ~((1 << 36) - 1) | samples
    return FLAC[:18] + told.to_bytes(8, "big") + FLAC[26:]


def unnumbered() -> bytes:
    floats = np.frombuffer(TURN_ON.pcm, "<i2").astype("<f4") / 32768
    floats[1000:1010] = np.nan
    floats[1010] = np.inf
    return riff(bits=32, kind=3, data=floats.tobytes())


FILES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "empty"),
    "text": (b"no audio at all " * 99, 415, "not-audio"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(5000), 415, "no-audio"),
    "a script": (b"#EXTM3U\nfile:///etc/passwd\n", 415, "not-audio"),
    "cut in its header": (FLAC[:40], 415, "not-audio"),
    "cut before its sound": (FLAC[:2000], 415, "not-audio"),
    "cut amid its sound": (FLAC[: len(FLAC) // 2], 200, ""),
    "an odd byte": (wav(TURN_ON.pcm)[:-1], 200, ""),
    "no samples": (wav(b""), 400, "empty"),
    "a rate of nothing": (riff(rate=0, data=TURN_ON.pcm), 415, "not-audio"),
    "a rate of 1 Hz": (riff(rate=1, data=bytes(64)), 400, "empty"),
    "a rate of gigahertz": (riff(rate=4_000_000_000, data=TURN_ON.pcm), 415, "not-audio"),
    "samples that are no numbers": (unnumbered(), 200, ""),
    "24 hours": (a_day(), 413, "too-long"),
    "pickled": (npy(np.array([{"a": 1}], object), allow_pickle=True), 415, "not-audio"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file(web: Web, name: str) -> None:
    data, status, code = FILES[name]

    async def upload() -> Told:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            files = {"file": ("a", data)}
            answer = await client.post(
                f"{web.url}/transcribe", files=files, data={"language": "en"}
            )
            told = answer.json()
            return answer.status_code, told.get("error", {}).get("code", "")

    assert beside(web, upload) == (status, code)


STREAM, ARRAYS, REALTIME = "/stream", "/ws/transcription?client_id=bad", "/v1/realtime"
NAN = np.array([0.0, np.nan], "<f4").tobytes()
MESSAGES: dict[str, tuple[str, list[object], str, int | None]] = {
    "config: a list": (STREAM, [[1]], "bad-json", 1008),
    "config: a number": (STREAM, [7], "bad-json", 1008),
    "config: no JSON": (STREAM, ["{"], "bad-json", 1008),
    "config: sound": (STREAM, [b"\0\0"], "bad-config", 1008),
    "config: deep": (STREAM, ["[" * 100_000], "bad-json", 1008),
    "config: rate": (STREAM, [{"sample_rate": 0}], "invalid-value", 1008),
    "config: rate as text": (STREAM, [{"sample_rate": "fast"}], "invalid-value", 1008),
    "config: chunks": (STREAM, [{"chunk_duration": -1}], "invalid-value", 1008),
    "PCM: no numbers": (STREAM, [{"sample_format": "float32"}, NAN], "bad-audio", None),
    "PCM: then a list": (STREAM, [{"mood": "good"}, [1]], "bad-json", None),
    "PCM: then a wish": (STREAM, [{}, {"type": "sing"}], "bad-message", None),
    "array: pickled": (ARRAYS, [FILES["pickled"][0]], "bad-audio", None),
    "array: no numbers": (ARRAYS, [npy(np.array([np.nan], np.float32))], "bad-audio", None),
    "array: stereo": (ARRAYS, [npy(np.zeros((9, 2), np.float32))], "bad-audio", None),
    "array: text": (ARRAYS, [["audio"]], "bad-json", None),
    "event: a list": (REALTIME, [[1]], "bad-json", None),
    "event: sound": (REALTIME, [b"\0\0"], "bad-message", None),
    "event: no base64": (
        REALTIME, [{"type": "input_audio_buffer.append", "audio": "%"}], "bad-audio", None
    ),
    "event: no text": (
        REALTIME, [{"type": "input_audio_buffer.append", "audio": 7}], "bad-audio", None
    ),
    "event: no session": (REALTIME, [{"type": "session.update"}], "bad-message", None),
    "event: rate": (
        REALTIME,
        [{"type": "session.update",
          "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 1}}}}}],
        "invalid-value", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_a_bad_message(web: Web, name: str) -> None:
    path, messages, code, closed = MESSAGES[name]

    async def send() -> Told:
        async with line(web.ws + path) as client:
            for message in messages:
                plain = isinstance(message, str | bytes)
                await client.socket.send(message if plain else json.dumps(message))
            error = await client.kind("error")
            if closed is None:  # it goes on: a further mistake is answered too
                await client.socket.send("[]")
                await client.kind("error")
                return error.get("code") or error["error"]["code"], None
            return error["code"], await client.closed()

    assert beside(web, send) == (code, closed)


# Who goes, and who does not read


@pytest.mark.parametrize("after", [0, 40, 200, 5000, None], ids=str)
def test_an_upload_that_is_given_up(web: Web, after: int | None) -> None:
    request = httpx.Request("POST", web.url + "/transcribe", files={"file": ("a", FLAC)})
    head = b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\n" + b"".join(
        f"{name}: {value}\r\n".encode() for name, value in request.headers.items() if name != "host"
    )
    whole = head + b"\r\n" + request.read()

    async def give_up() -> Told:
        _, writer = await asyncio.open_connection("127.0.0.1", web.server.port)
        writer.write(whole[:after])
        await writer.drain()
        writer.transport.abort()
        return ()

    beside(web, give_up)


def test_who_goes_amid_the_answer(web: Web) -> None:
    sound = wav((TURN_ON.pcm + SILENCE) * 4)

    async def go() -> Told:
        async with (
            httpx.AsyncClient(timeout=PATIENCE) as client,
            client.stream(
                "POST", f"{web.url}/transcribe", files={"file": ("a", sound)}, data={"stream": "1"}
            ) as answer,
        ):
            return answer.status_code, (await anext(answer.aiter_lines()))[:6]

    assert beside(web, go) == (200, "data: ")


def test_readers_of_events_who_do_not_read(house: House) -> None:
    with serving(house, http_max_clients=3) as web:

        async def hold() -> Told:
            connections = []  # one that is forgotten hangs up
            async with contextlib.AsyncExitStack() as stack:
                for _ in range(3):
                    reader, writer = await asyncio.open_connection(
                        "127.0.0.1", web.server.port, limit=1024
                    )
                    stack.callback(writer.close)
                    connections.append((reader, writer))
                    writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    await reader.readuntil(b"event: load")
                async with httpx.AsyncClient(timeout=PATIENCE) as client:
                    answer = await client.get(f"{web.url}/events")
                    return answer.status_code, answer.json()["error"]["code"]

        assert beside(web, hold) == (503, "too-many-connections")


@pytest.mark.parametrize("path", [STREAM, ARRAYS])
def test_who_sends_for_ever_and_never_reads(web: Web, path: str) -> None:
    message = TURN_ON.pcm + SILENCE
    message = message if path == STREAM else array(message)

    async def flood() -> Told:
        async with line(web.ws + path, max_queue=1) as client:
            if path == STREAM:
                await client.send({"language": "en", "end_silence": 0.3})

            async def send() -> None:
                while True:
                    await client.send(message)

            sending = asyncio.create_task(send())
            # Held up, because the server reads no more; else all of this would be taken at once.
            done, _ = await asyncio.wait({sending}, timeout=1.0)
            kept = [c.stream._waits for c in web.server.door.conversations._known.values()]
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await client.vanish()
            return bool(done), max(kept) < 200 * 16_000

    assert beside(web, flood) == (False, True)
