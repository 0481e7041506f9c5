"""Under what conditions a figure was measured: the machine, and what else it did meanwhile."""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.peers.environments import PACKAGES
from benchmarks.processes import cpu_s, machine_cpu_s

_PACKAGES = (
    "wyoming-streamwhisper",
    "ctranslate2",
    "faster-whisper",
    "onnxruntime",
    "numpy",
    "wyoming",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """What figures depend on that no benchmark chooses."""

    processor: str
    cores: int
    """As many as this process may use."""
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    """Versions of our daemon and of what it runs on."""
    peers: dict[str, str]
    """Versions of the other servers; what they run on, they choose."""

    def __str__(self) -> str:
        """Return one sentence for a report."""
        versions = {"Python": self.python, **self.packages, **self.peers}
        listed = ", ".join(f"{name} {number}" for name, number in versions.items())
        where = f"{self.cores} cores of {self.processor}, {self.memory_gib:.0f} GiB, {self.system}"
        return f"{where}; {listed}"


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: number for name in _PACKAGES if (number := _version(name))},
        peers={one.name: one.version for one in PACKAGES},
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "an unknown processor"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@dataclass(slots=True)
class Work:
    """Who used the processor during a measurement; shares of one core, 1.0 is one core busy."""

    wall_s: float = 0.0
    client: float = 0.0
    """This process, which speaks and measures."""
    servers: float = 0.0
    others: float = 0.0
    """Everything else on the machine; large, the figures are void."""


@contextmanager
def watched(servers: Sequence[int]) -> Iterator[Work]:
    """Note who works meanwhile; the result is there behind the block. `servers` are process ids."""
    work = Work()
    begun = _now(servers)
    try:
        yield work
    finally:
        wall, client, theirs, everybody = (
            late - early for early, late in zip(begun, _now(servers), strict=True)
        )
        work.wall_s = wall
        work.client, work.servers = client / wall, theirs / wall
        work.others = max(0.0, everybody - client - theirs) / wall


def _now(servers: Sequence[int]) -> tuple[float, float, float, float]:
    return time.monotonic(), time.process_time(), sum(map(cpu_s, servers)), machine_cpu_s()
