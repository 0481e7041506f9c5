"""Word distances are Levenshtein's."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.edits import distance

words = st.lists(st.sampled_from("abc"), max_size=12)


def slow(a: list[str], b: list[str]) -> int:
    """Do it as the books have it."""
    if not a or not b:
        return len(a) + len(b)
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        rows.append([i])
        for j, y in enumerate(b, 1):
            rows[i].append(
                min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y))
            )
    return rows[-1][-1]


@given(words, words)
def test_distance(a: list[str], b: list[str]) -> None:
    assert distance(a, b) == slow(a, b)
