"""Announces the daemon by zeroconf so that Home Assistant finds it.

Replaces the library's helper, which announces one guessed IPv4 address, fails the start where the
network is not there yet, shares its name with others and never says goodbye. A convenience must not
cost the service: whatever fails here is a warning.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from zeroconf import DNSQuestionType, NonUniqueNameException
from zeroconf import Error as ZeroconfError
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from wyoming_streamwhisper.option import option
from wyoming_streamwhisper.server.addresses import (
    Address,
    Interface,
    local_addresses,
    reachable,
    resolve_host,
    speaking,
)
from wyoming_streamwhisper.server.identity import Identity, clean_name, host_name, state_folder

_log = logging.getLogger(__name__)

SERVICE_TYPE = "_wyoming._tcp.local."

_RECHECK = 60.0
"""Seconds between looks at the addresses: the network often comes up after the daemon."""
_ASK = 2000
"""Milliseconds in which an owner of a name must answer. RFC 6762 probes for 750 (§8.1), but who has
just announced itself says nothing again within a second (§6), and then gathers answers a while."""
_GOODBYE = 3.0
"""Seconds that a stop waits for the goodbyes."""
_MOST_CLASHES = 20
"""Names tried before giving up; so many daemons in one network are something else."""


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """How the daemon is announced."""

    zeroconf: str = option(
        "auto",
        "Announce the daemon under this name; `auto` makes a lasting one, `off` does not announce.",
    )
    state_dir: str = option(
        "",
        "Folder for what must survive a restart; empty takes systemd's state directory or "
        "`~/.local/state/wyoming-streamwhisper`.",
    )


@dataclass(frozen=True, slots=True)
class Announced:
    """One TCP listener; Unix ones are nobody's to discover."""

    host: str
    """As it was bound: an address, a name, `0.0.0.0`, `::`, or empty for all."""
    port: int
    label: str = ""
    """What tells it from the other listeners: its satellite or profile; may be empty."""


@dataclass(frozen=True, slots=True)
class _Service:
    """What is to be announced of one listener; `wanted` is its name before any clash."""

    wanted: str
    port: int
    addresses: tuple[Address, ...]


class Announcement:
    """The daemon's presence in the network, from `start` to `stop`; neither raises.

    Start it when the listeners answer `describe`, since Home Assistant asks at once. Addresses
    that change are announced anew.
    """

    def __init__(
        self,
        options: DiscoveryOptions,
        listeners: Sequence[Announced],
        *,
        interfaces: Sequence[str] = (),
        local: Callable[[], list[Interface]] = local_addresses,
        recheck: float = _RECHECK,
    ) -> None:
        """Prepare; `interfaces` are the addresses to speak on instead of all that `local` lists."""
        self._options, self._listeners = options, listeners
        self._interfaces, self._local, self._recheck = interfaces, local, recheck
        self._identity: Identity | None = None
        self._zeroconf: AsyncZeroconf | None = None
        self._told: list[_Service] = []
        """What the network knows of us; empty after a failure."""
        self._complaint = ""
        """Why we are not announced, as far as it was said."""
        self._watcher: asyncio.Task[None] | None = None
        self.names: tuple[str, ...] = ()
        """Instance names in force, one for each listener that is announced."""

    async def __aenter__(self) -> "Announcement":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Announce all listeners; takes about three seconds, which nobody needs to wait for."""
        if self._options.zeroconf == "off" or not self._listeners:
            return
        self._identity = Identity(state_folder(self._options.state_dir))
        await self._guarded(self._renew())
        # Begins afterwards, so that there is never more than one renewal at a time.
        self._watcher = asyncio.create_task(self._watch(), name="discovery")

    async def stop(self) -> None:
        """Say goodbye and leave the network."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        await self._guarded(self._withdraw())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._recheck)
            await self._guarded(self._renew())

    async def _guarded(self, step: Awaitable[None]) -> None:
        """Take a step that may fail."""
        try:
            await step
        except Exception as error:  # noqa: BLE001 - sockets, names, zeroconf's own: all harmless
            self._told = []
            self._complain(f"{type(error).__name__}: {error}")

    def _complain(self, reason: str) -> None:
        """Warn, but not every minute of the same."""
        if reason != self._complaint:
            _log.warning(
                "The daemon is not announced by zeroconf (%s); its address works all the same",
                reason,
            )
        self._complaint = reason

    async def _renew(self) -> None:
        """Announce what is to be announced, unless the network knows just that."""
        services = [s for s in await self._services() if s.addresses]
        if not services:
            self._complain("no network address yet")
        if services == self._told:
            return
        # All anew, since interfaces may have come or gone along with their addresses.
        await self._withdraw()
        if services:
            await self._tell(services)

    async def _tell(self, services: list[_Service]) -> None:
        self._zeroconf = zeroconf = _open(self._interfaces or speaking(self._local()))
        # All at once, since each waits so long for owners of its name to speak up.
        done = await asyncio.gather(
            *(self._register(zeroconf, service) for service in services), return_exceptions=True
        )
        for failure in (name for name in done if isinstance(name, BaseException)):
            raise failure
        self.names = tuple(name for name in done if isinstance(name, str))
        self._told, self._complaint = services, ""

    async def _withdraw(self) -> None:
        self._told, self.names = [], ()
        if self._zeroconf is not None:
            try:
                await asyncio.wait_for(self._zeroconf.async_close(), _GOODBYE)
            except (OSError, ZeroconfError) as error:  # a TimeoutError is an OSError
                _log.debug("No goodbye to the network: %s", error)
            self._zeroconf = None

    async def _services(self) -> list[_Service]:
        local = self._local()
        return [
            _Service(name, one.port, reachable(await resolve_host(one.host), local))
            for name, one in zip(self._wanted_names(), self._listeners, strict=True)
        ]

    def _wanted_names(self) -> list[str]:
        """Name each listener: the daemon's name, and its label where there are several."""
        assert self._identity is not None
        chosen = "" if self._options.zeroconf == "auto" else clean_name(self._options.zeroconf)
        base, names = chosen or self._identity.own, list[str]()
        for one in self._listeners:
            # A single listener keeps the plain name, whatever its profile is called.
            label = one.label if len(self._listeners) > 1 else ""
            if (name := _joined(base, label)) in names:
                name = _joined(base, f"{clean_name(label, 14)}-{one.port}".strip("-"))
            names.append(name)
        return names

    async def _register(self, zeroconf: AsyncZeroconf, service: _Service) -> str:
        """Announce one service under the first name that is free; return the name."""
        assert self._identity is not None
        name = self._identity.current(service.wanted)
        for _ in range(_MOST_CLASHES):
            try:
                await _announce(zeroconf, name, service)
            except NonUniqueNameException:
                taken, name = name, self._identity.rename(service.wanted)
                _log.warning("The name %r is taken in this network; trying %r", taken, name)
                continue
            where = ", ".join(map(str, service.addresses))
            _log.info("Announced as %r at %s port %d", name, where, service.port)
            return name
        raise NonUniqueNameException(f"all names like {service.wanted!r} are taken")


def _joined(base: str, label: str) -> str:
    label = clean_name(label, 20)
    longest = 59 - len(f"-{label}".encode())
    return f"{clean_name(base, longest)}-{label}" if label else base


def _open(interfaces: Sequence[str]) -> AsyncZeroconf:
    """Open the sockets; raises OSError."""
    logging.getLogger("zeroconf").addFilter(_without_traceback)
    return AsyncZeroconf(interfaces=list(interfaces))


def _without_traceback(record: logging.LogRecord) -> bool:
    """Leave one line of what the library says of a packet that could not be sent."""
    record.exc_info = None
    return True


async def _announce(zeroconf: AsyncZeroconf, name: str, service: _Service) -> None:
    """Announce a service; raises NonUniqueNameException if the name is taken."""
    instance = f"{name}.{SERVICE_TYPE}"
    # The library's own probe asks for an answer to one socket only, and on a machine with two
    # daemons it may be the other's. What is asked openly is heard by all.
    owner = AsyncServiceInfo(SERVICE_TYPE, instance)
    if await owner.async_request(zeroconf.zeroconf, _ASK, DNSQuestionType.QM):
        raise NonUniqueNameException(name)
    info = AsyncServiceInfo(
        SERVICE_TYPE,
        instance,
        port=service.port,
        addresses=[address.packed for address in service.addresses],
        server=f"{host_name(name)}.local.",
    )
    await (await zeroconf.async_register_service(info))
