"""What a server and all its children cost, read from Linux's /proc; and holding them still."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_MIB_KIB = 1024
_GONE = (FileNotFoundError, ProcessLookupError)
"""A process may end between being listed and being read."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of some processes in MiB."""

    resident: float
    proportional: float
    """Pages that several processes share count in part for each: PSS."""


def tree(pid: int) -> list[int]:
    """Return a process and all its living descendants; the parent first."""
    found = [pid]
    for one in found:  # grows while it is walked
        with suppress(*_GONE):
            for task in Path(f"/proc/{one}/task").iterdir():
                with suppress(*_GONE):
                    found += map(int, (task / "children").read_text().split())
    return found


def cpu_s(pid: int) -> float:
    """Return seconds of CPU that a process tree has used, user and system, ended children too."""
    return sum(_cpu_s(one) for one in tree(pid))


def _cpu_s(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except _GONE:
        return 0.0
    # The name, field 2, may hold spaces and brackets; utime, stime, cutime, cstime are 14 to 17.
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * _TICK_S


def machine_cpu_s() -> float:
    """Return seconds of CPU that all processes together have used since the machine started."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split(None, 9)[1:9]
    )
    return (user + nice + system + irq + softirq + steal) * _TICK_S


def memory(pid: int) -> Memory:
    """Return the memory of a process tree."""
    sums = {"Rss": 0, "Pss": 0}
    for one in tree(pid):
        with suppress(*_GONE):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name in sums:
                    sums[name] += int(rest.split()[0])
    return Memory(sums["Rss"] / _MIB_KIB, sums["Pss"] / _MIB_KIB)


def freeze(pid: int) -> None:
    """Hold a process tree still, so that it takes nothing from one that is measured."""
    _signal(tree(pid), signal.SIGSTOP)


def thaw(pid: int) -> None:
    """Let a process tree go on."""
    _signal(tree(pid), signal.SIGCONT)


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
