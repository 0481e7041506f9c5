"""An answer is append-only within a revision, exact at its end, and never silence."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from wyoming.event import async_read_event

from tests.clips import SHORT
from tests.server.door import Door, Said, speak, utterance
from tests.server.test_peer import pair
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.server.answer import Answer
from wyoming_streamwhisper.session.events import Event, Failed, Final, Partial
from wyoming_streamwhisper.session.utterance import Utterance


class Scripted:
    """An utterance whose events are written down."""

    def __init__(self, *events: Event, rung: Rung = Rung.ALL) -> None:
        self._events = events
        self.rung = rung

    async def events(self) -> AsyncIterator[Event]:
        for event in self._events:
            yield event


def written(*events: Event, streaming: bool = True, rung: Rung = Rung.ALL) -> Said:
    """Return what a client gets of these events."""

    async def follow() -> Said:
        async with pair() as (peer, reader, _):
            answer = Answer(peer, {"mine": 1}, streaming=streaming)
            await answer.follow(cast(Utterance, Scripted(*events, rung=rung)))
            await peer.close(0)
            said = Said()
            while (event := await async_read_event(reader)) is not None:
                said.events.append(event)
            return said

    return asyncio.run(follow())


def final(text: str, revision: int = 0) -> Final:
    return Final(text, revision, "en", 0.9)


def test_partials_are_sent_as_what_they_add() -> None:
    shown = (Partial("", 0, "Turn"), Partial("Turn", 0, " off"), Partial("Turn on", 0))
    said = written(*shown, final("Turn on it."))
    assert [e.data.get("text") for e in said.events] == [
        None, "Turn", " on", " it.", "Turn on it.", None,
    ]  # fmt: skip
    assert said.joined == said.text


def test_under_load_a_client_is_told_what_is_left_out() -> None:
    calm, pressed = written(final("On.")), written(final("On."), rung=Rung.NO_PARTIALS)
    assert calm.events[0].data["context"] == {"revision": 0}
    assert pressed.events[0].data["context"] == {"revision": 0, "load": "no-partials"}


def test_a_text_that_takes_words_back_begins_anew_and_whole() -> None:
    said = written(Partial("Turn of", 0), Partial("Turn on", 1), final("Turn on it.", 1))
    assert said.types == [
        "transcript-start", "transcript-chunk", "transcript-start", "transcript-chunk",
        "transcript-chunk", "transcript", "transcript-stop",
    ]  # fmt: skip
    assert said.events[2].data == {"context": {"revision": 1}}
    assert said.joined == said.text == "Turn on it."


def test_a_final_that_takes_everything_back_is_an_empty_revision() -> None:
    said = written(Partial("Thank you.", 0), final("", 1))
    assert said.types[2:] == ["transcript-start", "transcript", "transcript-stop"]
    assert said.joined == said.text == ""


def test_without_streaming_there_is_only_the_transcript() -> None:
    said = written(Partial("Turn", 0), final("Turn on."), streaming=False)
    assert said.types == ["transcript"]
    assert said.transcript.context == {"mine": 1}


def test_a_failure_is_the_only_outcome() -> None:
    said = written(Partial("Turn", 0), Failed("engine-failed", "it could not"))
    assert said.types == ["transcript-start", "transcript-chunk", "error"]
    assert said.code == "engine-failed"


@pytest.mark.parametrize("broken", ["events", "feed"])
def test_a_mistake_of_ours_is_told_and_logged_and_nobody_else_notices(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake")

    with monkeypatch.context() as patch:
        patch.setattr(Utterance, broken, fail)
        assert speak(door.uri, utterance(SHORT.pcm)).code == "internal-error"
    assert [r for r in caplog.records if r.levelno == logging.ERROR and r.exc_info]
    assert speak(door.uri, utterance(SHORT.pcm)).text == SHORT.text
