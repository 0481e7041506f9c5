"""Names and the last words fit into the prompt, the important ones first."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.prompt import fit, pinned, recent

tokens = st.lists(st.integers(0, 9), max_size=60)


@given(tokens, tokens, st.integers(0, 50), st.integers(1, 16))
def test_fit(head: list[int], tail: list[int], budget: int, grid: int) -> None:
    fitted = fit(head, tail, budget, grid)
    assert len(fitted) <= budget
    kept = min(len(head), budget)
    assert fitted[:kept] == head[:kept]
    rest = fitted[kept:]
    assert rest == tail[len(tail) - len(rest) :]
    assert not rest or len(fitted) % grid == 0
    wasted = min(budget, len(head) + len(tail)) - len(fitted)
    assert wasted < grid


@given(st.text("ab ", max_size=900))
def test_recent_is_the_end_at_a_word(text: str) -> None:
    kept = recent(text)
    assert len(kept) <= 400
    assert text.endswith(kept)
    if len(kept) < len(text) and " " in text[-400:]:
        assert text[-len(kept) - 1] == " " if kept else text.endswith(" ")


def test_pinned_names_once_and_bounded() -> None:
    assert pinned("", []) == ""
    assert pinned("A house.", []) == "A house."
    assert pinned(" A house. ", ["Zoë", " Emma  Stone", "Zoë", ""]) == "Zoë, Emma Stone. A house."
    assert len(pinned("", [f"{n}{'x' * 100}" for n in range(300)])) <= 100 * 66
