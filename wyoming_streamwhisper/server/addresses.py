"""Finds the addresses under which others really reach a listener.

The library announces one guess, or `0.0.0.0`, which Home Assistant drops. Pure but for
`local_addresses` and `resolve_host`, which ask the system.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import ifaddr

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_INSIDE = ("docker", "br-", "veth", "virbr", "podman", "cni", "lxc", "lxd")
"""Interfaces of containers: their addresses are real, but mean something only on this machine.
Home Assistant keeps the first address that it sees for ever, so a wrong one is worse than none."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of this machine and the interface that has it."""

    name: str
    address: Address


def local_addresses() -> list[Interface]:
    """List all addresses of this machine; raises OSError."""
    return [
        Interface(adapter.name, ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0]))
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


async def resolve_host(host: str) -> list[Address]:
    """Give the addresses that a listener's host stands for; raises OSError if none."""
    try:
        return [ipaddress.ip_address(host.strip("[]").partition("%")[0])]
    except ValueError:
        pass
    if not host:  # asyncio listens on both families then
        return [ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::")]
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


def reachable(bound: Sequence[Address], local: Sequence[Interface]) -> tuple[Address, ...]:
    """Choose what to announce of a listener that is bound to these addresses.

    `0.0.0.0` means all IPv4 addresses and `::` all IPv6 ones, for so asyncio binds them. Link-local
    addresses are left out because Home Assistant ignores them; loopback and containers' bridges
    are too, unless there is nothing else.
    """
    anywhere = {address.version for address in bound if address.is_unspecified}
    usable = [i for i in local if i.address.version in anywhere and not i.address.is_link_local]
    outside = [i for i in usable if not i.address.is_loopback]
    chosen = [i for i in outside if not i.name.startswith(_INSIDE)] or outside or usable
    # What was bound by its address is meant, loopback too.
    named = [a for a in bound if not a.is_unspecified and not a.is_link_local]
    return tuple(dict.fromkeys([*named, *(i.address for i in chosen)]))


def speaking(local: Sequence[Interface]) -> list[str]:
    """Choose the interfaces to speak zeroconf on, by address; loopback only where all else fails.

    Loopback has no multicast route on many machines, and nobody listens there.
    """
    outside = [i.address for i in local if not i.address.is_loopback]
    # A link-local IPv6 address needs its interface's number; its neighbours do not.
    plain = [str(a) for a in outside if a.version == 4 or not a.is_link_local]
    return plain or ["127.0.0.1"]
