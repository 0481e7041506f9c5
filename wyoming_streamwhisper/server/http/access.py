"""Who may come in: bearer tokens, and which web pages may speak through a browser.

It stands before everything else, so that nothing of a stranger's body is read. A browser sends
requests for any page to any host, this machine included, and asks nobody before it opens a
WebSocket; therefore pages of other origins are refused unless the configuration names them.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.problems import Problem

_OPEN = ("/healthz", "/readyz", "/docs", "/openapi.json", "/static")
"""What may be asked without a token, with what is below it: it tells nothing about anybody."""
_SUBPROTOCOL = "openai-insecure-api-key."
"""How pages in a browser, which cannot set headers there, hand OpenAI's WebSocket their token."""
_READING = frozenset(("GET", "HEAD", "OPTIONS"))


class Access:
    """An ASGI application in front of another one."""

    def __init__(self, app: ASGIApp, options: HttpOptions) -> None:
        self._app = app
        self._tokens = [_digest(token.encode()) for token in options.http_tokens]
        self._origins = options.http_origins

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
        preflight = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if not preflight and not self._is_known(scope, headers):
            return Problem(401, "unauthorized", "a bearer token of this server is needed")
        reading = scope["type"] == "http" and scope["method"] in _READING
        if not reading and not self._is_allowed(headers):
            return Problem(403, "forbidden-origin", "pages of this origin may not use the server")
        return None

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
