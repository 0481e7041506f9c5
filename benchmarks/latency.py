"""Tables and charts of `alone`: after audio-stop, after the voice, and word by word."""

from typing import Any

from benchmarks.alone import error_rate
from benchmarks.figures import Spread, spread
from benchmarks.svg import Spreads
from benchmarks.tables import Table, number, pair, percent

Rows = list[dict[str, Any]]

STOP = """\
Time from handing audio-stop to the network to reading the transcript, with so much silence between
the end of the clip and audio-stop. The same clips for all servers, in turns, one at a time, in real
time, in chunks as Home Assistant sends them. Milliseconds, p50 / p95; in brackets the p50 as a
multiple of the first server's; n is the number of utterances in each column."""

END = """\
Time from handing the last sample of the voice to the network to reading the transcript. The voice
ends with the last word as the synthesizer marked it, or with the last loud 10 ms. Where the client
ends, it says audio-stop after the silence that its detection waits for (0.25 s is Home Assistant's
`aggressive`, 0.7 s its `default`; in practice its detection takes longer than it says); where the
server ends, the client goes on with silence until the answer comes. `cut early` counts answers that
came while the voice still spoke, `in pauses` those among the clips with half a second of silence
inside; they are not in the times. Milliseconds. This is the time to final segment (TTFS) of
pipecat's stt-benchmark but for two things: it takes the end of the voice from Silero (its stop less
0.2 s), we from the marks; it takes the last of several segments, here an utterance has one
transcript."""

WORDS = """\
Clips with the usual silence behind them, or up to the server's own end. `first words`: from the
first loud block to the first partial. `word`: from handing a word's last sample to the network to
when it is shown for good, with every later text showing it too; only words with marks that the
final has right. A server without partials shows all with its transcript. LAAL: length-adaptive
average lagging (Papi et al. 2022, as SimulEval computes it, computation aware) of the final's
words, each since it was shown for good, behind a voice that speaks them evenly. Seconds, p50 / p95,
of LAAL the mean. WER is of the same utterances, with an error as no words: texts are what the times
are worth."""


def stop_table(rows: Rows) -> Table:
    """Return audio-stop to transcript, a column for each length of silence."""
    lengths = _lengths(rows)
    header = ["server", *(f"{length:g} s" for length in lengths), "n", "errors", "sent late, ms"]
    table = Table("stop", "Audio-stop to transcript", STOP, header)
    first: list[Spread | None] = []
    for server in _servers(rows):
        own = [_of(rows, server, length) for length in lengths]
        if not any(own):
            continue
        spreads = [_spread(cell, "stop_to_text") for cell in own]
        first = first or spreads
        cells = [_compared(one, other) for one, other in zip(spreads, first, strict=True)]
        counts = " / ".join(str(len(cell)) for cell in own)
        every = [row for cell in own for row in cell]
        table.add(server, *cells, counts, _errors(every), _late(every))
    return table


def stop_chart(rows: Rows) -> Spreads:
    """Draw the same."""
    lengths = _lengths(rows)
    drawn = [
        (server, [_in_ms(_of(rows, server, length), "stop_to_text") for length in lengths])
        for server in _servers(rows)
        if _of(rows, server, *lengths)
    ]
    series = [f"{length:g} s of silence" for length in lengths]
    return Spreads("stop", "Audio-stop to transcript, p50 to p95", "ms", series, drawn)


def end_table(rows: Rows) -> Table:
    """Return end of speech to transcript, a row for each server and who ends."""
    header = ["server", "who ends", "p50 / p95", "n", "errors", "cut early", "in pauses", "WER %"]
    table = Table("end", "End of speech to transcript", END, header)
    for server, who, own in _ends(rows):
        paused = [row for row in own if row["set"] == "pauses"]
        times = pair(_spread(own, "end_to_text"), 1000)
        cut = [f"{sum(row['cut'] for row in part)} of {len(part)}" for part in (own, paused)]
        table.add(server, who, times, len(own), _errors(own), *cut, percent(error_rate(own)))
    return table


def end_chart(rows: Rows) -> Spreads:
    """Draw the same, a series for each way to end."""
    ends = {(server, who): _in_ms(own, "end_to_text") for server, who, own in _ends(rows)}
    series = list(_who(rows).values())
    drawn = [(server, [ends.get((server, who)) for who in series]) for server in _servers(rows)]
    return Spreads("end", "End of speech to transcript, p50 to p95", "ms", series, drawn)


def words_table(rows: Rows, usual_s: float) -> Table:
    """Return how words come while they are spoken."""
    header = ["server", "first words", "word", "n words", "LAAL", "n", "errors", "WER %"]
    table = Table("words", "Word by word", WORDS, header)
    for server in _servers(rows):
        own = _of(rows, server, usual_s, None)
        delays = spread(delay for row in own for delay in row["delays"])
        table.add(
            server,
            pair(_spread(own, "first_partial"), digits=2),
            pair(delays, digits=2),
            delays.n if delays else 0,
            number(_mean(own, "laal"), 2),
            len(own),
            _errors(own),
            percent(error_rate(own)),
        )
    return table


def _servers(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["server"] for row in rows))


def _lengths(rows: Rows) -> list[float]:
    return sorted({row["trailing_s"] for row in rows} - {None})


def _of(rows: Rows, server: str, *trailing_s: float | None) -> Rows:
    return [row for row in rows if row["server"] == server and row["trailing_s"] in trailing_s]


def _who(rows: Rows) -> dict[float | None, str]:
    """Return who ends by length of silence; nobody's detection ends without any."""
    return {**{n: f"client, {n:g} s" for n in _lengths(rows) if n > 0}, None: "server"}


def _ends(rows: Rows) -> list[tuple[str, str, Rows]]:
    """Return server, who ends, and the rows."""
    who = _who(rows)
    every = [(server, who[n], _of(rows, server, n)) for server in _servers(rows) for n in who]
    return [one for one in every if one[2]]


def _spread(rows: Rows, key: str) -> Spread | None:
    return spread(row[key] for row in rows)


def _mean(rows: Rows, key: str) -> float | None:
    known = [row[key] for row in rows if row[key] is not None]
    return sum(known) / len(known) if known else None


def _in_ms(rows: Rows, key: str) -> Spread | None:
    one = _spread(rows, key)
    return one and Spread(one.n, 1000 * one.p50, 1000 * one.p95)


def _compared(one: Spread | None, first: Spread | None) -> str:
    if one is None or first is None or one is first:
        return pair(one, 1000)
    times = one.p50 / first.p50
    return f"{pair(one, 1000)} (× {number(times, 0 if times >= 10 else 1)})"


def _errors(rows: Rows) -> int:
    return sum(row["error"] is not None for row in rows)


def _late(rows: Rows) -> str:
    return f"{1000 * max(row['sent_late'] for row in rows):.0f}"
