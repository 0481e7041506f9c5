"""How much has to speak for a word before it is sent."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.policy import Heard, make_policy, weigh
from wyoming_streamwhisper.core.words import Word

NEVER = float("inf")


def words(text: str, *, probability: float = 0.99, pace: float = 0.5) -> list[Word]:
    return [
        Word(f" {part}" if part.isalnum() else part, i * pace, (i + 1) * pace, probability, (i,))
        for i, part in enumerate(text.split())
    ]


def hear(*texts: str, probability: float = 0.99) -> Sequence[Heard]:
    heard: Sequence[Heard] = ()
    for text in texts:
        heard = weigh(words(text, probability=probability), heard)
    return heard


@pytest.mark.parametrize(
    ("policy", "texts", "end", "count"),
    [
        ("alignatt", ["turn on the light"], 2.0, 3),
        ("alignatt", ["turn on the light"], 2.4, 4),
        ("local_agreement", ["turn on the light"], 9.0, 0),
        ("local_agreement", ["turn on", "turn on the light"], 1.0, 2),
        ("local_agreement", ["turn on", "turn off the light"], 9.0, 1),
        ("both", ["turn on", "turn on the light"], 1.0, 1),
        ("both", ["turn on the light", "turn on the light"], NEVER, 4),
        ("both", ["turn on the light .", "turn on the light ."], NEVER, 4),
    ],
)
def test_policies(policy: str, texts: list[str], end: float, count: int) -> None:
    assert make_policy(policy, guard=0.3, doubt=0.05).sure(hear(*texts), end) == count


@pytest.mark.parametrize("policy", ["alignatt", "local_agreement", "both"])
@given(st.floats(0.05, 0.999))
def test_a_doubted_word_needs_more_decodes_but_not_for_ever(
    policy: str, probability: float
) -> None:
    sure = make_policy(policy, guard=0.3, doubt=0.003).sure
    heard: Sequence[Heard] = ()
    counts = []
    for _ in range(130):
        heard = weigh(words("Zoë", probability=probability), heard)
        counts.append(sure(heard, NEVER))
    assert counts == sorted(counts), "what was sure stays sure while it is heard"
    assert counts[-1] == 1
    assert probability > 0.9 or counts[1] == 0


def test_what_is_not_confirmed_begins_anew() -> None:
    heard = hear("a b", "a b", "a c")
    assert [(h.times, round(h.doubt, 9)) for h in heard] == [(3, 1e-6), (1, 0.01)]


@given(st.lists(st.sampled_from(["a", "a b", "a b c", "b", ""]), max_size=6))
def test_evidence_follows_the_last_hypothesis(texts: list[str]) -> None:
    heard = hear(*texts)
    assert [h.word.text.strip() for h in heard] == (texts[-1].split() if texts else [])
    assert all(1 <= h.times <= len(texts) and 0 < h.doubt <= 1 for h in heard)
