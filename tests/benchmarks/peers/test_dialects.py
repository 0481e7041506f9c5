"""What each peer's messages mean, without a peer."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from wyoming.event import Event

from benchmarks.peers.dialect import Dialect, Refused
from benchmarks.peers.whisper_live import WhisperLive
from benchmarks.peers.whisperlivekit import WhisperLiveKit
from wyoming_streamwhisper.client.record import Conversation


def note(record: Conversation, events: Iterable[Event]) -> bool:
    """Note events; tell whether the last one was the end."""
    return [record.note(event, 0.0) for event in events][-1:] == [True]


def lines(*texts: str, held_back: str = "") -> dict[str, Any]:
    return {"lines": [{"text": text} for text in texts], "buffer_transcription": held_back}


def segments(*said: tuple[str, str, bool]) -> dict[str, Any]:
    return {"segments": [{"start": s, "text": t, "completed": c} for s, t, c in said]}


def live(**options: Any) -> WhisperLive:
    return WhisperLive(**{"same_output_threshold": 10, "use_vad": True, **options})


def test_whisperlivekit_shows_what_it_holds_back_too() -> None:
    dialect, record = WhisperLiveKit(), Conversation()
    assert not dialect.is_ready({"type": "else"})
    assert dialect.is_ready({"type": "config"})
    for message in (lines(" Turn", held_back=" of"), lines(" Turn on"), {"status": "odd"}):
        assert not note(record, dialect.heard(message))
    assert [text for _, text in record.partials] == ["Turn of", "Turn on"]


def test_whisperlivekit_has_answered_when_it_says_so() -> None:
    dialect, record = WhisperLiveKit(), Conversation()
    assert dialect.ending() == b""
    assert dialect.ended() == []
    assert not note(record, dialect.heard(lines(" Turn", "on.")))
    assert note(record, dialect.heard({"type": "ready_to_stop"}))
    assert record.transcript is not None
    assert record.transcript.text == "Turn on."


def test_whisperlivekit_says_the_language_in_its_address() -> None:
    assert WhisperLiveKit().path("de") == "/asr?language=de"
    assert WhisperLiveKit().path(None) == "/asr?language=auto"


def test_whisperlive_is_told_language_and_format_first() -> None:
    options = json.loads(live(same_output_threshold=3).hello("de"))
    assert (options["language"], options["audio_format"]) == ("de", "int16")
    assert options["same_output_threshold"] == 3


def test_a_full_whisperlive_refuses() -> None:
    with pytest.raises(Refused, match="WAIT: 3"):
        live().is_ready({"status": "WAIT", "message": 3})
    assert live().is_ready({"message": "SERVER_READY"})
    assert not live().is_ready({"language": "en"})


def test_whisperlive_has_answered_when_its_last_segment_is_completed() -> None:
    """Before the end of the audio a completed segment may have a successor."""
    dialect, record = live(), Conversation()
    assert dialect.heard({"language": "en"}) == []
    assert not note(record, dialect.heard(segments(("0.0", " Turn", True))))
    assert not note(record, dialect.heard(segments(("0.0", " Turn", True), ("1.0", " of", False))))
    assert dialect.ending() is None
    assert dialect.ended() == []
    assert not note(record, dialect.heard(segments(("0.0", " Turn", True), ("1.0", " on", False))))
    assert note(record, dialect.heard(segments(("0.0", " Turn", True), ("1.0", " on", True))))
    assert record.transcript is not None
    assert record.transcript.text == "Turn on"
    assert [revision.text for revision in record.revisions] == ["Turn of", "Turn on"]


def test_whisperlive_has_answered_if_all_was_completed_before_the_end() -> None:
    dialect, record = live(), Conversation()
    note(record, dialect.heard(segments(("0.0", " Stop.", True))))
    assert note(record, dialect.ended())


def test_whisperlive_repeats_only_its_last_segments() -> None:
    dialect, record = live(), Conversation()
    note(record, dialect.heard(segments(("0.0", "a", True), ("1.0", "b", False))))
    note(record, dialect.heard(segments(("1.0", "b", True), ("2.0", "c", False))))
    assert record.text == "a b c"


@pytest.mark.parametrize("dialect", [WhisperLiveKit(), live()])
def test_what_stands_there_is_the_answer_in_the_end(dialect: Dialect) -> None:
    record = Conversation()
    assert note(record, dialect.given_up())
    assert record.transcript is not None
    assert record.transcript.text == ""
