"""From measured utterances to a table: one line for each set and language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.accuracy import Measured, last_word, word_error_rate, words
from benchmarks.one_pass import OnePass


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one set and language; None where nothing of the kind was measured."""

    name: str
    utterances: int
    errors: int
    wer: float | None
    wer_timestamps: float | None
    wer_plain: float | None
    one_revision: float | None
    joined: float | None
    extends: float | None
    lost_last_words: int | None
    """Missing at the end where a pass over the whole file has them."""
    misheard_last_words: int | None
    invented_words: int
    """Where nobody spoke."""
    word_delay_s: tuple[float, float] | None
    """p50 and p95, as in all that follow."""
    first_partial_s: tuple[float, float] | None
    stop_to_transcript_s: tuple[float, float] | None
    lag_s: float
    """How far the sending fell behind real time at worst; large, the delays are void."""


def groups(measured: Sequence[Measured], reference: Mapping[str, OnePass]) -> list[Group]:
    """Group by set and language, by set where it has several languages, and all together."""
    made: list[Group] = []
    for name in dict.fromkeys(m.clip.set for m in measured):
        members = [m for m in measured if m.clip.set == name]
        languages = sorted({m.clip.lang for m in members})
        for lang in languages:
            same = [m for m in members if m.clip.lang == lang]
            made.append(group(f"{name} {lang}", same, reference))
        if len(languages) > 1:
            made.append(group(name, members, reference))
    return [*made, group("all", measured, reference)]


def group(name: str, members: Sequence[Measured], reference: Mapping[str, OnePass]) -> Group:
    """Return the figures of some utterances."""
    answered = [m for m in members if m.error is None]
    known = [(m, reference[m.clip.file]) for m in members if m.clip.file in reference]
    last = [last_word(m.clip.text, m.text) for m, one in known if _has_last_word(m, one)]
    return Group(
        name=name,
        utterances=len(members),
        errors=len(members) - len(answered),
        wer=word_error_rate([(m.clip.text, m.text) for m in members]),
        wer_timestamps=word_error_rate([(m.clip.text, one.timestamps) for m, one in known]),
        wer_plain=word_error_rate([(m.clip.text, one.plain) for m, one in known]),
        one_revision=_share([m.revisions <= 1 for m in answered]),
        joined=_share([m.joined for m in answered]),
        extends=_share([m.extends for m in answered]),
        lost_last_words=last.count("lost") if known else None,
        misheard_last_words=last.count("misheard") if known else None,
        invented_words=sum(len(words(m.text)) for m in members if not words(m.clip.text)),
        word_delay_s=_p50_p95([delay for m in members for delay in m.delays]),
        first_partial_s=_p50_p95([m.first_partial_s for m in members]),
        stop_to_transcript_s=_p50_p95([m.stop_to_transcript_s for m in members]),
        lag_s=max((m.lag_s for m in members), default=0.0),
    )


def _has_last_word(measured: Measured, one: OnePass) -> bool:
    texts = (one.timestamps, one.plain)
    return any(last_word(measured.clip.text, text) == "kept" for text in texts)


def _share(truths: Sequence[bool]) -> float | None:
    return sum(truths) / len(truths) if truths else None


def _p50_p95(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    p50, p95 = np.percentile(known, [50, 95])
    return float(p50), float(p95)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _count(number: int | None) -> str:
    return "–" if number is None else str(number)


def _pair(unit: float, digits: int) -> Callable[[tuple[float, float] | None], str]:
    def write(pair: tuple[float, float] | None) -> str:
        return "–" if pair is None else " / ".join(f"{unit * v:.{digits}f}" for v in pair)

    return write


_SECONDS, _MS = _pair(1, 2), _pair(1000, 0)

COLUMNS: tuple[tuple[str, Callable[[Group], Any]], ...] = (
    ("set", lambda g: g.name),
    ("n", lambda g: g.utterances),
    ("errors", lambda g: g.errors),
    ("WER %", lambda g: _percent(g.wer)),
    ("one pass, timestamps", lambda g: _percent(g.wer_timestamps)),
    ("one pass, plain", lambda g: _percent(g.wer_plain)),
    ("one revision %", lambda g: _percent(g.one_revision)),
    ("chunks = text %", lambda g: _percent(g.joined)),
    ("extends partials %", lambda g: _percent(g.extends)),
    ("last word lost", lambda g: _count(g.lost_last_words)),
    ("misheard", lambda g: _count(g.misheard_last_words)),
    ("invented", lambda g: g.invented_words),
    ("word delay s, p50 / p95", lambda g: _SECONDS(g.word_delay_s)),
    ("first partial s", lambda g: _SECONDS(g.first_partial_s)),
    ("stop → text ms", lambda g: _MS(g.stop_to_transcript_s)),
    ("sent late ms", lambda g: f"{1000 * g.lag_s:.0f}"),
)


def markdown(made: Sequence[Group]) -> str:
    """Write groups as a Markdown table."""
    rows = [
        [title for title, _ in COLUMNS],
        ["---", *("---:" for _ in COLUMNS[1:])],
        *([str(write(one)) for _, write in COLUMNS] for one in made),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
