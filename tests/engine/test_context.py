"""Audio contexts: enough for the audio, never one that CTranslate2 misunderstands, as ruled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.engine.context import (
    CAREFUL,
    FLOOR,
    FULL,
    SHORT,
    audio_context,
    choose_rule,
)

KINDS = st.sampled_from(list(Kind))


@given(KINDS, st.floats(0.0, 30.0), st.sampled_from([0.0, FLOOR, FULL]))
def test_the_context_holds_the_audio_and_is_never_taken_for_features(kind, seconds, shortest):
    context = audio_context(kind, seconds, shortest)
    assert max(seconds, shortest) <= context <= FULL
    # As many positions as mel bands (80 or 128) would be taken for features and encoded again.
    assert round(context * 50) not in (80, 128)


@given(KINDS, st.floats(0.0, 27.0))
def test_what_is_kept_sees_that_nothing_follows(kind, seconds):
    if kind is not Kind.PARTIAL:
        # A chunk of a file ends in a pause that is heard too.
        behind = 0.5 if kind is Kind.BULK else 3.0
        assert audio_context(kind, seconds, 0.0) >= seconds + behind


def test_what_is_said_decides_and_else_care():
    assert str(choose_rule("short", "full")) == str(choose_rule("auto", "short")) == "short"
    assert str(choose_rule("full", "short")) == str(choose_rule("auto", "full")) == "full"
    assert choose_rule("auto", "") is CAREFUL
    assert not CAREFUL.proven
    assert choose_rule("short", "").why == "as chosen"
    assert choose_rule("auto", "short").why == "as the model declares"


@pytest.mark.parametrize("kind", list(Kind))
def test_with_care_only_partials_are_short(kind):
    assert CAREFUL.shortest(kind) == (FLOOR if kind is Kind.PARTIAL else FULL)
    assert SHORT.shortest(kind) == 0.0
    assert str(CAREFUL) == "from 10 s for partials, 30 s for finals"
