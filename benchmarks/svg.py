"""Two kinds of chart as small SVG files: spreads of servers side by side, and lines.

Both have a logarithmic scale where answers differ by orders of magnitude.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.figures import Spread

COLOURS = ("#0b6e99", "#d9730d", "#448361", "#9065b0", "#c14c8a", "#cb912f", "#787774", "#9f6b53")
_FONT = 'font-family="Helvetica, Arial, sans-serif" font-size="12"'
_INK, _GRID = "#37352f", "#e3e2e0"
_WIDTH, _LABELS, _RIGHT = 860, 290, 30
_TOP, _ROW, _BOTTOM = 68, 15, 40
_LINES_HEIGHT = 380

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to pixels."""

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values outside lie on the border."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Return round values within the range: 1, 2, 5 of some decades, or a few even steps."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            within = (1, 2, 5) if last - first <= 3 else (1,)
            decades = [10.0**power for power in range(first, last + 1)]
            return [n * one for one in decades for n in within if n * one <= self.high]
        rough = (self.high - self.low) / 5
        step = 10 ** math.floor(math.log10(rough))
        step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough)
        return [step * i for i in range(math.ceil(self.low / step), int(self.high / step) + 1)]


@dataclass(frozen=True, slots=True)
class Spreads:
    """Median as a dot and a line up to the 95th percentile, for each series of each server."""

    name: str
    title: str
    axis: str
    series: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Spread | None]]]
    """A server's name and its spread in each series."""

    def svg(self) -> str:
        """Draw it."""
        known = [one for _, cells in self.rows for one in cells if one is not None]
        block = len(self.series) * _ROW + 8
        bottom = _TOP + block * len(self.rows)
        scale = _decades([v for one in known for v in (one.p50, one.p95)], _LABELS, _WIDTH - _RIGHT)
        parts = [*_heading(self.title, self.series)]
        for tick in scale.ticks():
            x = scale(tick)
            parts.append(_line((x, _TOP), (x, bottom), _GRID))
            parts.append(_text((x, bottom + 16), f"{tick:g}", "middle"))
        parts.append(_text((_WIDTH - _RIGHT, bottom + 32), self.axis, "end"))
        for number, (server, cells) in enumerate(self.rows):
            top = _TOP + number * block
            parts.append(_text((_LABELS - 10, top + block / 2 + 4), server, "end"))
            for place, one in enumerate(cells):
                if one is not None:
                    y = top + 4 + (place + 0.5) * _ROW
                    parts += _dumbbell(scale, one, y, COLOURS[place % len(COLOURS)])
        return _document(bottom + _BOTTOM, parts)


@dataclass(frozen=True, slots=True)
class Lines:
    """A line for each series, and dashed levels across."""

    name: str
    title: str
    across: str
    series: Sequence[tuple[str, Sequence[Point]]]
    levels: Sequence[float] = ()
    logarithmic: bool = True

    def svg(self) -> str:
        """Draw it; infinite values lie on the upper border."""
        top = _TOP + 18 * ((len(self.series) - 1) // 2)
        bottom, left = top + _LINES_HEIGHT, 70
        points = [point for _, line in self.series for point in line]
        heights = [y for _, y in points if math.isfinite(y)] + list(self.levels)
        far = max((x for x, _ in points), default=1.0)
        x = Scale(0, far, left, _WIDTH - _RIGHT)
        y = (
            _decades(heights, bottom, top)
            if self.logarithmic
            else Scale(0, max([*heights, 1e-9]) * 1.1, bottom, top)
        )
        parts = _heading(self.title, [name for name, _ in self.series], columns=2)
        for tick in y.ticks():
            parts.append(_line((left, y(tick)), (_WIDTH - _RIGHT, y(tick)), _GRID))
            parts.append(_text((left - 8, y(tick) + 4), f"{tick:g}", "end"))
        parts += [_text((x(tick), bottom + 16), f"{tick:g}", "middle") for tick in x.ticks()]
        parts.append(_text((_WIDTH - _RIGHT, bottom + 32), self.across, "end"))
        for level in self.levels:
            ends = (left, y(level)), (_WIDTH - _RIGHT, y(level))
            parts.append(_line(*ends, _INK, 'stroke-dasharray="4 4"'))
        for place, (_, line) in enumerate(self.series):
            parts += _curve([(x(a), y(b)) for a, b in line], COLOURS[place % len(COLOURS)])
        return _document(bottom + _BOTTOM, parts)


def _decades(values: Iterable[float], begin: float, end: float) -> Scale:
    known = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(known)))
    high = 10.0 ** math.ceil(math.log10(max(known)))
    return Scale(low, high if high > low else 10 * low, begin, end, logarithmic=True)


def _heading(title: str, series: Sequence[str], columns: int = 0) -> list[str]:
    """Draw title and legend: in one line, or in so many columns."""
    parts = [_text((14, 24), title, "start", 'font-weight="bold"')]
    for place, name in enumerate(series):
        row, column = divmod(place, columns or len(series))
        at = (14 + column * (_WIDTH - 28) / (columns or max(4, len(series))), 46 + 18 * row)
        parts.append(_dot((at[0] + 4, at[1] - 4), COLOURS[place % len(COLOURS)]))
        parts.append(_text((at[0] + 14, at[1]), name, "start"))
    return parts


def _dumbbell(scale: Scale, one: Spread, y: float, colour: str) -> list[str]:
    ends = (scale(one.p50), y), (scale(one.p95), y)
    return [_line(*ends, colour, 'stroke-width="3" stroke-opacity="0.5"'), _dot(ends[0], colour)]


def _curve(points: Sequence[Point], colour: str) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [line, *(_dot(point, colour) for point in points)]


def _dot(at: Point, colour: str) -> str:
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4" fill="{colour}"/>'


def _line(begin: Point, end: Point, colour: str, more: str = "") -> str:
    ends = f'x1="{begin[0]:.1f}" y1="{begin[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {ends} stroke="{colour}" {more}/>'


def _text(at: Point, text: str, anchor: str, more: str = "") -> str:
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{_INK}" {_FONT} {more}>{escape(text)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    background = '<rect width="100%" height="100%" fill="white"/>'
    body = "\n".join([background, *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{body}\n</svg>\n'
