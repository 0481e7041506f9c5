"""Real zeroconf on loopback: others find the daemon under a lasting name, and see it go."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from wyoming_streamwhisper.server.addresses import Interface
from wyoming_streamwhisper.server.discovery import (
    SERVICE_TYPE,
    Announced,
    Announcement,
    DiscoveryOptions,
)

LOOPBACK = ["127.0.0.1"]
HOME = [Interface("eth0", ip_address("192.168.1.5")), Interface("eth0", ip_address("2001:db8::5"))]
ANYWHERE = Announced("", 10300)


class Network:
    """What a browser on loopback sees come and go."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.zeroconf = zeroconf
        self._seen: asyncio.Queue[tuple[str, ServiceStateChange]] = asyncio.Queue()

    def on_change(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        self._seen.put_nowait((name.removesuffix(f".{SERVICE_TYPE}"), state_change))

    async def until(self, name: str, change: ServiceStateChange) -> None:
        async with asyncio.timeout(10):
            while await self._seen.get() != (name, change):
                pass

    async def look(self, name: str) -> AsyncServiceInfo:
        info = AsyncServiceInfo(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}")
        assert await info.async_request(self.zeroconf.zeroconf, 5000)
        return info


@asynccontextmanager
async def browsing() -> AsyncIterator[Network]:
    async with AsyncZeroconf(interfaces=LOOPBACK) as zeroconf:
        network = Network(zeroconf)
        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, [network.on_change])
        yield network
        await browser.async_cancel()


def announcement(
    state: Path,
    name: str = "auto",
    listeners: Sequence[Announced] = (ANYWHERE,),
    local: Sequence[Interface] = HOME,  # looked at anew each time
    recheck: float = 60.0,
) -> Announcement:
    options = DiscoveryOptions(zeroconf=name, state_dir=str(state))
    return Announcement(
        options, listeners, interfaces=LOOPBACK, local=lambda: list(local), recheck=recheck
    )


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


def test_a_browser_finds_name_port_and_addresses_and_sees_the_goodbye(tmp_path: Path) -> None:
    async def test() -> None:
        async with browsing() as network:
            async with announcement(tmp_path) as daemon:
                (name,) = daemon.names
                assert name.startswith("streamwhisper-")
                await network.until(name, ServiceStateChange.Added)
                info = await network.look(name)
                assert info.port == 10300
                assert set(info.parsed_addresses()) == {"192.168.1.5", "2001:db8::5"}
                assert info.server == f"{name}.local."
            await network.until(name, ServiceStateChange.Removed)
            assert daemon.names == ()

    run(test())


def test_the_name_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        async with announcement(tmp_path) as first:
            names = first.names
        async with announcement(tmp_path) as second:
            assert second.names == names

    run(test())


def test_a_clash_renames_and_the_new_name_stays(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            announcement(tmp_path / "a", "Kitchen") as first,
            announcement(tmp_path / "b", "Kitchen") as second,
        ):
            assert first.names == ("Kitchen",)
            assert second.names == ("Kitchen-2",)
        async with announcement(tmp_path / "b", "Kitchen") as again:
            assert again.names == ("Kitchen-2",)

    run(test())


def test_each_listener_has_a_name_of_its_own(tmp_path: Path) -> None:
    listeners = [
        Announced("0.0.0.0", 10300),
        Announced("0.0.0.0", 10301, "bath.room"),
        Announced("192.168.1.5", 10302, "kitchen"),
        Announced("0.0.0.0", 10303, "kitchen"),
    ]

    async def test() -> None:
        async with (
            browsing() as network,
            announcement(tmp_path, "x" * 70, listeners) as daemon,
        ):
            base = "x" * 59
            assert daemon.names == (
                base,
                "x" * 49 + "-bath-room",
                "x" * 51 + "-kitchen",
                "x" * 45 + "-kitchen-10303",
            )
            for name, listener in zip(daemon.names, listeners, strict=True):
                assert (await network.look(name)).port == listener.port

    run(test())


def test_other_addresses_are_announced_anew(tmp_path: Path) -> None:
    local = list(HOME[:1])

    async def test() -> None:
        async with (
            browsing() as network,
            announcement(tmp_path, local=local, recheck=0.05) as daemon,
        ):
            (name,) = daemon.names
            await network.until(name, ServiceStateChange.Added)
            local[0] = Interface("eth0", ip_address("192.168.1.77"))
            await network.until(name, ServiceStateChange.Removed)
            await network.until(name, ServiceStateChange.Added)
            assert (await network.look(name)).parsed_addresses() == ["192.168.1.77"]

    run(test())


def test_a_network_that_comes_up_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    local: list[Interface] = []

    async def test() -> None:
        async with (
            browsing() as network,
            announcement(tmp_path, "Late", local=local, recheck=0.05) as daemon,
        ):
            assert daemon.names == ()
            assert "no network address yet" in caplog.text
            local.extend(HOME)
            await network.until("Late", ServiceStateChange.Added)

    run(test())
    assert caplog.text.count("no network address yet") == 1


def test_failures_are_warnings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> list[Interface]:
        raise OSError("Network is unreachable")

    async def test() -> None:
        options = DiscoveryOptions(state_dir=str(tmp_path))
        async with Announcement(options, [ANYWHERE], local=broken) as daemon:
            assert daemon.names == ()
        nowhere = Announced("no.such.host.invalid", 10300)
        async with announcement(tmp_path, listeners=[nowhere]) as daemon:
            assert daemon.names == ()

    with caplog.at_level(logging.WARNING):
        run(test())
    assert "Network is unreachable" in caplog.text
    assert caplog.text.count("not announced by zeroconf") == 2


# The library leaves its first socket to the garbage collector when it cannot open the second.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interface_that_is_gone_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        options = DiscoveryOptions(state_dir=str(tmp_path))
        async with Announcement(
            options, [ANYWHERE], interfaces=["203.0.113.9"], local=lambda: HOME
        ) as daemon:
            assert daemon.names == ()

    run(test())
    assert "not announced by zeroconf (OSError" in caplog.text


def test_off_does_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with announcement(tmp_path / "state", "off") as daemon:
            assert daemon.names == ()

    run(test())
    assert not (tmp_path / "state").exists()


def test_a_start_that_is_cancelled_leaves_nothing_open(tmp_path: Path) -> None:
    async def test() -> None:
        daemon = announcement(tmp_path)
        # The sockets are open at once, and the name is free only after 0.7 s.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(daemon.start(), 0.3)
        assert daemon._zeroconf is not None
        await daemon.stop()
        assert daemon._zeroconf is None

    run(test())
