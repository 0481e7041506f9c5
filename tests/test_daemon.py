"""The daemon as a process: what systemd, its signals and its exit status see of it."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info

from wyoming_streamwhisper.engine import clip

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "wyoming_streamwhisper" / "demo_model"
PATIENCE = 60

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def uri() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def start(uri: str, tmp_path: Path) -> Iterator[Start]:
    """Start daemons, and end those that are left."""
    daemons: list[subprocess.Popen[str]] = []

    def begin(*argv: str, **environ: str) -> subprocess.Popen[str]:
        base = ["--uri", uri, "--zeroconf", "off", "--state-dir", str(tmp_path / "state")]
        daemon = subprocess.Popen(
            [sys.executable, "-m", "wyoming_streamwhisper", "run", *base, *argv],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            stderr=subprocess.PIPE,
            text=True,
        )
        daemons.append(daemon)
        return daemon

    yield begin
    for daemon in daemons:
        daemon.kill()
        daemon.communicate()


def ended(daemon: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; return status and log."""
    log = daemon.communicate(timeout=PATIENCE)[1]
    return daemon.returncode, log


def until(daemon: subprocess.Popen[str], words: str) -> None:
    """Wait for a line of the log."""
    assert daemon.stderr is not None
    assert any(words in line for line in daemon.stderr), f"no {words!r} in the log"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen where systemd would."""
    pytest.importorskip("systemd.daemon")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(PATIENCE)
        yield listener


def heard(systemd: socket.socket) -> str:
    return systemd.recv(4096).decode().splitlines()[0]


def test_systemd_hears_ready_when_words_are_taken_and_stopping_at_the_end(
    start: Start, uri: str, systemd: socket.socket
) -> None:
    # Announced, since nobody waits for that.
    daemon = start("--zeroconf", "auto", NOTIFY_SOCKET=systemd.getsockname())
    assert heard(systemd) == "STATUS=Loading the model"
    assert heard(systemd) == "READY=1"
    daemon.send_signal(signal.SIGTERM)
    assert heard(systemd) == "STOPPING=1"
    status, log = ended(daemon)
    assert (status, log.splitlines()[-1].endswith("stopped")) == (0, True), log


def test_told_to_stop_while_the_model_loads_it_stops(start: Start, systemd: socket.socket) -> None:
    daemon = start(NOTIFY_SOCKET=systemd.getsockname())
    assert heard(systemd) == "STATUS=Loading the model"
    daemon.send_signal(signal.SIGTERM)
    assert heard(systemd) == "STOPPING=1"
    assert ended(daemon)[0] == 0


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_whoever_speaks_at_the_end_is_answered(
    start: Start, uri: str, told: signal.Signals
) -> None:
    daemon = start()
    until(daemon, "is ready")

    async def speak() -> str:
        form = {"rate": clip.FORMAT.rate, "width": 2, "channels": 1}
        sound = clip.PATH.read_bytes()
        async with asyncio.timeout(PATIENCE), AsyncClient.from_uri(uri) as client:
            await client.write_event(Transcribe(language="en").event())
            await client.write_event(AudioStart(**form).event())
            await client.write_event(AudioChunk(**form, audio=sound[:32000]).event())
            # Answered behind the audio, so that we know that it was heard.
            await client.write_event(Describe().event())
            while (event := await client.read_event()) and not Info.is_type(event.type):
                pass
            daemon.send_signal(told)
            await client.write_event(AudioChunk(**form, audio=sound[32000:]).event())
            await client.write_event(AudioStop().event())
            while event := await client.read_event():
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text
        return "closed without an answer"

    assert asyncio.run(speak()) == "Play jazz in the dining room."
    assert ended(daemon)[0] == 0


def test_whoever_speaks_over_a_websocket_at_the_end_is_answered_too(
    start: Start, uri: str, tmp_path: Path
) -> None:
    websockets = pytest.importorskip("websockets")
    pytest.importorskip("fastapi")
    daemon = start("--http", f"unix://{tmp_path / 'web'}")
    until(daemon, "is ready")

    async def speak() -> tuple[str, int]:
        sound = clip.PATH.read_bytes()
        async with (
            asyncio.timeout(PATIENCE),
            websockets.unix_connect(str(tmp_path / "web"), "ws://here/stream") as socket,
        ):
            await socket.send(json.dumps({"language": "en"}))
            await socket.send(sound[:32000])
            await socket.recv()
            while json.loads(await socket.recv())["type"] != "speech":
                pass
            daemon.send_signal(signal.SIGTERM)
            await socket.send(sound[32000:])
            await socket.send('{"type": "stop"}')
            while (message := json.loads(await socket.recv()))["type"] != "final":
                pass
            with contextlib.suppress(websockets.ConnectionClosed):
                await socket.recv()
            return message["text"], socket.close_code

    assert asyncio.run(speak()) == ("Play jazz in the dining room.", 1012)
    assert ended(daemon)[0] == 0
    assert not (tmp_path / "web").exists()


def test_an_upload_for_which_there_is_no_room_is_told_so(start: Start, tmp_path: Path) -> None:
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("fastapi")
    daemon = start("--http", f"unix://{tmp_path / 'web'}")
    until(daemon, "is ready")
    # For who writes, a file that may not grow is like a disk that is full.
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (32_000, limits[1]))
    transport = httpx.HTTPTransport(uds=str(tmp_path / "web"))
    sent = {"url": "http://localhost/transcribe", "files": {"file": clip.PATH.read_bytes()}}
    with httpx.Client(transport=transport, timeout=PATIENCE) as client:
        refused = client.post(**sent)
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "no-space")
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, limits)
        assert client.post(**sent).status_code == 200
    daemon.send_signal(signal.SIGTERM)
    status, log = ended(daemon)
    assert status == 0
    assert "an upload could not be kept: File too large" in log
    assert "Traceback" not in log


def test_without_its_libraries_http_is_one_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ImportError('not here')")
    path = f"{tmp_path}:{ROOT}"
    status, log = ended(start("--http", PYTHONPATH=path))
    assert status == 78
    assert "pip install 'wyoming-streamwhisper[http]'" in log.splitlines()[-1]


def test_where_another_listens_it_says_what_to_do(start: Start) -> None:
    until(start(), "listening")
    status, log = ended(start())
    assert status == 69
    assert "address already in use; choose another address with --uri" in log


def test_a_model_that_cannot_be_used_is_one_sentence_and_no_reason_to_try_again(
    start: Start, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    for file in DEMO.glob("*.json"):
        (cut / file.name).write_bytes(file.read_bytes())
    (cut / "model.bin").write_bytes((DEMO / "model.bin").read_bytes()[:100_000])
    for model, why in {
        "no-such-model": "There is no model 'no-such-model'",
        str(tmp_path): "config.json is missing",
        str(cut): "model.bin is cut off",
    }.items():
        status, log = ended(start("--model", model))
        assert status == 78
        assert why in log.splitlines()[-1]
        assert "Traceback" not in log
