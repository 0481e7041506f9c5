"""What cannot be believed is told from what can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.guards import Fault, judge, nobody, repetition, token_budget


@pytest.mark.parametrize(
    ("text", "logprob", "seconds", "fault"),
    [
        ("Turn on the light.", -0.1, 2.0, None),
        ("", -0.1, 2.0, None),
        ("no no no", -0.1, 2.0, None),
        ("and so on and so on and so on", -0.1, 8.0, Fault.LOOP),
        ("5 5 5 5 5 5", -0.1, 8.0, Fault.LOOP),
        ("la" * 60, -0.1, 20.0, Fault.LOOP),
        ("Turn on the light.", -1.2, 2.0, Fault.UNLIKELY),
        ("one two three four five six seven eight nine", -0.1, 0.4, Fault.DENSE),
    ],
)
def test_judge(text: str, logprob: float, seconds: float, fault: Fault | None) -> None:
    assert judge(text, logprob, seconds) is fault


def test_an_echoed_prompt_and_a_cut_off_answer() -> None:
    assert judge("Emma, Zoë, Daniel", -0.1, 0.5, prompt="Emma, Zoë, Daniel.") is Fault.ECHO
    assert judge("Emma, Zoë, Daniel", -0.1, 3.0, prompt="Emma, Zoë, Daniel.") is None
    assert judge("Emma", -0.1, 3.0, cut_off=True) is Fault.CUT_OFF


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.integers(6, 9))
def test_every_phrase_that_goes_on_for_ever_is_a_loop(phrase: list[str], times: int) -> None:
    assert repetition(["start", *phrase * times])


@given(st.integers(0, 30))
def test_numbered_words_are_no_loop(count: int) -> None:
    assert not repetition([str(n) for n in range(count)])


def test_nobody_and_budget() -> None:
    assert nobody(0.7, -1.1, 1.0)
    assert not nobody(0.7, -0.5, 1.0)
    assert not nobody(0.1, -1.1, 1.0)
    assert nobody(0.1, -0.2, 0.2), "a note of music"
    assert not nobody(0.01, -0.2, 0.2), "a short word"
    assert token_budget(0) >= 10
    assert token_budget(30) <= 224
