"""What pairs of texts allow: little at first, more with time, and nothing once they differ."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.engine.context import CAREFUL, FLOOR, FULL
from wyoming_streamwhisper.engine.evidence import Evidence, Pair, Standing, compare, understood

GOOD = Pair(8, 0)
WRONG = Pair(8, 8)
REJECTED = Pair(8, 0, rejected=True)
PAIRS = st.builds(Pair, st.integers(0, 20), st.integers(0, 20), st.booleans())


def after_test(*pairs: Pair) -> Evidence:
    evidence = Evidence()
    evidence.test(pairs)
    return evidence


def watched(evidence: Evidence, pair: Pair, count: int) -> Evidence:
    for _ in range(count):
        evidence.watch(pair)
    return evidence


def safe() -> Evidence:
    return watched(after_test(*[GOOD] * 12), GOOD, 40)


def test_at_first_finals_are_full_and_partials_short():
    rule = Evidence().rule
    assert (rule.partials, rule.finals) == (CAREFUL.partials, CAREFUL.finals)


def test_a_good_self_test_alone_allows_nothing():
    evidence = after_test(*[GOOD] * 12)
    assert evidence.standing is Standing.WATCHED
    assert evidence.rule.finals == FULL


def test_many_pairs_that_agree_allow_short_finals():
    evidence = watched(after_test(*[GOOD] * 12), GOOD, 39)
    assert evidence.rule.finals == FULL
    evidence.watch(GOOD)
    assert evidence.rule.finals == FLOOR


def test_pairs_without_words_say_nothing():
    assert watched(after_test(*[GOOD] * 12), Pair(0, 0), 500).rule.finals == FULL


@pytest.mark.parametrize("bad", [WRONG, REJECTED])
def test_a_self_test_with_differences_ends_it(bad):
    evidence = after_test(*[GOOD] * 11, bad)
    assert evidence.standing is Standing.UNSAFE
    assert not evidence.is_watching
    assert (evidence.rule.partials, evidence.rule.finals) == (FLOOR, FULL)


@pytest.mark.parametrize("bad", [WRONG, REJECTED])
def test_a_model_that_fails_altogether_gets_full_partials_too(bad):
    evidence = after_test(*[GOOD] * 6, *[bad] * 6)
    assert evidence.standing is Standing.BROKEN
    assert (evidence.rule.partials, evidence.rule.finals) == (FULL, FULL)


def test_speech_that_is_not_understood_doubles_what_is_asked_for():
    evidence = after_test(GOOD)
    assert evidence.standing is Standing.WATCHED
    assert watched(evidence, GOOD, 79).rule.finals == FULL
    assert watched(evidence, GOOD, 1).rule.finals == FLOOR


@pytest.mark.parametrize("bad", [WRONG, REJECTED])
def test_differences_withdraw_it_and_then_twice_as_many_pairs_are_asked_for(bad):
    evidence = safe()
    while evidence.standing is Standing.SAFE and evidence.watched.pairs < 60:
        evidence.watch(bad)
    assert evidence.rule.finals == FULL
    assert watched(evidence, GOOD, 79).rule.finals == FULL
    assert watched(evidence, GOOD, 1).rule.finals == FLOOR


def test_a_bad_beginning_is_forgiven_in_time_and_an_even_share_of_differences_is_not():
    evidence = watched(after_test(*[GOOD] * 12), WRONG, 3)
    assert watched(evidence, GOOD, 400).rule.finals == FLOOR
    evidence = after_test(*[GOOD] * 12)
    for _ in range(100):
        watched(evidence, GOOD, 9)
        evidence.watch(WRONG)
    assert evidence.rule.finals == FULL


def test_what_is_rare_enough_withdraws_nothing():
    evidence = safe()
    for _ in range(100):
        watched(evidence, GOOD, 19)
        evidence.watch(Pair(8, 1))
        assert evidence.rule.finals == FLOOR


@given(st.lists(PAIRS, max_size=16), st.lists(PAIRS, max_size=300))
def test_it_stays_small_and_survives_being_kept(tests, pairs):
    evidence = after_test(*tests)
    for pair in pairs:
        if evidence.is_watching:
            evidence.watch(pair)
    assert evidence.watched.pairs < 2 * 40 * 2**4
    assert Evidence.from_dict(json.loads(json.dumps(evidence.as_dict()))) == evidence
    assert evidence.rule.why


@pytest.mark.parametrize("kept", [{}, {"standing": "NONE"}, {"standing": "SAFE", "tested": 1}])
def test_what_is_something_else_is_refused(kept):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Evidence.from_dict({"watched": {}, "doublings": 0, **kept})


def test_case_and_punctuation_are_no_difference():
    assert compare("turn on the light", "Turn on the light.") == Pair(4, 0)
    assert compare("It's eleven", "its eleven!") == Pair(2, 0)
    assert compare("turn the light", "Turn on the lights.") == Pair(4, 2)
    assert compare("thank you", "") == Pair(0, 2)


WORDS = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=3), max_size=8)


@given(WORDS, WORDS)
def test_the_distance_is_one(one, other):
    a, b = " ".join(one), " ".join(other)
    wrong = compare(a, b).wrong
    assert wrong == compare(b, a).wrong
    assert (wrong == 0) == (one == other)
    assert abs(len(one) - len(other)) <= wrong <= max(len(one), len(other))


def test_what_is_understood_may_have_few_mistakes():
    assert understood("Turn on the light", "Turn on the light.")
    assert understood("Turn on the lights", "Turn on the light.")
    assert not understood("Turn of the lights", "Turn on the light.")
