"""What is remembered of a satellite: languages, the last text, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.session.context import Context, ContextOptions, Contexts


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make_contexts(**options: float) -> tuple[Contexts, Clock]:
    clock = Clock()
    return Contexts(ContextOptions(**options), clock), clock


def test_a_satellite_keeps_its_context():
    contexts, _ = make_contexts()
    kitchen, hall = contexts.of("kitchen"), contexts.of("hall")
    assert contexts.of("kitchen") is kitchen
    assert contexts.of("hall") is hall
    assert kitchen is not hall


def test_an_idle_context_expires():
    contexts, clock = make_contexts(context_expiry=60.0)
    kitchen = contexts.of("kitchen")
    clock.now += 59
    assert contexts.of("kitchen") is kitchen
    clock.now += 59
    assert contexts.of("kitchen") is kitchen
    clock.now += 60
    assert contexts.of("kitchen") is not kitchen


def test_idle_time_begins_when_the_utterance_ends():
    contexts, clock = make_contexts(context_expiry=60.0)
    kitchen = contexts.of("kitchen")
    clock.now += 50
    contexts.touch("kitchen")
    clock.now += 50
    assert contexts.of("kitchen") is kitchen


def test_expired_contexts_take_no_room():
    contexts, clock = make_contexts(context_expiry=60.0)
    for number in range(20):
        contexts.of(str(number))
    clock.now += 61
    contexts.of("kitchen")
    assert len(contexts) == 1


def test_the_one_idle_longest_goes_when_there_are_too_many():
    contexts, _ = make_contexts(max_contexts=2)
    a, b = contexts.of("a"), contexts.of("b")
    assert contexts.of("a") is a
    contexts.of("c")
    assert len(contexts) == 2
    assert contexts.of("a") is a
    assert contexts.of("b") is not b


def test_what_is_forgotten_does_not_come_back():
    contexts, _ = make_contexts()
    kitchen = contexts.of("kitchen")
    contexts.forget("kitchen")
    contexts.forget("nobody")
    contexts.touch("kitchen")
    assert len(contexts) == 0
    assert contexts.of("kitchen") is not kitchen


def test_the_last_text_is_a_prompt_only_soon_after():
    contexts, clock = make_contexts(prompt_gap=10.0)
    context = contexts.of("kitchen")
    assert contexts.prompt(context) == ""
    context.remember("The weather was bad.", "en", clock.now)
    clock.now += 10
    assert contexts.prompt(context) == "The weather was bad."
    clock.now += 0.1
    assert contexts.prompt(context) == ""


def test_a_silent_utterance_ends_a_dictation():
    contexts, clock = make_contexts()
    context = contexts.of("kitchen")
    context.remember("The weather was bad.", "en", clock.now)
    context.remember("", "", clock.now)
    assert contexts.prompt(context) == ""
    assert context.utterances == 2


@given(st.lists(st.sampled_from(["en", "de", "fr", ""]), max_size=30))
def test_what_was_heard_is_a_probability_and_never_certainty(languages):
    context = Context()
    for language in languages:
        context.remember("text", language, 0.0)
    assert sum(chance for _, chance in context.likely()) <= 0.9 + 1e-9
    spoken = [language for language in languages if language]
    assert {code for code, _ in context.likely()} == {*spoken}


def test_the_language_heard_lately_weighs_most():
    context = Context()
    for language in ["de"] * 10 + ["en"] * 3:
        context.remember("text", language, 0.0)
    likely = dict(context.likely())
    assert likely["en"] > likely["de"] > 0.0


def test_without_text_nothing_is_learned_of_the_language():
    context = Context()
    context.remember("", "de", 0.0)
    assert context.likely() == ()


@pytest.mark.parametrize("count", [1, 5])
def test_a_context_is_plain_data(count):
    context = Context()
    for _ in range(count):
        context.remember("text", "en", 1.0)
    assert Context(dict(context.languages), context.text, context.ended, count) == context


def test_no_more_of_a_text_is_kept_than_a_prompt_takes():
    context = Context()
    context.remember("the first " + "word " * 10_000 + "the last", "en", 1.0)
    assert context.text.endswith(" word the last")
    assert len(context.text) <= 400
