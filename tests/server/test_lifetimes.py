"""Whoever comes, goes, stays or floods: nothing is left behind, and nobody else notices."""

import asyncio
import contextlib
import logging
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe

from tests.clips import SHORT, SILENCE, TURN_ON
from tests.server.door import (
    PATIENCE,
    Door,
    House,
    answer,
    chunks,
    connected,
    ping,
    say,
    send,
    silence,
    speak,
    until,
    utterance,
)
from wyoming_streamwhisper.daemon import _finish
from wyoming_streamwhisper.server import peer
from wyoming_streamwhisper.server.options import Listener
from wyoming_streamwhisper.server.wire import encode
from wyoming_streamwhisper.session.context import ContextOptions

START, STOP = AudioStart(16000, 2, 1), AudioStop()
EXCHANGE = b"".join(
    encode(e if isinstance(e, Event) else e.event()) for e in utterance(SHORT.pcm, language="en")
)


@pytest.fixture(autouse=True)
def calm(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test here may lead to a traceback or to an error of the loop."""
    caplog.set_level(logging.INFO)
    yield
    assert not [r for r in caplog.records if r.exc_info or r.levelno >= logging.ERROR]


def port(door: Door) -> int:
    return int(door.uri.rpartition(":")[2])


async def begun(door: Door) -> None:
    """Wait until somebody speaks."""
    await until(lambda: door.session.running > 0)


# Leaving


def leave(door: Door, sent: bytes, *, reset: bool) -> None:
    with socket.create_connection(("127.0.0.1", port(door))) as client:
        client.sendall(sent)
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_may_vanish_at_any_byte(door: Door, reset: bool) -> None:
    # Each byte of the first events, then some of the many alike, then the end.
    places = [*range(0, 300, 7), *range(300, len(EXCHANGE), 1777), *range(-60, 0, 7)]
    for place in places:
        leave(door, EXCHANGE[:place], reset=reset)
    # Whoever came before this one has been let in, at least.
    assert speak(door.uri, utterance(SHORT.pcm)).text == SHORT.text
    door.inside(door.settled())


def test_a_client_that_vanishes_amid_decoding_is_forgotten(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *chunks(SHORT.pcm + SILENCE))
            await asyncio.to_thread(held.reached.wait, PATIENCE)
        await until(lambda: not door.session.running)

    with house.held() as (held, engine):
        with house.door(engine=engine) as door:
            asyncio.run(check())
            assert not held.gate.is_set()
        held.gate.set()


def test_utterances_dropped_before_they_began_are_closed(door: Door) -> None:
    # All in one segment: the tasks of the first ones never get to run.
    sent = b"".join(encode(START.event()) for _ in range(20)) + encode(Transcribe().event())
    leave(door, sent, reset=False)
    door.inside(door.settled())


# Limits


def test_overload_is_answered_at_once_and_does_not_last(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as first, connected(door.uri) as second:
            await send(first, START, *chunks(SHORT.pcm))
            await begun(door)
            await send(second, *utterance(SHORT.pcm))
            assert (await answer(second)).code == "overloaded"
            await ping(second)
            await send(first, STOP)
            assert (await answer(first)).text == SHORT.text
            await send(second, *utterance(SHORT.pcm))
            assert (await answer(second)).text == SHORT.text

    with house.door(contexts=ContextOptions(max_utterances=1)) as door:
        asyncio.run(check())


def test_one_connection_too_many_is_told_so(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as first, connected(door.uri) as second:
            await silence(first)
            await silence(second)
            # It hears why although it does not read at first.
            assert (await say(door.uri, utterance(SHORT.pcm))).code == "too-many-connections"
            await silence(first)
        await door.settled()
        assert (await say(door.uri, utterance(SHORT.pcm))).text == SHORT.text

    with house.door(max_connections=2) as door:
        asyncio.run(check())


def test_whoever_says_nothing_for_long_is_let_go(house: House) -> None:
    async def check() -> None:
        async with asyncio.timeout(PATIENCE), connected(door.uri) as client:
            assert await client.read_event() is None

    with house.door(idle_timeout=0.2) as door:
        asyncio.run(check())


def test_bytes_that_never_become_an_event_keep_nobody_here(house: House) -> None:
    async def check() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port(door))
        async with asyncio.timeout(PATIENCE):
            while not reader.at_eof():
                writer.write(b"{")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await reader.read()
        writer.close()

    with house.door(idle_timeout=0.4) as door:
        asyncio.run(check())


def test_an_utterance_whose_audio_stays_out_is_answered(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *chunks(SHORT.pcm))
            assert (await answer(client)).code == "idle-timeout"
            assert await client.read_event() is None

    with house.door(idle_timeout=0.5) as door:
        asyncio.run(check())


def test_whoever_waits_for_an_answer_is_not_idle(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, *utterance(SHORT.pcm))
            await asyncio.to_thread(held.reached.wait, PATIENCE)
            await asyncio.sleep(0.5)
            held.gate.set()
            assert (await answer(client)).text == SHORT.text

    with house.held() as (held, engine), house.door(engine=engine, idle_timeout=0.1) as door:
        asyncio.run(check())


def test_a_client_that_never_reads_blocks_nobody_and_is_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port(door))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        flood = encode(Describe().event()) * 10_000
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                others = asyncio.create_task(say(door.uri, utterance(SHORT.pcm)))
                while True:
                    writer.write(flood)
                    await writer.drain()
        assert (await others).text == SHORT.text
        writer.close()
        del reader

    monkeypatch.setitem(peer.Peer.__init__.__kwdefaults__ or {}, "write_timeout", 0.5)
    with house.door() as door:
        asyncio.run(check())


def test_a_burst_of_minutes_makes_its_sender_wait_and_nobody_else(door: Door) -> None:
    async def check() -> None:
        burst = asyncio.create_task(
            say(door.uri, utterance((TURN_ON.pcm + SILENCE * 3) * 12, 64000))
        )
        slowest = 0.0
        while not burst.done():
            begun = time.perf_counter()
            async with connected(door.uri) as client:
                await silence(client)
            slowest = max(slowest, time.perf_counter() - begun)
        # All of it was heard; how well is the model's business.
        assert (await burst).text.count("Turn the washing machine in the bathroom") == 12
        # Milliseconds, but for what else runs on the machine.
        assert slowest < 1.0

    asyncio.run(check())


# Stopping


def test_at_the_end_running_utterances_finish_and_new_ones_are_refused(house: House) -> None:
    async def check() -> None:
        async with connected(door.uri) as running, connected(door.uri) as later:
            await silence(later)
            await send(running, *utterance(SHORT.pcm))
            await asyncio.to_thread(held.reached.wait, PATIENCE)
            door.loop.call_soon_threadsafe(door.server.stop_accepting)
            ending = asyncio.run_coroutine_threadsafe(_finish(door.session), door.loop)
            await asyncio.sleep(0.1)
            await send(later, START)
            assert (await answer(later)).code == "shutting-down"
            with pytest.raises(OSError, match="onnect"):
                await asyncio.open_connection("127.0.0.1", where)
            held.gate.set()
            assert (await answer(running)).text == SHORT.text
            await asyncio.to_thread(ending.result, PATIENCE)

    with house.held() as (held, engine), house.door(engine=engine) as door:
        where = port(door)
        asyncio.run(check())


def test_who_still_speaks_at_the_end_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        async with connected(door.uri) as client:
            await send(client, START, *chunks(SHORT.pcm))
            await begun(door)
            ending = asyncio.run_coroutine_threadsafe(_finish(door.session), door.loop)
            # Audio that nobody hears any more must not destroy the answer on its way.
            await send(client, *chunks(SHORT.pcm))
            await asyncio.to_thread(ending.result, PATIENCE)
            closing = asyncio.run_coroutine_threadsafe(door.server.close(), door.loop)
            assert (await answer(client)).code == "shutting-down"
            assert await client.read_event() is None
        await asyncio.to_thread(closing.result, PATIENCE)

    monkeypatch.setattr("wyoming_streamwhisper.daemon._FINISH", 0.2)
    with house.door() as door:
        asyncio.run(check())


# Addresses


def test_an_ipv6_listener_is_served(house: House) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with house.door(uris=[Listener("tcp://[::1]:0")]) as door:
            uri = f"tcp://[::1]:{port(door)}"
            assert speak(uri, utterance(SHORT.pcm)).text == SHORT.text
    except OSError:
        pytest.skip("no IPv6 here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    # The system allows about a hundred characters.
    return Path(f"/proc/self/cwd/{tmp_path.name}") if len(str(tmp_path)) > 90 else tmp_path / "s"


def test_a_unix_socket_is_served_and_leaves_no_file(house: House, path: Path) -> None:
    with house.door(uris=[Listener(f"unix://{path}")]):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert speak(f"unix://{path}", utterance(SHORT.pcm)).text == SHORT.text
    assert not path.exists()


def test_a_stale_unix_socket_is_replaced_and_a_living_one_is_not(house: House, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    uris = [Listener(f"unix://{path}")]
    with house.door(uris=uris):
        with pytest.raises(OSError, match="in use"), house.door(uris=uris):
            pass
        assert speak(f"unix://{path}", utterance(SHORT.pcm)).text == SHORT.text


def test_another_file_is_never_replaced(house: House, path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(OSError, match="in use"), house.door(uris=[Listener(f"unix://{path}")]):
        pass
    assert path.read_text() == "precious"


def test_an_address_in_use_leaves_no_listener_behind(house: House) -> None:
    with house.door() as door:
        taken = Listener(door.uri)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            other = Listener(f"tcp://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(OSError, match="in use"), house.door(uris=[other, taken]):
            pass
        with house.door(uris=[other]) as second:
            assert speak(second.uri, utterance(SHORT.pcm)).of(Transcript)
            assert not speak(second.uri, utterance(SHORT.pcm)).of(Error)
