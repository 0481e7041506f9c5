"""What is announced of a listener is what reaches it from outside."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from wyoming_streamwhisper.server.addresses import (
    Interface,
    local_addresses,
    reachable,
    resolve_host,
    speaking,
)

LOOPBACK = [Interface("lo", ip_address("127.0.0.1")), Interface("lo", ip_address("::1"))]
BRIDGE = [Interface("docker0", ip_address("172.17.0.1"))]
HOME = [
    Interface("eth0", ip_address("192.168.1.5")),
    Interface("eth0", ip_address("2001:db8::5")),
    Interface("eth0", ip_address("fe80::5")),
    Interface("wlan0", ip_address("192.168.2.5")),
    Interface("wlan0", ip_address("169.254.7.7")),
]


def announced(host: str, local: list[Interface]) -> list[str]:
    return [str(a) for a in reachable(asyncio.run(resolve_host(host)), local)]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", ["192.168.1.5", "192.168.2.5"]),
        ("::", ["2001:db8::5"]),
        ("[::]", ["2001:db8::5"]),
        ("", ["192.168.1.5", "2001:db8::5", "192.168.2.5"]),
        ("192.168.1.5", ["192.168.1.5"]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("fe80::5%eth0", []),
    ],
)
def test_each_kind_of_host(host: str, expected: list[str]) -> None:
    assert announced(host, [*LOOPBACK, *BRIDGE, *HOME]) == expected


def test_bridges_and_loopback_are_better_than_nothing() -> None:
    assert announced("0.0.0.0", [*LOOPBACK, *BRIDGE]) == ["172.17.0.1"]
    assert announced("0.0.0.0", LOOPBACK) == ["127.0.0.1"]
    assert announced("0.0.0.0", []) == []


def test_loopback_speaks_only_where_there_is_nothing_else() -> None:
    assert speaking([*LOOPBACK, *HOME[:3]]) == ["192.168.1.5", "2001:db8::5"]
    assert speaking(LOOPBACK) == speaking([]) == ["127.0.0.1"]


def test_a_name_is_resolved() -> None:
    assert "127.0.0.1" in announced("localhost", [])


def test_a_name_of_nobody_is_an_error() -> None:
    with pytest.raises(socket.gaierror):
        asyncio.run(resolve_host("no.such.host.invalid"))


def test_this_machine_has_a_loopback() -> None:
    assert LOOPBACK[0] in local_addresses()
