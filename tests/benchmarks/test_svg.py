"""Charts are XML, and values lie where they belong."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Spread
from benchmarks.svg import Lines, Scale, Spreads

SVG = "{http://www.w3.org/2000/svg}"


@given(st.floats(0.1, 1000), st.floats(0.1, 1000), st.booleans())
def test_larger_values_lie_further(one: float, other: float, logarithmic: bool) -> None:
    scale = Scale(0.1, 1000, 0, 100, logarithmic)
    low, high = sorted((one, other))
    assert 0 <= scale(low) <= scale(high) <= 100


def test_decades_are_equally_wide() -> None:
    scale = Scale(1, 1000, 0, 300, logarithmic=True)
    assert [scale(tick) for tick in scale.ticks()] == pytest.approx(
        [0, 30.1, 69.9, 100, 130.1, 169.9, 200, 230.1, 269.9, 300], abs=0.01
    )
    assert Scale(1, 1e5, 0, 1, logarithmic=True).ticks() == [1, 10, 100, 1000, 10_000, 100_000]
    assert Scale(0, 64, 0, 1).ticks() == [0, 20, 40, 60]


def test_a_spread_is_a_dot_and_a_line_and_nothing_is_nothing() -> None:
    rows = [("ours & others", [Spread(3, 10, 100), None])]
    drawn = ElementTree.fromstring(Spreads("a", "A <title>", "ms", ["one", "two"], rows).svg())
    texts = [one.text for one in drawn.iter(f"{SVG}text")]
    assert {"A <title>", "ours & others", "10", "100"} <= set(texts)
    assert len(list(drawn.iter(f"{SVG}circle"))) == 3  # two in the legend


def test_infinite_values_lie_on_the_border() -> None:
    lines = Lines("a", "A", "n", [("ours", [(1, 5), (2, math.inf)])], levels=[300])
    drawn = ElementTree.fromstring(lines.svg())
    heights = [float(one.get("cy", "nan")) for one in drawn.iter(f"{SVG}circle")][1:]
    assert heights[1] < heights[0]
    ElementTree.fromstring(Lines("a", "A", "n", []).svg())
