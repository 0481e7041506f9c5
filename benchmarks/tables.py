"""How figures are written: cells of tables, and tables in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Spread

NOTHING = "–"


def percent(share: float | None) -> str:
    """Write a share with one decimal."""
    return NOTHING if share is None else f"{100 * share:.1f}"


def pair(pair: Spread | None, unit: float = 1.0, digits: int = 0) -> str:
    """Write p50 / p95, times `unit`."""
    return (
        NOTHING if pair is None else f"{unit * pair.p50:.{digits}f} / {unit * pair.p95:.{digits}f}"
    )


def number(value: float | None, digits: int = 0) -> str:
    """Write a number; infinity stands for what never came."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("inf", "∞")


def pipes(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as a Markdown table; the first is the header, the first column holds words."""
    header, *others = rows
    lines = [header, ["---", *("---:" for _ in header[1:])], *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(slots=True)
class Table:
    """A table with how its figures were measured."""

    name: str
    """Of files that belong to it."""
    title: str
    method: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row; as many cells as the header has."""
        if len(cells) != len(self.header):
            raise ValueError(f"{len(cells)} cells for {len(self.header)} columns")
        self.rows.append([str(cell) for cell in cells])

    def markdown(self) -> str:
        """Write title, method and table."""
        return f"### {self.title}\n\n{self.method}\n\n{pipes([self.header, *self.rows])}\n"
