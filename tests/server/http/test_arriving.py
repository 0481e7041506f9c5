"""Recordings that are transcribed while they still come, and forms in any pieces."""

import asyncio
import itertools
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clips import SHORT, SILENCE, TURN_ON
from tests.server.door import PATIENCE, House
from tests.server.http.test_uploads import PLAIN, reason
from tests.server.http.web import Web, run, serving
from wyoming_streamwhisper.server.http.arriving import Arriving
from wyoming_streamwhisper.server.http.multipart import Form
from wyoming_streamwhisper.server.http.problems import Problem

BOUNDARY = "XyZ"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def studio(pcm: bytes) -> bytes:
    """Return 16 bit sound at 16 kHz as 48 kHz float stereo: 12 times as many bytes to send."""
    sound = np.frombuffer(pcm, "<i2").astype("<f4") / 32768
    data = np.repeat(np.repeat(sound, 3), 2).tobytes()
    form = b"".join(
        int(value).to_bytes(size, "little")
        for value, size in ((3, 2), (2, 2), (48000, 4), (48000 * 8, 4), (8, 2), (32, 2))
    )
    body = b"WAVEfmt " + (16).to_bytes(4, "little") + form
    body += b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def field(name: str, value: str) -> bytes:
    return (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n"
    ).encode()


def part(data: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    return head.encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
LONG = studio((TURN_ON.pcm + SILENCE + SHORT.pcm + SILENCE) * 7)
HALF = len(LONG) * 3 // 4


def in_two(web: Web, body: bytes, meanwhile: Callable[[], object]) -> httpx.Response:
    """Send a body whose second part comes after something else has happened."""

    async def halves() -> AsyncIterator[bytes]:
        for at in range(0, HALF, 1 << 16):
            yield body[at : min(at + (1 << 16), HALF)]
        await asyncio.to_thread(meanwhile)
        yield body[HALF:]

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            return await client.post(web.url + PLAIN, content=halves(), headers=HEADERS)

    response: httpx.Response = run(send())
    return response


def text_of_a_whole_upload(web: Web, **fields: str) -> str:
    return str(web.upload(PLAIN, LONG, **fields).json()["text"])


@pytest.mark.parametrize("stream", ["false", "true"])
def test_it_is_decoded_while_the_rest_still_comes(house: House, stream: str) -> None:
    with house.held() as (held, engine), serving(house, engine=engine) as web:

        def begun() -> None:
            assert held.reached.wait(PATIENCE)  # by a decode, though half is on its way
            held.gate.set()

        body = field("language", "en") + field("stream", stream) + part(LONG) + END
        answer = in_two(web, body, begun)
        assert answer.status_code == 200
        assert text_of_a_whole_upload(web, language="en") in answer.text


@pytest.mark.parametrize("behind", [{"language": "de"}, {"task": "translate"}, {"mood": "good"}])
def test_fields_behind_the_file_count_as_those_before_it(web: Web, behind: dict[str, str]) -> None:
    ((name, value),) = behind.items()
    body = part(LONG) + field(name, value) + END
    answer = in_two(web, body, lambda: None)
    assert answer.json()["text"] == text_of_a_whole_upload(web, **behind)


def test_a_field_behind_the_file_that_makes_no_sense_is_told(web: Web) -> None:
    answer = in_two(web, part(LONG) + field("language", "xx") + END, lambda: None)
    assert reason(answer) == (422, "unsupported-language")


def test_its_length_is_told_as_of_a_whole_upload(web: Web) -> None:
    body = field("stream", "true") + part(LONG) + END
    events = [
        json.loads(line[6:]) for line in in_two(web, body, lambda: None).text.split("\n\n")[:-1]
    ]
    assert {round(event["duration"], 1) for event in events} == {round(len(LONG) / 384_000, 1)}


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_who_goes_amid_the_upload_leaves_nothing(house: House) -> None:
    with house.held() as (held, engine), serving(house, engine=engine) as web:
        before = open_files()
        body = field("language", "en") + part(LONG) + END

        async def leave() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", web.server.port)
            head = f"POST {PLAIN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Content-Type: {HEADERS['Content-Type']}\r\n\r\n".encode())
            writer.write(body[:HALF])
            await asyncio.to_thread(held.reached.wait, PATIENCE)
            writer.transport.abort()

        run(leave())
        held.gate.set()
        web.settled()
        until(lambda: open_files() <= before and not readers())


def readers() -> Sequence[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("reader")]


def until(met: Callable[[], bool]) -> None:
    """Wait for threads, which tell nobody that they have ended."""
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)


# Forms


def read(body: bytes, cuts: Sequence[int]) -> tuple[bytes, dict[str, list[str]]]:
    """Read a form that comes in pieces; return its file and fields."""

    async def pieces() -> AsyncIterator[bytes]:
        places = [0, *sorted(cuts), len(body)]
        for start, end in itertools.pairwise(places):
            yield body[start:end]

    async def whole() -> tuple[bytes, dict[str, list[str]]]:
        form = Form(HEADERS["Content-Type"])
        try:
            await form.read(pieces())
            return form.file.at_will().read(), form.fields
        finally:
            await form.file.close()

    return asyncio.run(whole())


SOUND = b"\r\n--Xy\r\n--" + bytes(range(256)) * 2
FORM = field("a", "ä") + part(SOUND) + field("b[]", "1") + field("b[]", "2") + END


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, len(FORM)), max_size=8))
def test_a_form_is_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    assert read(FORM, cuts) == (SOUND, {"a": ["ä"], "b": ["1", "2"]})


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(FORM) - len(END)), st.integers(0, 9))
def test_a_form_that_breaks_off_is_none(end: int, cut: int) -> None:
    with pytest.raises(Problem) as caught:
        read(FORM[:end], [min(cut, end)])
    assert caught.value.code == "bad-form"


def test_fields_have_limits() -> None:
    for body in (field("a", "x" * 70_000), field("a", "x") * 65, part(b"x") * 2):
        with pytest.raises(Problem) as caught:
            read(body + part(b"x") + END, [])
        assert caught.value.code == "bad-form"


@pytest.mark.parametrize(
    ("data", "sequential"),
    [(LONG[:99], True), (b"fLaC" + bytes(99), True), (b"RIFF\0\0\0\0AVI " + bytes(99), False),
     (b"\0\0\0\x20ftypM4A " + bytes(99), False), (b"ID3" + bytes(99), False), (b"RI", False)],
    ids=["wav", "flac", "avi", "mp4", "mp3", "short"],
)  # fmt: skip
def test_what_can_be_read_in_order_is_known_by_its_beginning(data: bytes, sequential: bool) -> None:
    async def arrives() -> bool:
        file = Arriving()
        for at in range(len(data)):
            await file.write(data[at : at + 1])
        await file.close()
        return file.sequential

    assert run(arrives()) == sequential


def test_who_reads_a_file_waits_for_it_and_ends_with_it() -> None:
    async def both() -> tuple[bytes, bytes]:
        file = Arriving()
        await file.write(b"ab")
        source = file.in_order()
        assert await asyncio.to_thread(source.read, 10) == b"ab"
        rest = asyncio.create_task(asyncio.to_thread(source.read, 10))
        await file.write(b"cd")
        first = await rest
        rest = asyncio.create_task(asyncio.to_thread(source.read, 10))
        await file.close()
        return first, await rest

    assert run(both()) == (b"cd", b"")


class SlowDisk:
    """Holds what the tests of this process do with files, from the thread that does it on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._call = getattr(os, name)
        self._reached, self.gate = threading.Event(), threading.Event()
        monkeypatch.setattr(os, name, self._slowly)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE)

    def _slowly(self, *arguments: object) -> object:
        self._reached.set()
        assert self.gate.wait(PATIENCE), "somebody waits for the disk who must not"
        return self._call(*arguments)


def test_who_closes_does_not_hold_the_others_while_the_disk_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = SlowDisk(monkeypatch, "pwrite")

    async def scenario() -> None:
        file = Arriving()
        writing = asyncio.create_task(file.write(b"ab"))
        await disk.reached()
        closing = asyncio.create_task(file.close())
        await asyncio.sleep(0)  # the others have their turn
        assert not closing.done()
        disk.gate.set()
        await asyncio.gather(writing, closing)

    run(scenario())


def test_a_reader_whose_disk_is_slow_holds_neither_the_rest_nor_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = SlowDisk(monkeypatch, "pread")

    async def scenario() -> bytes:
        file = Arriving()
        await file.write(b"ab")
        reading = asyncio.create_task(asyncio.to_thread(file.in_order().read, 10))
        await disk.reached()
        await file.write(b"cd")
        file.finish()
        disk.gate.set()
        try:
            return await reading
        finally:
            await file.close()

    assert run(scenario()) == b"ab"
