"""A peer that is gone, slow or silent is found out, and what was sent to it arrives."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from wyoming.event import Event, async_read_event

from wyoming_streamwhisper.server.peer import Peer
from wyoming_streamwhisper.server.wire import encode


@asynccontextmanager
async def pair(
    **limits: Any,
) -> AsyncIterator[tuple[Peer, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give a peer as the server has it, and the streams of its client."""
    ours, theirs = socket.socketpair()
    peer = Peer(*await asyncio.open_connection(sock=ours), name="#1", **limits)
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
        reader = asyncio.StreamReader()
        reader.set_exception(TimeoutError("timed out"))
        async with pair() as (peer, _, _):
            peer._reader = reader
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
