"""What was sent: it grows within a revision, and whatever takes it back begins a new one."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.transcript import Transcript
from wyoming_streamwhisper.core.words import Hypothesis, Word, extends

texts = st.lists(st.sampled_from([" a", " b", " ab", "."]), max_size=5)


def words(parts: list[str]) -> list[Word]:
    return [Word(part, 0.0, 0.1, 0.9, ()) for part in parts]


@given(st.lists(st.tuples(st.booleans(), texts, texts), max_size=8))
def test_within_a_revision_the_text_only_grows(steps: list[tuple[bool, list, list]]) -> None:
    said = Transcript()
    for closes, sure, unsure in steps:
        sent, revision = said.sent, said.revision
        if closes:
            said.close(Hypothesis(tuple(words(sure)), "en"))
            sure = []
        news = said.show(words(sure), words(unsure))
        assert extends(sent, said.sent) == (said.revision == revision)
        assert said.sent.startswith(said.closed)
        assert not said.show(words(sure), words(unsure)), "the same again is no news"
        assert news or said.sent == sent


def test_a_silent_piece_leaves_the_language_as_it_was() -> None:
    said = Transcript()
    said.close(Hypothesis((), "de", 0.4))
    assert said.language == "de", "better than none"
    said.close(Hypothesis(tuple(words([" yes"])), "en", 0.9))
    said.close(Hypothesis((), "de", 0.4))
    assert (said.language, said.language_probability) == ("en", 0.9)
