"""What people and programs see of a conversation."""

import io
import json

import pytest
from rich.console import Console
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop

from wyoming_streamwhisper.client.record import Conversation, Sent
from wyoming_streamwhisper.client.screen import Drawn, Json, Plain, Screen, summary


def conversation() -> Conversation:
    """Two revisions; times in seconds since 100."""
    record = Conversation(begun_at=100.0, speech_at=100.1, sent=[Sent(1.0, 101.0)])
    for at, event in (
        (100.5, TranscriptStart()),
        (100.5, TranscriptChunk("Turn")),
        (100.9, TranscriptChunk(" of")),
        (101.01, TranscriptStart()),
        (101.01, TranscriptChunk("Turn off.")),
        (101.02, Transcript("Turn off.", language="en")),
        (101.02, TranscriptStop()),
    ):
        record.note(event.event(), at)
    record.stop_sent_at = 101.0
    return record


def failed() -> Conversation:
    record = Conversation()
    record.fail("overloaded", "too many speak at once.")
    return record


def test_the_summary_says_how_the_answer_came() -> None:
    assert summary(conversation()) == (
        "en, first words after 0.40 s, final 20 ms after the end, revised 1×"
    )


def test_a_plain_screen_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as screen:
        screen.heard("mic", conversation())
        screen.done("mic", conversation())
    assert capsys.readouterr().out.startswith("mic: Turn off.  [en, first words")


def test_a_verbose_screen_prints_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    record = conversation()
    record.received = record.received[:2]
    with Plain(verbose=True) as screen:
        screen.heard("mic", record)
    assert capsys.readouterr().out == "    0.50 s  mic: transcript-chunk 'Turn'\n"


def test_json_is_one_object_with_all_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with Json() as screen:
        screen.heard("a.wav", conversation())
        screen.done("a.wav", conversation())
    assert json.loads(capsys.readouterr().out) == {
        "file": "a.wav",
        "text": "Turn off.",
        "language": "en",
        "seconds": 1.0,
        "stop_to_transcript_ms": 20.0,
        "first_partial_ms": 400.0,
        "revisions": 2,
        "partials": [[0.5, "Turn"], [0.9, "Turn of"], [1.01, "Turn off."]],
        "error": None,
    }


@pytest.mark.parametrize("screen", [Screen(), Plain(), Json()])
def test_a_failure_is_one_sentence_on_stderr(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    screen.done("mic", failed())
    out, err = capsys.readouterr()
    assert err == "mic: too many speak at once (overloaded).\n"
    if isinstance(screen, Json):
        assert json.loads(out)["error"]["code"] == "overloaded"


def test_words_are_drawn_in_place_and_finished_ones_stay() -> None:
    """Each source has its own colour; what was drawn in place is gone when it is final."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, height=10, color_system="standard")
    other = conversation()
    other.transcript = None
    with Drawn(console) as screen:
        screen.begins("mic")
        screen.begins("system")
        screen.heard("system", other)
        screen.heard("mic", other)
        screen.done("mic", conversation())
    drawn = out.getvalue()
    assert "\x1b[1;34mmic" in drawn
    assert "\x1b[1;33msystem" in drawn
    assert "▌" in drawn
    assert "first words after 0.40 s" in drawn


def test_a_text_longer_than_the_screen_shows_its_end() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=20, height=6)
    record = Conversation()
    record.note(TranscriptChunk("first " + "word " * 200 + "last").event(), 1.0)
    with Drawn(console) as screen:
        screen.heard("mic", record)
    assert "last" in out.getvalue()
    assert "first" not in out.getvalue()
