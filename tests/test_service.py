"""Under systemd we say how we are; elsewhere, and without the extra, nothing breaks."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wyoming_streamwhisper.service import Service, service


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listen where systemd would."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield listener


def heard(systemd: socket.socket) -> list[str]:
    return systemd.recv(4096).decode().splitlines()


def test_systemd_hears_each_step_of_a_life(systemd: socket.socket) -> None:
    pytest.importorskip("systemd.daemon")
    unit = service()
    unit.status("Loading the model")
    assert heard(systemd) == ["STATUS=Loading the model"]
    unit.ready("Listening on tcp://0.0.0.0:10300")
    assert heard(systemd) == ["READY=1", "STATUS=Listening on tcp://0.0.0.0:10300"]
    unit.reloading()
    reloading, since = heard(systemd)
    assert reloading == "RELOADING=1"
    assert int(since.removeprefix("MONOTONIC_USEC=")) > 0
    unit.stopping()
    assert heard(systemd)[0] == "STOPPING=1"


def test_a_status_stays_one_line() -> None:
    said: list[str] = []
    Service(said.append).status("a\nREADY=1")
    assert said == ["STATUS=a READY=1"]


def test_without_systemd_nothing_is_said() -> None:
    service({}).ready("here")


def test_without_the_extra_one_message_names_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "systemd", None)
    service({"NOTIFY_SOCKET": "/nowhere"}).ready("here")
    (record,) = caplog.records
    assert "wyoming-streamwhisper[systemd]" in record.message
