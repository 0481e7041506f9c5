"""Words become sentences, or what fits on two lines; none is left out."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.captions import Captions
from wyoming_streamwhisper.core.words import Hypothesis, Word, text_of

ENGLISH = Hypothesis((), "en")


def words(text: str, step: float = 0.4) -> list[Word]:
    return [
        Word(part if part in ".,?" else f" {part}", i * step, (i + 1) * step, 0.9, ())
        for i, part in enumerate(text.split())
    ]


def captions(some: list[Word], heard: Hypothesis = ENGLISH) -> list[str]:
    made = Captions()
    return [s.text for s in (*made.add(some, heard), *made.flush())]


def test_each_sentence_is_a_segment():
    assert captions(words("It rains . Does it ? Yes")) == ["It rains.", "Does it?", "Yes"]


def test_a_german_ordinal_ends_no_sentence():
    assert captions(words("am 5 . März"), Hypothesis((), "de")) == ["am 5. März"]


def test_a_long_sentence_is_broken():
    made = captions(words("word " * 60))
    assert len(made) > 1
    assert all(len(text) <= 84 for text in made)


def test_times_are_those_of_the_words():
    made = Captions()
    [*_] = made.add(words("It rains ."), ENGLISH)
    (segment,) = made.flush()
    assert (segment.start, round(segment.end, 1), segment.language) == (0.0, 1.2, "en")


@given(st.lists(st.sampled_from(["a", "word", ".", ",", "?", "donaudampfschiff"]), max_size=99))
def test_no_word_is_left_out(parts):
    some = words(" ".join(parts))
    made = Captions()
    segments = [*made.add(some, ENGLISH), *made.flush()]
    assert [w for s in segments for w in s.words] == some or not text_of(some)
