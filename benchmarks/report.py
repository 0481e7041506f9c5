"""From measured utterances to a table: one line for each set and language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.accuracy import Measured, last_word, word_error_rate, words
from benchmarks.figures import Spread, spread
from benchmarks.one_pass import OnePass
from benchmarks.tables import NOTHING, pair, percent, pipes


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
    word_delay_s: Spread | None
    first_partial_s: Spread | None
    stop_to_transcript_s: Spread | None
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
        word_delay_s=spread([delay for m in members for delay in m.delays]),
        first_partial_s=spread([m.first_partial_s for m in members]),
        stop_to_transcript_s=spread([m.stop_to_transcript_s for m in members]),
        lag_s=max((m.lag_s for m in members), default=0.0),
    )


def _has_last_word(measured: Measured, one: OnePass) -> bool:
    texts = (one.timestamps, one.plain)
    return any(last_word(measured.clip.text, text) == "kept" for text in texts)


def _share(truths: Sequence[bool]) -> float | None:
    return sum(truths) / len(truths) if truths else None


def _count(number: int | None) -> str:
    return NOTHING if number is None else str(number)


COLUMNS: tuple[tuple[str, Callable[[Group], Any]], ...] = (
    ("set", lambda g: g.name),
    ("n", lambda g: g.utterances),
    ("errors", lambda g: g.errors),
    ("WER %", lambda g: percent(g.wer)),
    ("one pass, timestamps", lambda g: percent(g.wer_timestamps)),
    ("one pass, plain", lambda g: percent(g.wer_plain)),
    ("one revision %", lambda g: percent(g.one_revision)),
    ("chunks = text %", lambda g: percent(g.joined)),
    ("extends partials %", lambda g: percent(g.extends)),
    ("last word lost", lambda g: _count(g.lost_last_words)),
    ("misheard", lambda g: _count(g.misheard_last_words)),
    ("invented", lambda g: g.invented_words),
    ("word delay s, p50 / p95", lambda g: pair(g.word_delay_s, digits=2)),
    ("first partial s", lambda g: pair(g.first_partial_s, digits=2)),
    ("stop → text ms", lambda g: pair(g.stop_to_transcript_s, 1000)),
    ("sent late ms", lambda g: f"{1000 * g.lag_s:.0f}"),
)


def markdown(made: Sequence[Group]) -> str:
    """Write groups as a Markdown table."""
    titles = [title for title, _ in COLUMNS]
    return pipes([titles, *([str(write(one)) for _, write in COLUMNS] for one in made)])
