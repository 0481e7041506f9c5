"""What processes cost, on processes that are started for it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.processes import cpu_s, freeze, machine_cpu_s, memory, thaw, tree

# A child that burns CPU below a parent that waits for it.
BURN = "while True: pass"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"


@pytest.fixture
def parent() -> Iterator[int]:
    """Start a process with one child."""
    process = subprocess.Popen([sys.executable, "-c", PARENT])
    try:
        # Until the child is a program of its own its parent waits for it and cannot be held still.
        until(lambda: any(program(one) == BURN for one in tree(process.pid)[1:]))
        yield process.pid
    finally:
        for pid in reversed(tree(process.pid)):
            subprocess.run(["kill", "-KILL", str(pid)], check=False)
        process.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def program(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[-2]


def test_the_work_of_children_counts(parent: int) -> None:
    before, everybody = cpu_s(parent), machine_cpu_s()
    until(lambda: cpu_s(parent) >= before + 0.1)
    assert machine_cpu_s() >= everybody + 0.05


def test_two_processes_share_their_pages(parent: int) -> None:
    """Both run the same interpreter, so what is proportional is less than what is resident."""
    found = memory(parent)
    assert 0 < found.proportional < found.resident


def test_what_is_held_still_works_no_more(parent: int) -> None:
    freeze(parent)
    until(lambda: states(parent) == {"T"})
    held = cpu_s(parent)
    time.sleep(0.05)  # Long enough for five ticks of work, if it could work.
    assert cpu_s(parent) == held
    thaw(parent)
    until(lambda: cpu_s(parent) > held)


def states(pid: int) -> set[str]:
    stats = [Path(f"/proc/{one}/stat").read_text() for one in tree(pid)]
    return {stat.rpartition(")")[2].split()[0] for stat in stats}


def test_a_process_that_is_gone_costs_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert cpu_s(process.pid) == 0.0
    assert memory(process.pid).resident == 0.0
    freeze(process.pid)
