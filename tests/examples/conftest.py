"""One daemon, as a process of its own, for all examples; and the examples as a person runs them."""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clips import RATE

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60
PORTS = 3
"""Ports that are tried: between our choice and the daemon's, somebody else may take one."""

Run = Callable[..., subprocess.CompletedProcess[str]]
Wav = Callable[[str, bytes], Path]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a daemon that is ready."""
    pytest.importorskip("fastapi")
    folder = tmp_path_factory.mktemp("daemon")
    with (folder / "log").open("w+b") as log:
        for _ in range(PORTS):
            with socket.create_server(("127.0.0.1", 0)) as free:
                address = f"127.0.0.1:{free.getsockname()[1]}"
            command = [sys.executable, "-m", "wyoming_streamwhisper", "run"]
            command += ["--uri", "tcp://127.0.0.1:0", "--http", f"tcp://{address}"]
            command += ["--zeroconf", "off", "--state-dir", str(folder)]
            daemon = subprocess.Popen(command, env=environ(), stdout=log, stderr=log)
            try:
                if ready(daemon, f"http://{address}"):
                    yield f"http://{address}"
                    return
            finally:
                daemon.terminate()
                daemon.wait(PATIENCE)
    raise AssertionError((folder / "log").read_text())


def ready(daemon: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until it would answer; return False where it ended."""
    while daemon.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=PATIENCE).close()
            return True
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(0.05)
    return False


def environ(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture
def example(url: str) -> Run:
    """Run a program of the folder with arguments; more of the environment by name."""

    def run(name: str, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        address = url.replace("http", "ws")
        return subprocess.run(
            [sys.executable, ROOT / "examples" / name, "--url", address, *map(str, arguments)],
            env=environ(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def wav(tmp_path: Path) -> Wav:
    """Write sound, 16 bit, as a WAV file."""

    def write(name: str, pcm: bytes) -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(pcm)
        return path

    return write
