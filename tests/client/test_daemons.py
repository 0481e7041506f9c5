"""What a daemon offers, and which daemons there are (real zeroconf, on loopback)."""

import asyncio
import socket

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from tests.scripted_server import INFO, Line, scripted
from wyoming_streamwhisper.client.daemons import SERVICE, Daemon, describe, discover, readable
from wyoming_streamwhisper.client.link import Unreachable


def test_a_daemon_describes_itself() -> None:
    async def run() -> list[str]:
        async with scripted() as server:
            return readable(await describe(server.uri))

    assert asyncio.run(run()) == [
        "scripted 1 (streams words, needs the client's end of speech)",
        "  Plays written answers",
        "  model parrot: 2 languages",
        "    en de",
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"not json\n", "hung up"),
        (b"[]\n", "does not speak Wyoming"),
        (b'{"type": "info", "data": {"asr": [{"name": "x"}]}}\n', "does not speak Wyoming"),
        (b'{"type": "error", "data": {"text": "not today"}}\n', "answers: not today"),
    ],
)
def test_what_is_no_daemon_is_told(answer: bytes, reason: str) -> None:
    async def run() -> None:
        async with scripted([Line("describe", [answer], hang_up=True)]) as server:
            await describe(server.uri)

    with pytest.raises(Unreachable, match=reason):
        asyncio.run(run())


def test_a_mute_daemon_does_not_hold_a_health_check() -> None:
    """Somebody accepts and says nothing."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            await describe(f"tcp://127.0.0.1:{mute.getsockname()[1]}", wait=0.05)

    with pytest.raises(Unreachable, match="did not describe itself within"):
        asyncio.run(run())


def test_announced_daemons_are_found_and_described() -> None:
    """One that answers and one that is only announced."""

    async def run() -> list[Daemon]:
        loopback = ["127.0.0.1"]
        async with scripted() as server, AsyncZeroconf(interfaces=loopback) as announcer:
            for name, port in (("attic", 1), ("hall", int(server.uri.rpartition(":")[2]))):
                address = [socket.inet_aton("127.0.0.1")]
                full = f"{name}-{port}.{SERVICE}"
                service = AsyncServiceInfo(SERVICE, full, port, addresses=address)
                await (await announcer.async_register_service(service, cooperating_responders=True))
            ours: list[Daemon] = []
            # The first question wants its answers sent to this socket alone; where another program
            # listens on the same port, it may get them. The next one comes a second later.
            for wait in (1.0, 3.0, 6.0):
                found = await discover(wait, loopback)
                ours = [d for d in found if d.uri.endswith(":1") or d.uri == server.uri]
                if len(ours) == 2:
                    break
            await announcer.async_unregister_all_services()
            return ours

    attic, hall = asyncio.run(run())
    assert attic.info is None
    assert attic.problem == "no connection to tcp://127.0.0.1:1: Connection refused"
    assert hall.info is not None
    assert hall.info.asr[0].name == INFO.asr[0].name
