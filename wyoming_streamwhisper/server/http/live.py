"""The two plain WebSockets: `/stream` for PCM, `/ws/transcription` for numpy arrays by client.

Both send words while they are spoken: `text` stays, `tail` may still change. docs/http.md has
every message.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, Field, ValidationError

from wyoming_streamwhisper.core.audio import RATE, AudioFormat
from wyoming_streamwhisper.server.http import pcm
from wyoming_streamwhisper.server.http.conversation import Body, Conversation
from wyoming_streamwhisper.server.http.door import Door
from wyoming_streamwhisper.server.http.models import check_language, choose
from wyoming_streamwhisper.server.http.problems import Problem, gone, invalid
from wyoming_streamwhisper.server.http.socket import Socket, read_object
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.events import Failed, Final, Partial, Speech
from wyoming_streamwhisper.session.session import Session
from wyoming_streamwhisper.session.stream import CLEARED, Stream, Turn

_LONGEST_NAME = 256
"""Characters of a client's identity."""
_LEAST_STEP = 0.1
"""Seconds; looked for more often, words would come no earlier."""
_TURN = 0.8
"""Seconds of silence after which what a client of `/ws/transcription` said is final."""


class Configuration(BaseModel):
    """The first message on `/stream`; what it does not name is as the profile says."""

    type: Literal["config"] = "config"
    model_size: str = Field("", max_length=256)
    language: str = Field("", max_length=256)
    task: Literal["", "transcribe", "translate"] = ""
    sample_rate: int = Field(RATE, ge=8_000, le=48_000)
    sample_format: Literal["int16", "float32"] = "int16"
    use_context: bool = False
    chunk_duration: float = Field(0.0, ge=0.0, le=60.0)
    """Seconds of new speech after which words are looked for again; 0 is as the profile says."""
    overlap: float = Field(0.0, ge=0.0, le=60.0)
    """Taken and not used: audio is never cut amid a word, so that none has to be heard twice."""
    end_silence: float = Field(0.0, ge=0.0, le=10.0)
    """Seconds of silence that end a turn by themselves; 0 waits for `stop`."""
    session_id: str = Field("", max_length=256)
    last_seq: int = Field(0, ge=0)


def live_router(door: Door) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.websocket("/stream")
    async def stream(websocket: WebSocket) -> None:
        await door.serve(websocket, lambda socket: _configured(door, socket))

    @router.websocket("/ws/transcription")
    async def transcription(websocket: WebSocket) -> None:
        await door.serve(websocket, lambda socket: _named(door, socket))

    return router


async def _configured(door: Door, socket: Socket) -> tuple[Conversation, int]:
    """Begin, or go on with, what the first message asks for."""
    message = await socket.receive()
    if not isinstance(message, str):
        raise Problem(400, "bad-config", "the first message is no configuration")
    try:
        said = Configuration.model_validate(read_object(message))
    except ValidationError as error:
        raise invalid(error) from None
    if said.session_id:
        found = door.conversations.find(f"stream:{said.session_id}")
        if found is None or not found.keeps(said.last_seq):
            raise gone()
        await socket.send({"type": "resumed", **_standing(found)})
        return found, said.last_seq
    conversation = PcmStream(door.session, said)
    conversation.post({"type": "ready", **_standing(conversation)})
    return conversation, 0


async def _named(door: Door, socket: Socket) -> tuple[Conversation, int]:
    """Begin, or go on with, the conversation of a client by its own name."""
    query = socket.query
    name = query.get("client_id", "")
    if not name or len(name) > _LONGEST_NAME or name[0] == "#" or not name.isprintable():
        raise Problem(400, "bad-client", "client_id is missing, or no printable text", "client_id")
    found = door.conversations.find(f"client:{name}")
    after = _read_last(query.get("last_seq", ""))
    if found is not None and after is not None and found.keeps(after):
        await socket.send({"type": "resumed", **_standing(found)})
        return found, after
    going_on = found or ArrayStream(door.session, name, query.get("language", ""))
    if after:  # its name is its own, so it is not sent away
        await socket.send({**going_on.complain(gone()), **_standing(going_on)})
    return going_on, going_on.number


def _read_last(digits: str) -> int | None:
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise Problem(400, "bad-client", "last_seq is no number", "last_seq")
    return int(digits)


def _standing(conversation: Conversation) -> Body:
    assert isinstance(conversation, _Plain)
    return conversation.standing()


class _Plain(Conversation):
    """What both have in common: events become messages of one kind."""

    FINAL = "final"
    """What a final text is called."""

    def __init__(self, key: str, session: Session, stream: Stream) -> None:
        super().__init__(key, stream)
        self.session = session
        self.received = 0
        """Audio that arrived, in bytes or samples as the client counts them."""

    def standing(self) -> Body:
        """Say what a client has to know to go on."""
        return {"received": self.received, "model": self.session.info.model}

    def passes(self, body: Body) -> bool:
        """Say so of words, since all of the turn's come each time."""
        return bool(body["type"] == "partial")

    def complain(self, problem: Problem) -> Body:
        """Write a problem as a message."""
        return {"type": "error", "code": problem.code, "message": str(problem)}

    def tell(self, turn: Turn) -> Iterable[Body]:
        """Write an event as a message."""
        where = {"turn": turn.number, "start": round(turn.start, 3), "received": self.received}
        match turn.event:
            case Speech(start):
                yield {"type": "speech", **where, "start": round(turn.start + start, 3)}
            case Partial(text, revision, tail):
                yield {
                    "type": "partial",
                    **where,
                    "text": text,
                    "tail": tail,
                    "revision": revision,
                }
            case Final(text, revision, language, probability):
                yield {
                    "type": self.FINAL,
                    **where,
                    "end": round(turn.end, 3),
                    "asked": turn.asked,
                    "text": text,
                    "revision": revision,
                    "language": language,
                    "language_probability": round(probability, 3),
                }
            case Failed(code, message) if code != CLEARED:
                told = {"asked": turn.asked, "code": code, "message": message}
                yield {"type": "error", **where, **told}


class PcmStream(_Plain):
    """A client of `/stream`."""

    def __init__(self, session: Session, said: Configuration) -> None:
        """Begin; raises Problem for what cannot be had."""
        profile = choose(session, said.model_size, "model_size")
        if said.task:
            profile = replace(profile, task=said.task)
        if said.chunk_duration:
            step = max(said.chunk_duration, _LEAST_STEP)
            profile = replace(profile, streaming=replace(profile.streaming, step=step))
        check_language(session, profile, said.language)
        self.id = secrets.token_urlsafe(16)
        asked = Asked(
            # Its memory is its own: nobody else can guess the name.
            satellite=self.id if said.use_context else "",
            language=said.language,
            turn=said.end_silence,
            speech=True,
        )
        super().__init__(f"stream:{self.id}", session, Stream(session, profile, asked))
        self._float = said.sample_format == "float32"
        self._format = AudioFormat(said.sample_rate, 4 if self._float else 2, 1)
        self._carry = b""
        """The beginning of a float whose end has not arrived."""

    def standing(self) -> Body:
        """Say what a client has to know to go on."""
        return {"session_id": self.id, **super().standing()}

    def hear(self, message: str | bytes) -> None:
        """Take PCM, or `stop`."""
        if isinstance(message, bytes):
            self._audio(message)
            self.received += len(message)
        elif read_object(message).get("type") == "stop":
            self._carry = b""
            self.stream.end_turn()
        else:
            raise Problem(400, "bad-message", "there is no message of that type")

    def _audio(self, data: bytes) -> None:
        if self._float:
            data = self._carry + data
            whole = len(data) - len(data) % 4
            data, carry = data[:whole], data[whole:]
            data = pcm.from_float(np.frombuffer(data, "<f4"))
            self._carry = carry
        self.stream.feed(data, self._format)


class ArrayStream(_Plain):
    """A client of `/ws/transcription`."""

    FINAL = "transcription"

    def __init__(self, session: Session, name: str, language: str) -> None:
        """Begin; raises Problem for what cannot be had."""
        profile = choose(session, "")
        check_language(session, profile, language)
        asked = Asked(satellite=name, language=language, turn=_TURN, speech=True)
        super().__init__(f"client:{name}", session, Stream(session, profile, asked))
        self._name = name

    def hear(self, message: str | bytes) -> None:
        """Take an array, or `stop`."""
        if isinstance(message, bytes):
            samples = pcm.from_npy(message)
            self.stream.feed(pcm.from_float(samples), AudioFormat(RATE, 4, 1))
            self.received += len(samples)
        elif read_object(message).get("type") == "stop":
            self.stream.end_turn()
        else:
            raise Problem(400, "bad-message", "there is no message of that type")

    def tell(self, turn: Turn) -> Iterable[Body]:
        """Write an event as a message; a silence that was not asked about is not one."""
        for body in super().tell(turn):
            if body["type"] != self.FINAL or body["text"] or turn.asked:
                yield body

    def numbered(self, body: Body, number: int) -> Body:
        """Give a message its number, time and client."""
        return {**super().numbered(body, number), "client_id": self._name, "timestamp": time.time()}
