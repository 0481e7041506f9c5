"""Whatever two chunks hear of a truth, their join is that truth: nothing lost, nothing doubled."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.seams import join, match
from wyoming_streamwhisper.core.words import Word, text_of


def word(text: str, start: float, end: float) -> Word:
    return Word(f" {text}", start, end, 0.9, ())


def spread(text: str, start: float, step: float = 0.4) -> tuple[Word, ...]:
    """Return words one behind the other."""
    return tuple(
        word(part, start + i * step, start + (i + 1) * step) for i, part in enumerate(text.split())
    )


def joined(before, after, start, end) -> str:
    kept, rest = join(before, after, start, end)
    return text_of((*kept, *rest))


def test_chunks_that_share_nothing_are_put_together():
    assert joined(spread("one two", 0.0), spread("three", 2.0), 1.0, 1.0) == "one two three"


def test_a_shared_word_stands_once():
    before, after = spread("turn the lights", 0.0), spread("lights on please", 0.8)
    assert joined(before, after, 0.8, 1.2) == "turn the lights on please"


def test_punctuation_comes_from_who_heard_what_follows():
    before = (*spread("turn the lights", 0.0), Word(".", 1.2, 1.2, 0.5, ()))
    assert joined(before, spread("lights on", 0.8), 0.8, 1.2) == "turn the lights on"


def test_spelling_and_case_do_not_keep_a_word_twice():
    before, after = spread("in the Kitchen", 0.0), spread("The kitchen, please", 0.4)
    assert joined(before, after, 0.4, 1.2) == "in the kitchen, please"


def test_a_word_that_each_heard_in_its_own_way_stands_once():
    before = (*spread("close the", 0.0), word("chick", 0.8, 1.1))
    after = (word("kitchen", 0.85, 1.3), *spread("door", 1.3))
    assert joined(before, after, 0.8, 1.2) == "close the chick door"


def test_what_only_one_of_both_heard_stays():
    before = spread("the meeting is today", 0.0, 0.25)
    after = spread("remind me to call mother", 1.6)
    said = "the meeting is today remind me to call mother"
    assert joined(before, after, 1.0, 3.0) == said
    # A decode often lets its last word end with the audio.
    stretched = (*before[:-1], word("today", 0.75, 3.0))
    assert joined(stretched, after, 1.0, 3.0) == said
    late = spread("call mother", 2.8)
    assert joined(spread("remind me to", 1.2), late, 1.0, 2.0) == "remind me to call mother"


def test_equal_words_far_apart_are_two_words():
    assert match([word("no", 1.0, 1.3)], [word("no", 2.0, 2.3)], 0.0, 9.0) == []


@dataclass(frozen=True)
class Truth:
    words: tuple[Word, ...]
    start: float
    end: float
    """What both chunks hear."""


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Speech of few different words, and an overlap that holds at least two of them whole."""
    at, words = 0.0, []
    for text in draw(st.lists(st.sampled_from(["no", "yes", "light", "the"]), min_size=4)):
        at += draw(st.sampled_from([0.0, 0.1, 0.6]))
        length = draw(st.floats(0.2, 0.6))
        words.append(word(text, at, at + length))
        at += length
    first = draw(st.integers(1, len(words) - 3))
    last = draw(st.integers(first + 1, len(words) - 2))
    into = draw(st.floats(0.0, 1.0))
    cut = words[first - 1]
    start = cut.start + into * (cut.end - cut.start)
    cut = words[last + 1]
    end = cut.start + into * (cut.end - cut.start)
    return Truth(tuple(words), start, end)


@given(truths(), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_no_word_is_lost_or_doubled(truth, chance, garbled_before, garbled_after):
    def roughly(true: Word) -> Word:
        """Return a word a little beside its place, as alignment finds it."""
        by = chance.uniform(-0.04, 0.04)
        return word(true.text.strip(), true.start + by, true.end + by)

    before = [roughly(w) for w in truth.words if w.end <= truth.end]
    after = [roughly(w) for w in truth.words if w.start >= truth.start]
    # What is cut is dropped or heard as something else.
    if garbled_before:
        before.append(word("mumble", truth.end - 0.05, truth.end))
    if garbled_after:
        after.insert(0, word("bumble", truth.start, truth.start + 0.05))
    assert joined(before, after, truth.start, truth.end) == text_of(truth.words)


@given(truths())
def test_what_is_kept_is_a_begin_and_an_end(truth):
    before = [w for w in truth.words if w.end <= truth.end]
    after = [w for w in truth.words if w.start >= truth.start]
    kept, rest = join(before, after, truth.start, truth.end)
    assert list(kept) == before[: len(kept)]
    assert list(rest) == after[len(after) - len(rest) :]
