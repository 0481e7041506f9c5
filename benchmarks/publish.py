"""From the results of `compare` to tables and charts in docs/.

    python -m benchmarks.publish result.json [LATER.json ...] --chunk chunk.json --into docs

Writes the charts to docs/benchmarks/ and the tables between two marks in docs/benchmarks.md; what
stands around them is left. A measurement that a later file has replaces the earlier one.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import crowd, footprint, latency, length, start
from benchmarks.conditions import Machine
from benchmarks.svg import Lines, Spreads
from benchmarks.tables import Table, number

CHUNK = """\
Microseconds of CPU for 10 ms of audio as Home Assistant sends them: faint noise on several
connections at once, so that nothing is decoded. `whole` is what the daemon's process spends, its
event loop, its other threads and the kernel's share of both; `stages` are timed apart."""

BEGIN, END = "<!-- results -->", "<!-- end of results -->"

Result = dict[str, Any]
Chart = Spreads | Lines
Part = tuple[Table, Chart | None]


def parts(name: str, rows: list[dict[str, Any]], settings: dict[str, Any]) -> list[Part]:
    """Return the tables of one measurement, each with its chart if it has one."""
    if not rows:
        return []
    if name == "alone":
        return [
            (latency.stop_table(rows), latency.stop_chart(rows)),
            (latency.end_table(rows), latency.end_chart(rows)),
            (latency.words_table(rows, settings["usual_s"]), None),
        ]
    if name == "crowd":
        return [(crowd.table(rows), crowd.chart(rows))]
    if name == "footprint":
        return [(footprint.table(rows), None)]
    if name == "length":
        return [(length.table(rows), length.chart(rows))]
    if name == "start":
        return [(start.table(rows), None)]
    raise ValueError(f"no measurement is called {name}")


def chunk_table(report: dict[str, dict[str, float]]) -> Table:
    """Return the report of `benchmarks.chunk` as a table."""
    table = Table("chunk", "One chunk of 10 ms", CHUNK, ["part", "µs"])
    for group, costs in report.items():
        for name, cost in costs.items():
            table.add(f"{group}: {name.replace('_', ' ')}", number(cost, 1))
    return table


def conditions(result: Result) -> str:
    """Say on what machine, with what model and how much was measured."""
    settings = result["settings"]
    lines = [
        f"- Machine: {Machine(**result['machine'])}. Client and servers share its cores; while one "
        "server is measured, all others are stopped.",
        f"- Model of all servers: {result['model']}.",
        f"- Speech: {len(result['speech']['clips'])} clips of {', '.join(result['speech']['sets'])}"
        f"; settings `{settings['name']}`, chunks of {settings['chunk_ms']} ms.",
    ]
    lines += [f"- {name}: {note}." for name, note in result["servers"].items() if note]
    lines += [f"- {name} did not start: {why}" for name, why in result["failed"].items()]
    return "\n".join(lines)


def measured(name: str, one: dict[str, Any]) -> str:
    """Say when one measurement was taken and who used the processor meanwhile."""
    work = one["work"]
    return (
        f"`{name}`: {one['begun']}, {work['wall_s'] / 60:.1f} min; of one core the client used "
        f"{100 * work['client']:.0f} %, the servers {100 * work['servers']:.0f} %, all else on the "
        f"machine {100 * work['others']:.0f} %."
    )


def summary(result: Result, charts: Path | None = None) -> str:
    """Return all conditions and tables in Markdown; `charts` is where they link their charts."""
    pieces = [conditions(result)]
    for name, one in result["measured"].items():
        for table, chart in parts(name, one["rows"], result["settings"]):
            link = f"![{table.title}]({charts / f'{table.name}.svg'})\n" if charts and chart else ""
            pieces += [table.markdown(), link]
        pieces.append(measured(name, one))
    return "\n\n".join(piece.strip() for piece in pieces if piece) + "\n"


def merged(results: Sequence[Result]) -> Result:
    """Return one result with the latest of each measurement; raises ValueError if none fits."""
    first = results[0]
    for one in results[1:]:
        for key in ("machine", "model"):
            if one[key] != first[key]:
                raise ValueError(f"the results differ in their {key}")
    together = {key: value for one in results for key, value in one["measured"].items()}
    return {**results[-1], "measured": together}


def publish(result: Result, more: Sequence[Table], folder: Path) -> None:
    """Write charts and tables below a folder of documents; tables of other programs last."""
    charts = folder / "benchmarks"
    charts.mkdir(exist_ok=True)
    for name, one in result["measured"].items():
        for table, chart in parts(name, one["rows"], result["settings"]):
            if chart is not None:
                (charts / f"{table.name}.svg").write_text(chart.svg())
    page = folder / "benchmarks.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    pieces = [summary(result, Path("benchmarks")), *(table.markdown() for table in more)]
    tables = "\n".join(pieces)
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}")


def main(argv: Sequence[str] | None = None) -> None:
    """Read results, write documents."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("results", nargs="+", type=Path, metavar="JSON")
    parser.add_argument("--into", type=Path, default=Path("docs"), metavar="FOLDER")
    parser.add_argument("--chunk", type=Path, metavar="JSON", help="of benchmarks.chunk")
    options = parser.parse_args(argv)
    result = merged([json.loads(file.read_text()) for file in options.results])
    more = [chunk_table(json.loads(options.chunk.read_text()))] if options.chunk else []
    publish(result, more, options.into)


if __name__ == "__main__":
    main()
