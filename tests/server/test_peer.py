"""A peer that is gone, slow or silent is found out, and what was sent to it arrives."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from wyoming.event import Event, async_read_event

from wyoming_streamwhisper.server.peer import Peer
from wyoming_streamwhisper.server.protocol import WireProtocol
from wyoming_streamwhisper.server.wire import encode


@asynccontextmanager
async def pair(
    **limits: Any,
) -> AsyncIterator[tuple[Peer, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give a peer as the server has it, and the streams of its client."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    connect = asyncio.get_running_loop().create_connection(
        lambda: WireProtocol(lambda _: None), sock=ours
    )
    peer = Peer((await connect)[1], name="#1", **limits)
    reader, writer = await asyncio.open_connection(sock=theirs)
    try:
        yield peer, reader, writer
    finally:
        await peer.close(0)
        writer.close()


def test_events_arrive_and_the_end_is_none() -> None:
    async def check() -> None:
        async with pair() as (peer, _, writer):
            writer.write(encode(Event("describe")) + encode(Event("ping", {"text": "a"})))
            writer.write_eof()
            assert await peer.next_event() == Event("describe")
            assert await peer.next_event() == Event("ping", {"text": "a"})
            assert await peer.next_event() is None

    asyncio.run(check())


def test_a_silent_peer_can_be_waited_for_again_without_loss() -> None:
    async def check() -> None:
        async with pair(idle_timeout=0.05) as (peer, _, writer):
            writer.write(encode(Event("describe"))[:-5])
            with pytest.raises(TimeoutError):
                await peer.next_event()
            writer.write(encode(Event("describe"))[-5:])
            assert await peer.next_event() == Event("describe")

    asyncio.run(check())


def test_a_time_out_of_the_network_is_an_end_and_no_silence() -> None:
    # Taken for silence, it would be waited on for ever, without a pause.
    async def check() -> None:
        async with pair() as (peer, _, _):
            waiting = asyncio.create_task(peer.next_event())
            await asyncio.sleep(0)
            peer._protocol.connection_lost(TimeoutError("timed out"))
            with pytest.raises(ConnectionError):
                await waiting
            with pytest.raises(ConnectionError):
                await peer.next_event()

    asyncio.run(check())


async def flood(peer: Peer) -> None:
    while True:
        await peer.write(Event("x", {}, bytes(100_000)))


def test_whoever_does_not_read_is_cut_off() -> None:
    async def check() -> None:
        async with pair(write_timeout=0.05) as (peer, reader, _):
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionError):
                await flood(peer)

    asyncio.run(check())


def test_what_was_sent_last_arrives_though_the_client_still_sends() -> None:
    async def check() -> None:
        async with pair() as (peer, reader, writer):
            writer.write(bytes(500_000))
            await peer.write(Event("transcript", {"text": "all of it"}))
            closing = asyncio.create_task(peer.close())
            event = await async_read_event(reader)
            assert event is not None
            assert event.data == {"text": "all of it"}
            assert await reader.read() == b""
            writer.close()
            await closing

    asyncio.run(check())


def test_what_is_taken_at_once_never_wakes_the_reader_and_keeps_its_order() -> None:
    async def check() -> None:
        async with pair() as (peer, _, writer):
            order: list[str] = []

            def take(event: Event) -> bool:
                order.append(event.type)
                return event.type == "audio-chunk"

            peer.hear(take)
            waiting = asyncio.create_task(peer.next_event())
            sent = [Event("audio-chunk", {}, b"ab")] * 3 + [Event("audio-stop"), Event("describe")]
            for byte in b"".join(map(encode, sent)):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            assert await waiting == Event("audio-stop")
            assert await peer.next_event() == Event("describe")
            assert order == [event.type for event in sent]

    asyncio.run(check())


def test_what_is_taken_at_once_counts_as_a_sign_of_life() -> None:
    async def check() -> None:
        async with pair() as (peer, _, writer):
            taken = asyncio.Event()
            peer.hear(lambda _: not taken.set())
            waiting = asyncio.create_task(peer.next_event())
            await asyncio.sleep(0)
            began = peer._protocol._since
            writer.write(encode(Event("audio-chunk", {}, b"ab")))
            await taken.wait()
            assert peer._protocol._since > began
            waiting.cancel()

    asyncio.run(check())


def test_a_fault_of_whoever_takes_is_the_readers() -> None:
    async def check() -> None:
        async with pair() as (peer, _, writer):

            def take(event: Event) -> bool:
                raise ZeroDivisionError

            peer.hear(take)
            waiting = asyncio.create_task(peer.next_event())
            writer.write(encode(Event("describe")))
            with pytest.raises(ZeroDivisionError):
                await waiting

    asyncio.run(check())


def test_a_sender_waits_while_nobody_asks_for_events() -> None:
    async def check() -> None:
        async with pair() as (peer, _, writer):
            writer.transport.set_write_buffer_limits(0)
            event = Event("x", {}, bytes(100_000))
            sending = asyncio.create_task(flood_of(writer, event, 40))
            while not peer._protocol._paused:  # noqa: ASYNC110 - the loop's own turns are waited for
                await asyncio.sleep(0)
            assert not sending.done()
            for _ in range(40):
                assert await peer.next_event() == event
            await sending

    asyncio.run(check())


async def flood_of(writer: asyncio.StreamWriter, event: Event, count: int) -> None:
    for _ in range(count):
        writer.write(encode(event))
        await writer.drain()
