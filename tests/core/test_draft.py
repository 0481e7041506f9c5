"""The text in the making: what decodes are told, and what their answers change."""

import pytest

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.draft import Draft
from wyoming_streamwhisper.core.endpoint import Text
from wyoming_streamwhisper.core.events import Closed, Event, Final, Partial
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.words import Hypothesis, Word

EAGER = Streaming(policy="alignatt", guard=0.0, doubt=1.0)
"""Sends every word at once."""


def hypothesis(text: str, *, start: float = 0.0, **more: object) -> Hypothesis:
    """Return words of half a second each; a full stop is a word of its own."""
    words: list[Word] = []
    for part in text.replace(".", " .").split():
        begin, at = start + 0.5 * len(words), len(words)
        words.append(Word("." if part == "." else f" {part}", begin, begin + 0.5, 0.99, (at,)))
    return Hypothesis(tuple(words), "en", **more)


def a_draft(options: Streaming = EAGER, pinned: str = "", before: str = "") -> Draft:
    return Draft(options, pinned, before)


def send(draft: Draft, text: str, **more: object) -> list[Event]:
    wish = draft.partial(8 * RATE)
    return draft.hear_partial(hypothesis(text, **more), wish.end)


def decode(draft: Draft, text: str, end: int = 4 * RATE, **more: object) -> list[Event]:
    wish = draft.free(Kind.SPECULATIVE, end)
    return draft.hear_free(hypothesis(text, **more), wish, spoken=2.0)


def test_a_free_decode_is_told_nothing_of_what_was_sent() -> None:
    draft = a_draft(pinned="names.", before="earlier.")
    assert send(draft, "turn on") == [Partial("turn on", 0)]
    wish = draft.free(Kind.FINAL, 4 * RATE, timed=False)
    assert (wish.prefix, wish.timed, wish.language) == ((), False, "")
    assert (wish.prompt.pinned, wish.prompt.recent) == ("names.", "earlier.")


def test_consistent_keeps_what_was_sent() -> None:
    draft = a_draft(Streaming(policy="alignatt", guard=0.0, doubt=1.0, final="consistent"))
    send(draft, "turn on")
    wish = draft.free(Kind.FINAL, 4 * RATE)
    assert wish.prefix == (0, 1)
    draft.hear_free(hypothesis("the light", start=1.0), wish, spoken=2.0)
    heard = draft.open.heard_until(wish.end)
    assert heard is not None
    assert [word.text for word in heard.words] == [" turn", " on", " the", " light"]


def test_the_next_words_go_on_behind_what_was_sent() -> None:
    draft = a_draft()
    send(draft, "turn on")
    wish = draft.partial(5 * RATE)
    assert (wish.start, wish.prefix) == (0, (0, 1))
    more = hypothesis("the light", start=1.0)
    assert draft.hear_partial(more, wish.end) == [Partial("turn on the light", 0)]


def test_a_partial_of_a_long_piece_begins_near_its_end() -> None:
    draft = a_draft()
    send(draft, "a b c d e f g h i j k l m n o p")  # 8 s
    wish = draft.partial(9 * RATE)
    assert wish.start == 6 * RATE
    assert wish.prefix == (12, 13, 14, 15)
    assert wish.prompt.recent == "a b c d e f g h i j k l"


def test_partials_settle_the_language_that_is_sure_and_closed_pieces_the_rest() -> None:
    draft = a_draft()
    send(draft, "turn", language_probability=0.79)
    assert draft.partial(4 * RATE).language == ""
    send(draft, "turn", language_probability=0.8)
    assert draft.partial(4 * RATE).language == "en"
    assert draft.free(Kind.PIECE, 4 * RATE).language == "", "a free decode is told nothing"


@pytest.mark.parametrize("kind", [Kind.PIECE, Kind.SPECULATIVE])
def test_what_the_model_takes_for_silence_has_no_words(kind: Kind) -> None:
    draft = a_draft()
    wish = draft.free(kind, 4 * RATE)
    made_up = hypothesis("thank you", no_speech=0.9, average_logprob=-1.5)
    assert draft.hear_free(made_up, wish, spoken=2.0) == []
    heard = draft.open.heard_until(wish.end)
    assert heard is not None
    assert heard.words == ()
    assert draft.says is None, "a cough is no utterance"


def test_a_text_that_looks_wrong_sends_nothing() -> None:
    draft = a_draft()
    assert send(draft, "la la la", plausible=False) == []
    assert decode(draft, "la la la", plausible=False) == []


def test_the_text_says_whether_the_speaker_has_finished() -> None:
    draft = a_draft()
    decode(draft, "turn on")
    assert draft.says is Text.UNFINISHED
    decode(draft, "turn on.")
    assert draft.says is Text.COMPLETE


def test_pieces_lie_side_by_side_and_the_last_one_is_the_end() -> None:
    draft = a_draft()
    events = [*draft.skip(8000), *decode(draft, "stop.", start=0.5)]
    heard = draft.open.heard_until(4 * RATE)
    assert heard is not None
    events += draft.close(4 * RATE, heard)
    assert draft.free(Kind.FINAL, 6 * RATE).prompt.recent == "stop."
    events += draft.finish(6 * RATE, hypothesis("now", start=4.5))
    closed = [(e.start, e.end, e.text) for e in events if isinstance(e, Closed)]
    assert closed == [(0, 8000, ""), (8000, 4 * RATE, "stop."), (4 * RATE, 6 * RATE, "now")]
    assert events[-2:] == [Partial("stop. now", 0), Final("stop. now", 0, "en", 1.0)]


@pytest.mark.parametrize(
    ("options", "plausible"), [(Streaming(carry_text=False), True), (EAGER, False)]
)
def test_a_piece_that_would_lead_astray_is_no_prompt(options: Streaming, plausible: bool) -> None:
    draft = a_draft(options, before="earlier.")
    draft.close(4 * RATE, hypothesis("la la la", plausible=plausible))
    assert draft.free(Kind.FINAL, 6 * RATE).prompt.recent == ""


def test_silence_alone_is_an_empty_text() -> None:
    assert a_draft().finish(0, None) == [Final("", 0, "", 0.0)]
    assert a_draft().finish(100, None) == [Closed(0, 100), Final("", 0, "", 0.0)]
