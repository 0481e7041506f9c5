"""Lets WebSockets in: who is refused, who is one too many, and what a first mistake is answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from fastapi import WebSocket

from wyoming_streamwhisper.server.http.conversation import Conversation, Conversations
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.problems import Problem
from wyoming_streamwhisper.server.http.socket import POLICY, Socket
from wyoming_streamwhisper.session.session import Session

_LOG = logging.getLogger(__name__)

Begin = Callable[[Socket], Awaitable[tuple[Conversation, int]]]
"""Finds or makes the conversation of a connection, and the number of what its client has read."""


class Door:
    """What all WebSockets share."""

    def __init__(self, session: Session, options: HttpOptions, idle_timeout: float) -> None:
        """Prepare; the time is in seconds."""
        self.session = session
        self.conversations = Conversations(options.http_max_clients, options.http_resume)
        self._idle_timeout = idle_timeout
        self._opening = 0
        """Connections that have no conversation yet."""
        self._most = options.http_max_clients

    async def serve(self, websocket: WebSocket, begin: Begin) -> None:
        """Serve a connection from its first byte to its last."""
        socket = Socket(websocket, self._idle_timeout)
        if self._opening >= self._most:
            await websocket.send_denial_response(_full().response())
            return
        await socket.accept()
        try:
            conversation, after = await self._begin(socket, begin)
        except Problem as problem:
            _LOG.info("a WebSocket was refused: %s", problem.code)
            await _refuse(socket, problem)
        except (TimeoutError, ConnectionError):
            await socket.close(POLICY, "nothing came for too long")
        else:
            await self.conversations.serve(conversation, socket, after)

    async def _begin(self, socket: Socket, begin: Begin) -> tuple[Conversation, int]:
        self._opening += 1
        try:
            conversation, after = await begin(socket)
        finally:
            self._opening -= 1
        known = self.conversations.find(conversation.key) is conversation
        if not known and self.conversations.full:
            await conversation.close()
            raise _full()
        return conversation, after


def _full() -> Problem:
    return Problem(503, "too-many-connections", "too many WebSockets are open")


async def _refuse(socket: Socket, problem: Problem) -> None:
    try:
        await socket.send({"type": "error", **problem.body(), "code": problem.code,
                           "message": str(problem)})  # fmt: skip
    except ConnectionError:
        return
    await socket.close(POLICY, problem.code)
    await asyncio.sleep(0)
