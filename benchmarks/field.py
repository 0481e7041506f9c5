"""The servers of a comparison: all running, and held still while another one is measured.

Measured in turns, drift of the machine hits all alike; held still, none disturbs another.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from benchmarks import servers
from benchmarks.processes import cpu_s, freeze, thaw
from benchmarks.servers import Running, Server

_LOG = logging.getLogger(__name__)

_LOOK_S = 0.1
_QUIET_S = 0.01
"""CPU in such a look at which a server counts as idle: one tick of the kernel's clock."""
_SETTLE_S = 20.0
"""What it still does then is noise to those that follow, and is logged."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A server that takes part."""

    server: Server
    endpoints: bool = False
    """It finds the end of speech itself."""
    note: str = ""
    """What a reader should know of its settings."""

    @property
    def name(self) -> str:
        """Its name in all tables."""
        return self.server.name


def read_config(file: Path, patterns: Sequence[str] = ("*",)) -> tuple[str, list[Entrant]]:
    """Read what the model is, in words, and the servers from a YAML file.

    Each server has a `name`, the name of a function of `benchmarks.servers` as `kind` and its
    arguments, and may have `endpoints` and `note`; `$NAME` is taken from the environment. Only
    servers whose name matches a pattern are made. Raises KeyError, TypeError or AttributeError for
    what makes no sense.
    """
    content = yaml.safe_load(os.path.expandvars(file.read_text()))
    rows = [
        row
        for row in content["servers"]
        if any(fnmatchcase(row["name"], pattern) for pattern in patterns)
    ]
    return content["model"], [_entrant(row) for row in rows]


def _entrant(row: dict[str, Any]) -> Entrant:
    endpoints, note = row.pop("endpoints", False), row.pop("note", "")
    make, name = getattr(servers, row.pop("kind")), row.pop("name")
    if "model" in row:
        row["model"] = Path(row["model"])
    return Entrant(replace(make(**row), name=name), endpoints, note)


@dataclass(slots=True)
class Field:
    """Running servers by name, in the order of the configuration."""

    running: dict[str, Running] = field(default_factory=dict)
    entrants: list[Entrant] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Why a server did not start."""

    @property
    def pids(self) -> list[int]:
        """Process ids of all."""
        return [one.pid for one in self.running.values()]

    @asynccontextmanager
    async def turn(self, entrant: Entrant) -> AsyncIterator[Running]:
        """Let one server run while it is measured, and until it has no more to do."""
        running = self.running[entrant.name]
        thaw(running.pid)
        try:
            yield running
            if not await quiet(running.pid):
                _LOG.warning("%s still works %g s later", entrant.name, _SETTLE_S)
        finally:
            if len(self.running) > 1:
                freeze(running.pid)


@asynccontextmanager
async def assembled(entrants: Sequence[Entrant]) -> AsyncIterator[Field]:
    """Start all servers, one after the other; who does not start is left out with its reason."""
    made = Field()
    async with AsyncExitStack() as stack:
        for entrant in entrants:
            try:
                running = await stack.enter_async_context(entrant.server.start())
            except (OSError, RuntimeError, SystemExit) as error:
                made.failed[entrant.name] = str(error)
                _LOG.warning("%s did not start: %s", entrant.name, error)
                continue
            made.running[entrant.name] = running
            made.entrants.append(entrant)
            stack.callback(thaw, running.pid)  # What is held still cannot end.
            await quiet(running.pid)
            freeze(running.pid)
        yield made


async def quiet(pid: int) -> bool:
    """Wait until a process tree is idle, at most 20 s; return whether it is."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _SETTLE_S
    before = cpu_s(pid)
    while clock() < deadline:
        await asyncio.sleep(_LOOK_S)
        now = cpu_s(pid)
        if now - before <= _QUIET_S:
            return True
        before = now
    return False
