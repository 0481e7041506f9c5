"""What a report says of the machine."""

import os
import subprocess
import sys
import time

from benchmarks.conditions import machine, watched


def test_the_machine_is_told_in_a_sentence() -> None:
    sentence = str(machine())
    assert f"{len(os.sched_getaffinity(0))} cores of " in sentence
    assert "ctranslate2 " in sentence
    assert "wyoming-faster-whisper " in sentence


def test_the_work_of_client_and_servers_is_told_apart() -> None:
    """A server burns CPU while this process first does the same and then sleeps."""
    server = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with watched([server.pid]) as work:
            begun = time.process_time()
            while time.process_time() < begun + 0.1:
                pass
            time.sleep(0.2)
    finally:
        server.kill()
        server.wait()
    assert work.wall_s >= 0.3
    assert work.client * work.wall_s >= 0.1
    assert work.servers > 0
    assert work.others >= 0
