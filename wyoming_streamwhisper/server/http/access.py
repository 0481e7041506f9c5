"""Who may come in: bearer tokens, and which web pages may speak through a browser.

It stands before everything else, so that nothing of a stranger's body is read. A browser sends
requests for any page to any host, this machine included, and asks nobody before it opens a
WebSocket; therefore pages of other origins are refused unless the configuration names them.

A page can pass for one of ours where its own host's name is made to lead here (DNS rebinding). Then
only the name gives it away, so without tokens only names are answered that nobody outside can own.
"""

import hashlib
import hmac
import ipaddress
import logging
import socket
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.problems import Problem

_LOG = logging.getLogger(__name__)
_OPEN = ("/healthz", "/readyz", "/docs", "/openapi.json", "/static")
"""What may be asked without a token, with what is below it: it tells nothing about anybody."""
_SUBPROTOCOL = "openai-insecure-api-key."
"""How pages in a browser, which cannot set headers there, hand OpenAI's WebSocket their token."""
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
_PRIVATE = (".localhost", ".local", ".internal", ".home.arpa", ".lan")
"""Ends of names that the internet's name servers give to nobody (RFC 6761, 6762, 8375, ICANN)."""


class Access:
    """An ASGI application in front of another one."""

    def __init__(self, app: ASGIApp, options: HttpOptions, sockets: Collection[str]) -> None:
        """Stand before `app`, whose WebSockets are at the paths `sockets`."""
        self._app = app
        self._sockets = sockets
        self._tokens = [_digest(token.encode()) for token in options.http_tokens]
        self._origins = options.http_origins
        self._hosts = frozenset(name.lower() for name in (*options.http_hosts, _own_name()))
        # A page that passes for ours has no token, no certificate, and comes over no unix socket.
        guarded = options.http_tokens or options.http_certificate or "unix:" in options.uri
        self._any_host = bool(guarded) or "*" in options.http_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer it."""
        if scope["type"] in ("http", "websocket"):
            problem = self._problem(scope)
            if problem is not None:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host")):
            text = "this name is not known here; the option http_hosts makes it known"
            return Problem(403, "forbidden-host", text)
        preflight = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if not preflight and not self._is_known(scope, headers):
            return Problem(401, "unauthorized", "a bearer token of this server is needed")
        reading = scope["type"] == "http" and scope["method"] in _READING
        if not reading and not self._is_allowed(headers):
            return Problem(403, "forbidden-origin", "pages of this origin may not use the server")
        if scope["type"] == "websocket" and scope["path"] not in self._sockets:
            return Problem(404, "not-found", "there is no WebSocket here")
        return None

    def _is_ours(self, host: str | None) -> bool:
        """Whether a name by which we are asked is one of ours; browsers always tell it."""
        if self._any_host or host is None:
            return True
        name = _name(host)
        if "." not in name or name.endswith(_PRIVATE) or _is_address(name) or name in self._hosts:
            return True
        _LOG.warning("refused a request for the host %.100r: see http_hosts", name)
        return False

    def _is_known(self, scope: Scope, headers: Headers) -> bool:
        if not self._tokens or _is_open(scope["path"]):
            return True
        shown = _digest(_token(headers, scope.get("subprotocols", ())))
        # All are compared, and in constant time, so that time tells nothing about any of them.
        return sum(hmac.compare_digest(shown, token) for token in self._tokens) > 0

    def _is_allowed(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or "*" in self._origins or origin in self._origins:
            return True
        return urlsplit(origin).netloc == headers.get("host")


def _own_name() -> str:
    return socket.gethostname()


def _name(host: str) -> str:
    """Return the name in a `Host`, without its port."""
    bare = host if host.endswith("]") else host.rpartition(":")[0] or host
    return bare.rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_open(path: str) -> bool:
    return path == "/" or any(path == known or path.startswith(known + "/") for known in _OPEN)


def _token(headers: Headers, subprotocols: Sequence[str]) -> bytes:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode("latin-1")  # the bytes as they came
    shown = [name for name in subprotocols if name.startswith(_SUBPROTOCOL)]
    return shown[0].removeprefix(_SUBPROTOCOL).encode() if shown else b""


def _digest(token: bytes) -> bytes:
    """Make tokens of one length: comparing those of different lengths would tell the length."""
    return hashlib.sha256(token).digest()


def subprotocol(scope: Any) -> str | None:
    """Choose what a WebSocket is to be called: the first name that carries no token."""
    names = [name for name in scope.get("subprotocols", ()) if not name.startswith(_SUBPROTOCOL)]
    return names[0] if names else None
