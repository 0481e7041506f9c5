"""A server on this machine that speaks as much of the hub's HTTP as a download needs."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Repositories by id, each a mapping of file names to contents; what was asked is kept."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.gated: set[str] = set()
        self.failing: int = 0
        """HTTP status of every answer; 0 answers rightly."""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running_hub() -> Iterator[Hub]:
    with Hub() as hub:
        thread = Thread(target=hub.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        parts = path.strip("/").split("/")
        if self.server.failing:
            return self._answer(self.server.failing, b"{}")
        repository = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
        if repository in self.server.gated and parts[0] != "api":
            return self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        files = self.server.repositories.get(repository)
        if files is None:
            return self._answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        if parts[0] == "api":
            listing = _tree(files) if "tree" in parts else _about(repository, files)
            return self._answer(200, json.dumps(listing).encode())
        content = files.get(parts[-1])
        if content is None:
            return self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        self._answer(200, content, {"ETag": f'"{_etag(content)}"', "X-Repo-Commit": SHA})

    do_HEAD = do_GET

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


def _about(repository: str, files: dict[str, bytes]) -> dict[str, object]:
    siblings = [
        {"rfilename": name, "size": len(content), "blobId": _etag(content)}
        for name, content in files.items()
    ]
    return {"id": repository, "modelId": repository, "sha": SHA, "siblings": siblings}


def _tree(files: dict[str, bytes]) -> list[dict[str, object]]:
    return [
        {"type": "file", "path": name, "size": len(content), "oid": _etag(content)}
        for name, content in files.items()
    ]


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
