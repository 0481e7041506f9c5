"""One WebSocket: messages in and out, each in time, and how it ended."""

import asyncio
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from wyoming_streamwhisper.server.http.access import subprotocol
from wyoming_streamwhisper.server.http.problems import Problem

_WRITE_TIMEOUT = 30.0
"""Seconds in which a client may leave what we send unread."""
_DEEPEST = 32
"""Objects and lists within each other."""
_GOODBYE, _NO_CODE = 1000, 1005
"""What a client says that does not mean to come back, and one that says nothing. A page that is
closed or loaded anew says 1001."""

TRY_LATER = 1013
POLICY = 1008
TOO_BIG = 1009
TAKEN_OVER = 4001
"""Codes of ours for the end of a connection."""


class Socket:
    """The other end of one connection."""

    def __init__(self, websocket: WebSocket, idle_timeout: float) -> None:
        """Speak over a connection that is not accepted yet; the time is in seconds."""
        self._websocket = websocket
        self._idle_timeout = idle_timeout
        self.left = False
        """Whether the client said goodbye."""

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        return dict(self._websocket.query_params)

    async def accept(self) -> None:
        """Open the connection."""
        await self._websocket.accept(subprotocol=subprotocol(self._websocket.scope))

    async def receive(self) -> str | bytes | None:
        """Return the next message, or None where the client is gone.

        Raises:
            TimeoutError: none came for long.

        """
        async with asyncio.timeout(self._idle_timeout):
            message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            # Uvicorn says 1005 of a connection that broke, too, but then it knows no reason.
            code, closed = message.get("code"), "reason" in message
            self.left = code == _GOODBYE or (code == _NO_CODE and closed)
            return None
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def send(self, body: dict[str, Any]) -> None:
        """Send a JSON message; waits while the client is slow.

        Raises:
            ConnectionError: it is gone, or has read nothing for so long that it is cut off.

        """
        try:
            async with asyncio.timeout(_WRITE_TIMEOUT):
                await self._websocket.send_text(json.dumps(body, ensure_ascii=False))
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError) as error:
            raise ConnectionError("the client is gone or does not read") from error

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, unless it is closed."""
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            async with asyncio.timeout(1.0):
                await self._websocket.close(code, reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            return


def read_object(text: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Problem: it is none.

    """
    try:
        value = json.loads(text, parse_constant=_reject)
        text.encode()
    except (ValueError, RecursionError):
        raise Problem(400, "bad-json", "a message is no JSON") from None
    if not isinstance(value, dict):
        raise Problem(400, "bad-json", "a message is no JSON object")
    if text.count("{") + text.count("[") > 10 * _DEEPEST:
        raise Problem(400, "bad-json", "a message has too many objects and lists")
    return value


def _reject(constant: str) -> None:
    raise ValueError(constant)
