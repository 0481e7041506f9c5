"""`/v1/realtime`: OpenAI's realtime transcription, so that its clients work unchanged.

Only transcription: no responses are made. Words come as deltas while they are spoken, before the
audio is committed too. A delta cannot take a word back, so what the final decode corrects is told
by `completed`, whose transcript is the text.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, WebSocket

from wyoming_streamwhisper.core.audio import AudioFormat
from wyoming_streamwhisper.server.http import pcm
from wyoming_streamwhisper.server.http.conversation import Body, Conversation
from wyoming_streamwhisper.server.http.door import Door
from wyoming_streamwhisper.server.http.models import check_language, choose
from wyoming_streamwhisper.server.http.problems import Problem, gone
from wyoming_streamwhisper.server.http.realtime_config import Configuration, modern
from wyoming_streamwhisper.server.http.socket import Socket, read_object
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.events import Failed, Final, Partial, Speech
from wyoming_streamwhisper.session.session import Session
from wyoming_streamwhisper.session.stream import CLEARED, Stream, Turn

_LAW_RATE = 8_000
_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_EXPIRY = 3600
"""Seconds for which a session is said to live; OpenAI's clients want to be told."""


def realtime_router(door: Door) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.websocket("/v1/realtime")
    async def realtime(websocket: WebSocket) -> None:
        await door.serve(websocket, lambda socket: _begin(door, socket))

    return router


async def _begin(door: Door, socket: Socket) -> tuple[Conversation, int]:
    """Begin, or go on with, a session: `session_id` and `last_event_id` are ours, and optional."""
    query = socket.query
    if name := query.get("session_id", ""):
        found = door.conversations.find(name)
        digits = query.get("last_event_id", "").removeprefix("event_")
        after = int(digits) if digits.isascii() and digits.isdigit() else 0
        if not isinstance(found, Realtime) or not found.keeps(after):
            raise gone()
        await socket.send({"type": "session.resumed", **found.standing()})
        return found, after
    conversation = Realtime(door.session, query.get("model", ""))
    conversation.greet()
    return conversation, 0


class Realtime(Conversation):
    """A client of `/v1/realtime`."""

    def __init__(self, session: Session, model: str) -> None:
        """Begin; raises Problem for a model that is not there."""
        self._session = session
        self._model = model
        self._configuration = Configuration()
        self._format = AudioFormat(24_000, 2, 1)
        self._received = 0
        """Bytes of audio that arrived, as they were written before base64."""
        self._event_id: Any = None
        """What the client calls the event that is heard now, if it calls it something."""
        self._heard = False
        """Whether there is audio that is not committed."""
        self._items = 0
        """Items that are done with."""
        self._committed = 0
        """Items that were committed by the client."""
        self._deltas = ""
        """Deltas of the item under way, together."""
        self._last_item: str | None = None
        profile, asked = self._terms(self._configuration)
        super().__init__(f"sess_{secrets.token_hex(12)}", Stream(session, profile, asked))
        self.stream.asked = replace(asked, satellite=self.key)

    def greet(self) -> None:
        """Tell that the session is there, with what holds for it."""
        self.post({"type": "session.created", "session": self._described()})

    def standing(self) -> Body:
        """Say what a client has to know to go on."""
        return {"session": self._described(), "received": self._received}

    # What comes

    def hear(self, message: str | bytes) -> None:
        """Take an event."""
        if isinstance(message, bytes):
            raise Problem(400, "bad-message", "events are text")
        event = read_object(message)
        self._event_id = event.get("event_id")
        match event.get("type"):
            case "input_audio_buffer.append":
                self._append(event.get("audio"))
            case "input_audio_buffer.commit":
                self._commit()
            case "input_audio_buffer.clear":
                self._clear()
            case "session.update":
                self._update(event, "session.updated", event.get("session"))
            case "transcription_session.update":
                session = event.get("session")
                said = modern(session) if isinstance(session, dict) else session
                self._update(event, "transcription_session.updated", said)
            case _:
                raise Problem(400, "bad-message", "there is no event of that type here", "type")
        self._event_id = None

    def _append(self, audio: Any) -> None:
        if not isinstance(audio, str):
            raise Problem(400, "bad-audio", "audio is no text", "audio")
        data = pcm.from_base64(audio)
        self._received += len(data)
        form = self._configuration.audio.input.format
        if form is not None and form.type != "audio/pcm":
            data = pcm.from_law(data, form.type)
        self._heard = self._heard or bool(data)
        self.stream.feed(data, self._format)

    def _commit(self) -> None:
        if not self._heard:
            raise Problem(400, "input_audio_buffer_commit_empty", "there is no audio to commit")
        self._heard = False
        self.stream.end_turn()
        if not self.stream.asked.turn:
            # Without turns of ours an end is an item, and clients want to hear of it at once.
            self._committed = max(self._committed, self._items) + 1
            for body in self._item(self._committed):
                self.post(body)

    def _clear(self) -> None:
        self._heard = False
        self._deltas = ""
        self.stream.clear()
        self.post({"type": "input_audio_buffer.cleared"})

    def _update(self, event: Body, answer: str, said: Any) -> None:
        if not isinstance(said, dict):
            raise Problem(400, "bad-message", "session is no object", "session")
        configuration = self._configuration.updated(said)
        profile, asked = self._terms(configuration)
        form = configuration.audio.input.format
        rate = _LAW_RATE if form and form.type != "audio/pcm" else form.rate if form else 24_000
        self._format = AudioFormat(rate, 2, 1)
        self._configuration = configuration
        self.stream.profile, self.stream.asked = profile, replace(asked, satellite=self.key)
        self.post({"type": answer, "session": self._described()})

    def _terms(self, configuration: Configuration) -> tuple[Any, Asked]:
        """Return the profile and the wishes of further turns; raises Problem."""
        given = configuration.audio.input
        wanted, detection = given.transcription, given.turn_detection
        profile = choose(self._session, (wanted and wanted.model) or self._model)
        language = (wanted and wanted.language) or ""
        check_language(self._session, profile, language)
        if wanted is not None and wanted.prompt:
            profile = replace(profile, initial_prompt=wanted.prompt)
        if detection is not None and detection.threshold is not None:
            streaming = replace(profile.streaming, vad_threshold=detection.threshold)
            profile = replace(profile, streaming=streaming)
        asked = Asked(
            language=language,
            names=tuple((wanted and wanted.keywords) or ()),
            turn=detection.silence if detection else 0.0,
            speech=True,
        )
        return profile, asked

    # What goes

    def tell(self, turn: Turn) -> Iterable[Body]:
        """Write an event as events of OpenAI's."""
        name = self._name(self._items + 1)
        part = {"item_id": name, "content_index": 0}
        detecting = bool(self.stream.asked.turn)
        match turn.event:
            case Speech(start) if detecting:
                at = {"audio_start_ms": _ms(turn.start + start), "item_id": name}
                yield {"type": "input_audio_buffer.speech_started", **at}
            case Partial(text) if text.startswith(self._deltas) and text != self._deltas:
                yield {"type": f"{_TRANSCRIPTION}.delta", **part, "delta": self._more(text)}
            case Final(text):
                yield from self._ended(turn, spoken=bool(text) and not turn.asked)
                if text.startswith(self._deltas) and text != self._deltas:
                    yield {"type": f"{_TRANSCRIPTION}.delta", **part, "delta": self._more(text)}
                seconds = round(turn.end - turn.start, 3)
                usage = {"type": "duration", "seconds": seconds}
                done = {"type": f"{_TRANSCRIPTION}.completed", **part, "transcript": text}
                yield {**done, "usage": usage}
                self._next()
            case Failed(code, message) if code != CLEARED:
                yield from self._ended(turn, spoken=False)
                error = Problem(500, code, message).error()
                yield {"type": f"{_TRANSCRIPTION}.failed", **part, "error": error}
                self._next()

    def _more(self, text: str) -> str:
        delta, self._deltas = text[len(self._deltas) :], text
        return delta

    def _next(self) -> None:
        self._items += 1
        self._deltas = ""

    def _ended(self, turn: Turn, *, spoken: bool) -> Iterable[Body]:
        """Tell the end of an item that was not told when the client committed it."""
        number = self._items + 1
        if number <= self._committed:
            return
        if spoken:
            at = {"audio_end_ms": _ms(turn.end), "item_id": self._name(number)}
            yield {"type": "input_audio_buffer.speech_stopped", **at}
        self._heard = self._heard and self.stream.pending
        yield from self._item(number)

    def _item(self, number: int) -> Iterable[Body]:
        name = self._name(number)
        before, self._last_item = self._last_item, name
        item = {
            "id": name,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        order = {"previous_item_id": before}
        yield {"type": "input_audio_buffer.committed", "item_id": name, **order}
        yield {"type": "conversation.item.added", "item": item, **order}
        yield {"type": "conversation.item.done", "item": item, **order}

    def _name(self, number: int) -> str:
        return f"item_{self.key.removeprefix('sess_')}_{number}"

    def complain(self, problem: Problem) -> Body:
        """Write a problem as an event."""
        return {"type": "error", "error": {**problem.error(), "event_id": self._event_id}}

    def numbered(self, body: Body, number: int) -> Body:
        """Give an event its identity, from which a client can go on."""
        return {"event_id": f"event_{number}", **body}

    def _described(self) -> Body:
        said = self._configuration.model_dump()
        if (wanted := said["audio"]["input"]["transcription"]) is not None:
            wanted["model"] = wanted["model"] or self._session.info.model
        expires = int(time.time()) + _EXPIRY
        return {"id": self.key, "object": "realtime.transcription_session", "expires_at": expires,
                **said}  # fmt: skip


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
