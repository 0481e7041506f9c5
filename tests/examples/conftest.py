"""One daemon, as a process of its own, for all examples; and the examples as a person runs them."""

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

Run = Callable[..., subprocess.CompletedProcess[str]]
Wav = Callable[[str, bytes], Path]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a daemon that is ready."""
    pytest.importorskip("fastapi")
    free = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as server:
            free.append(server.getsockname()[1])
    wyoming, http = (f"tcp://127.0.0.1:{port}" for port in free)
    folder = tmp_path_factory.mktemp("daemon")
    command = [sys.executable, "-m", "wyoming_streamwhisper", "run", "--uri", wyoming]
    command += ["--http", http, "--zeroconf", "off", "--state-dir", str(folder)]
    with (folder / "log").open("w+b") as log:
        daemon = subprocess.Popen(command, env=environ(), stdout=log, stderr=log)
        try:
            yield ready(daemon, http.replace("tcp", "http"), folder / "log")
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE)


def ready(daemon: subprocess.Popen[bytes], url: str, log: Path) -> str:
    """Wait until it would answer."""
    while daemon.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=PATIENCE).close()
            return url
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        with pytest.raises(subprocess.TimeoutExpired):
            daemon.wait(0.05)
    raise AssertionError(log.read_text())


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
