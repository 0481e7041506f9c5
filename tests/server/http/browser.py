"""A real Chromium for the web page, spoken to over its own protocol; its microphone is a file."""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.clips import RATE
from tests.server.door import PATIENCE

_FLAGS = (
    "--headless",
    "--no-sandbox",  # which root cannot have
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
_LOOK = """new Promise((resolve, reject) => {
  const begun = performance.now();
  const look = () => {
    const found = (() => %s)();
    if (found) resolve(found);
    else if (performance.now() - begun > %d) reject(new Error(document.body.innerText));
    else setTimeout(look, 20);
  };
  look();
})"""


class Tab:
    """A page that is open."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        """What the page's scripts and the browser's policy complained of."""
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """Ask the browser for something; docs: chromedevtools.github.io/devtools-protocol."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(2 * PATIENCE))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            told = message["params"]
            if message["method"] == "Runtime.exceptionThrown":
                self.complaints.append(told["exceptionDetails"]["exception"]["description"])
            elif message["method"] == "Log.entryAdded" and told["entry"]["level"] == "error":
                self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url')}")

    def js(self, script: str) -> Any:
        """Return what a script, or its promise, comes to."""
        answer = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until a script comes to something true; return that."""
        return self.js(_LOOK % (script, PATIENCE * 1000))

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.until(f"location.href.startsWith({json.dumps(url.split('?')[0])}) && "
                   "document.readyState === 'complete'")  # fmt: skip

    def text(self, selector: str) -> str:
        return str(self.js(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, selector: str) -> None:
        self.js(f"document.querySelector({json.dumps(selector)}).click()")

    def choose_file(self, selector: str, path: Path) -> None:
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def look(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0) -> None:
        """Make the page as large as a screen, which may be a phone's."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=phone)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        """Return what is seen, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


def write(path: Path, pcm: bytes) -> None:
    """Write 16 bit sound at 16 kHz as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(pcm)


@contextlib.contextmanager
def browsing(folder: Path, pcm: bytes = b"") -> Iterator[Tab]:
    """Give an empty page; 16 bit sound at 16 kHz is what its microphone hears, once."""
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if program is None:
        pytest.skip("Chromium is not here")
    sound = folder / "microphone.wav"
    write(sound, pcm or bytes(2 * RATE))
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={home}",
             f"--use-file-for-fake-audio-capture={sound}%noloop", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home}, start_new_session=True,
        )  # fmt: skip
        try:
            with connect(_address(process, Path(home)), max_size=None) as socket:
                yield Tab(socket)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _address(process: subprocess.Popen[bytes], home: Path) -> str:
    """Return where the first page is spoken to, once the browser has written its port down."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, LookupError, ValueError, httpx.HTTPError, StopIteration):
            port = int((home / "DevToolsActivePort").read_text("ascii").split()[0])
            pages = httpx.get(f"http://127.0.0.1:{port}/json").json()
            return str(next(p for p in pages if p["type"] == "page")["webSocketDebuggerUrl"])
        time.sleep(0.02)
    raise RuntimeError("Chromium does not start")
