"""What outlives a connection: a client's audio, and the numbered messages about it.

A client whose connection broke comes back with its identity and the number of the last message
that it read. It gets what it missed, and is told how much of its audio arrived, so that it can
send the rest again. What the messages mean is each protocol's own business.
"""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from typing import Any

from wyoming_streamwhisper.server.http.failures import problem_of
from wyoming_streamwhisper.server.http.problems import Problem
from wyoming_streamwhisper.server.http.socket import POLICY, TAKEN_OVER, TRY_LATER, Socket
from wyoming_streamwhisper.session.asked import Refused
from wyoming_streamwhisper.session.stream import Stream, Turn

_LOG = logging.getLogger(__name__)
_UNREAD = 64
"""Messages that may wait to be sent; until there is room, words are only told together."""
_KEPT = 1024
"""Messages kept for a client that comes back: what can be under way when a connection breaks."""

Body = dict[str, Any]


class Conversation(ABC):
    """One client, whichever connection it has now."""

    def __init__(self, key: str, stream: Stream) -> None:
        """Begin; `key` is the identity by which the client comes back."""
        self.key = key
        self.stream = stream
        self.number = 0
        """Number of the last message."""
        self._messages: deque[tuple[int, Body]] = deque()
        self._lost = 0
        """Number of the last message that is not kept and not made up for by a later one."""
        self._sent = 0
        """Number of the last message that was sent."""
        self._news = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._socket: Socket | None = None
        self.over = False
        """Whether no further turn can begin."""
        self._telling = asyncio.create_task(self._follow(), name="conversation")

    # What a protocol says

    @abstractmethod
    def hear(self, message: str | bytes) -> None:
        """Take a message; raises Problem for one that makes no sense."""

    @abstractmethod
    def tell(self, turn: Turn) -> Iterable[Body]:
        """Write an event as messages."""

    @abstractmethod
    def complain(self, problem: Problem) -> Body:
        """Write a problem as a message."""

    def numbered(self, body: Body, number: int) -> Body:
        """Give a message its number."""
        return {**body, "seq": number}

    def passes(self, body: Body) -> bool:
        """Whether a message is of no use any more once another such follows it at once."""
        return False

    # The surface

    @property
    def attached(self) -> bool:
        """Whether a connection is served."""
        return self._socket is not None

    def post(self, body: Body) -> None:
        """Send a message, now or when the client is back."""
        self.number += 1
        if self.passes(body) and self._messages and self.passes(self._messages[-1][1]):
            self._messages.pop()
        self._messages.append((self.number, self.numbered(body, self.number)))
        if len(self._messages) > _KEPT:
            self._lost = self._messages.popleft()[0]
        self._news.set()
        if self.number - self._sent > _UNREAD:
            self._roomy.clear()

    def keeps(self, after: int) -> bool:
        """Whether all messages behind that number are there to be sent again."""
        return self._lost <= after <= self.number

    async def serve(self, socket: Socket, after: int) -> None:
        """Serve a connection until it ends; `after` is the last number that the client has read."""
        former, self._socket = self._socket, socket
        if former is not None:
            await former.close(TAKEN_OVER, "another connection took over")
        self._sent = after
        self._news.set()
        tasks = {
            asyncio.create_task(self._read(socket), name="socket-read"),
            asyncio.create_task(self._write(socket), name="socket-write"),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            if self._socket is socket:
                self._socket = None
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, ConnectionError):
                raise error

    async def close(self) -> None:
        """End: forget the audio and the messages."""
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        await self.stream.close()

    # The three tasks: what becomes of the audio, what comes, what is sent

    async def _follow(self) -> None:
        try:
            async with contextlib.aclosing(self.stream.events()) as turns:
                async for turn in turns:
                    for body in self.tell(turn):
                        self.post(body)
                    # Meanwhile the session keeps only the newest words, so nothing piles up.
                    await self._roomy.wait()
        except Refused as refused:
            self.post(self.complain(problem_of(refused)))
        except Exception:  # noqa: BLE001 - a task's border: silence would look like waiting
            _LOG.exception("%s: a WebSocket could not go on", self.key)
            self.post(self.complain(Problem(500, "internal-error", "the server made a mistake")))
        self.over = True
        self._news.set()

    async def _read(self, socket: Socket) -> None:
        while True:
            try:
                message = await socket.receive()
            except TimeoutError:
                if self.stream.pending:  # whoever waits for an answer is not idle
                    continue
                socket.left = True
                await socket.close(POLICY, "nothing came for too long")
                return
            if message is None:
                return
            try:
                self.hear(message)
            except Problem as problem:
                self.post(self.complain(problem))
            await self.stream.drained()
            await self._roomy.wait()

    async def _write(self, socket: Socket) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            for number, body in [kept for kept in self._messages if kept[0] > self._sent]:
                await socket.send(body)
                self._sent = number
                if self.number - number <= _UNREAD:
                    self._roomy.set()
            if self.over and self._sent >= self.number:
                await socket.close(TRY_LATER, "no further utterance can begin")
                return


class Conversations:
    """All conversations, those included whose client may come back."""

    def __init__(self, most: int, resume: float) -> None:
        """Keep at most `most`; one that lost its connection for `resume` seconds."""
        self._most, self._resume = most, resume
        self._known: dict[str, Conversation] = {}
        self._expiring: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._known)

    @property
    def full(self) -> bool:
        """Whether nobody new may come."""
        return len(self._known) >= self._most

    def find(self, key: str) -> Conversation | None:
        """Return the conversation that a client comes back to."""
        return self._known.get(key)

    async def serve(self, conversation: Conversation, socket: Socket, after: int) -> None:
        """Serve a connection of a conversation, and keep that for a while if the client is lost."""
        self._known[conversation.key] = conversation
        try:
            await conversation.serve(socket, after)
        finally:
            if not conversation.attached:
                lost = not (socket.left or conversation.over or self._closed)
                task = asyncio.create_task(self._expire(conversation, self._resume if lost else 0))
                self._expiring.add(task)
                task.add_done_callback(self._expiring.discard)

    async def close(self) -> None:
        """End all."""
        self._closed = True
        for task in self._expiring:
            task.cancel()
        for conversation in list(self._known.values()):
            await conversation.close()
        self._known.clear()

    async def _expire(self, conversation: Conversation, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not conversation.attached and self._known.get(conversation.key) is conversation:
            del self._known[conversation.key]
            await conversation.close()
