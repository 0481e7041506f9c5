"""Texts on a screen become events that the record understands, whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.shown import Shown
from wyoming_streamwhisper.client.record import Conversation

texts = st.lists(st.text("ab ", max_size=6), max_size=8)


def test_growth_is_a_chunk_and_change_a_revision() -> None:
    shown, record = Shown(), Conversation()
    for at, text in enumerate(["turn", "turn of", "turn on the", "turn on the"]):
        for event in shown.show(text):
            record.note(event, float(at))
    assert [revision.text for revision in record.revisions] == ["turn of", "turn on the"]
    assert record.partials == [(0.0, "turn"), (1.0, "turn of"), (2.0, "turn on the")]


@given(texts, st.text("ab ", max_size=6))
def test_the_record_has_every_text_and_ends_with_the_last(seen: list[str], last: str) -> None:
    shown, record = Shown(), Conversation()
    for text in seen:
        for event in shown.show(text):
            assert not record.note(event, 0.0)
        assert record.text == text.strip()
    events = shown.finish(last)
    said_all = [record.note(event, 1.0) for event in events]
    assert said_all[-1]
    assert not any(said_all[:-1])
    assert record.transcript is not None
    assert record.transcript.text == last.strip()
    assert not record.revisions or record.revisions[-1].text == last.strip()
