"""Whether words are lost or doubled where a long recording was cut: pure, over texts and times.

A word of the known text is missing for one of three reasons: the model does not hear it (then it is
missing where its clip is transcribed alone too), the cut hurt it, or the joining dropped it (then a
chunk has it). What is near a seam is compared with what is not.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jiwer

from benchmarks.accuracy import words

NEAR = 1.0
"""Seconds around a seam that count as near."""
_SAME = 0.7
"""Seconds by which two decodes may put the same word apart."""
_BESIDE = 3
"""A word is doubled where it stands among so many words before or behind as well."""

Timed = tuple[str, float, float]
"""A word in the normal form, with begin and end in seconds."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """What became of a recording on its way: `chunks` are (begin, end) and what was heard there."""

    output: tuple[Timed, ...]
    chunks: tuple[tuple[float, float, tuple[Timed, ...]], ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one word of the known text, or of a word too many (`extra`)."""

    word: str
    at: float
    kind: str
    """`equal`, `wrong`, `missing` or `extra`."""
    near: bool
    alone: bool = True
    """Whether its clip alone has it."""
    dropped: bool = False
    """It is missing, and a chunk has it."""
    doubled: bool = False
    """It is too much, and stands beside as well."""


def timed(text: str, start: float, end: float) -> list[Timed]:
    """Return the words in the normal form of one that a model wrote."""
    return [(word, start, end) for word in words(text)]


def seams(chunks: Sequence[tuple[float, float, Any]]) -> list[tuple[float, float]]:
    """Return the stretch around each seam: what two chunks share or leave out, and NEAR more."""
    return [
        (min(before[1], after[0]) - NEAR, max(before[1], after[0]) + NEAR)
        for before, after in pairwise(sorted(chunks, key=lambda chunk: chunk[0]))
    ]


def fates(clips: Sequence[tuple[str, str]], cutting: Cutting) -> list[Fate]:
    """Tell of each word what became of it; `clips` are what was said and what each gives alone."""
    spoken = [word for text, _ in clips for word in words(text)]
    alone = [has for text, heard in clips for has in _kept(words(text), words(heard))]
    output, around = cutting.output, seams(cutting.chunks)
    begins = [begin for begin, _ in around]
    heard = sorted((word for *_, found in cutting.chunks for word in found), key=_middle)
    found = list[Fate]()

    def is_near(at: float) -> bool:
        # Chunks are in order, so that one of the last few before a time holds it, if any does.
        last = bisect_left(begins, at)
        return any(begin <= at <= end for begin, end in around[max(last - 3, 0) : last])

    for kind, ours, theirs in _aligned(spoken, [word for word, *_ in output]):
        at = _time(output, theirs)
        if kind == "extra":
            word = output[theirs][0]
            beside = output[max(theirs - _BESIDE, 0) : theirs] + output[theirs + 1 :][:_BESIDE]
            twice = any(word == other for other, *_ in beside)
            found.append(Fate(word, at, kind, is_near(at), doubled=twice))
        else:
            word = spoken[ours]
            has = kind == "missing" and _has(heard, word, output, theirs)
            found.append(Fate(word, at, kind, is_near(at), alone[ours], has))
    return found


def summary(found: Sequence[Fate]) -> dict[str, dict[str, float]]:
    """Return counts and rates of the words near a seam and of the others."""
    return {
        place: _rates([fate for fate in found if fate.near == near])
        for place, near in (("near", True), ("away", False))
    }


def suspects(found: Sequence[Fate]) -> list[Fate]:
    """Return what a seam may be to blame for: near one, and the clip alone has it otherwise."""
    return [
        fate
        for fate in found
        if fate.dropped or (fate.near and (fate.doubled or (fate.kind == "missing" and fate.alone)))
    ]


def _rates(found: Sequence[Fate]) -> dict[str, float]:
    said = [fate for fate in found if fate.kind != "extra"]
    count = max(len(said), 1)
    missing = [fate for fate in said if fate.kind == "missing"]
    return {
        "words": len(said),
        "missing": len(missing) / count,
        "wrong": sum(fate.kind == "wrong" for fate in said) / count,
        "extra": (len(found) - len(said)) / count,
        "doubled": sum(fate.doubled for fate in found) / count,
        "not_alone": sum(not fate.alone for fate in said) / count,
        "missing_not_alone": sum(fate.alone for fate in missing) / count,
        "dropped": sum(fate.dropped for fate in found),
    }


def _aligned(a: Sequence[str], b: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return kind and both places of each word; where there is none, that of the next one."""
    if not (a and b):
        return [("missing", i, 0) for i in range(len(a))] + [("extra", 0, j) for j in range(len(b))]
    pairs = []
    for part in jiwer.process_words(" ".join(a), " ".join(b)).alignments[0]:
        ours, theirs = part.ref_end_idx - part.ref_start_idx, part.hyp_end_idx - part.hyp_start_idx
        kind = {"equal": "equal", "substitute": "wrong", "delete": "missing", "insert": "extra"}
        for step in range(max(ours, theirs)):
            i = part.ref_start_idx + min(step, ours)
            pairs.append((kind[part.type], i, part.hyp_start_idx + min(step, theirs)))
    return pairs


def _kept(spoken: Sequence[str], heard: Sequence[str]) -> list[bool]:
    """Tell of each word that was said whether it was heard."""
    return [kind == "equal" for kind, *_ in _aligned(spoken, heard) if kind != "extra"]


def _time(output: Sequence[Timed], place: int) -> float:
    """Return the middle of a word, and of the gap before one that is missing about the same."""
    return _middle(output[min(place, len(output) - 1)]) if output else 0.0


def _has(heard: Sequence[Timed], word: str, output: Sequence[Timed], place: int) -> bool:
    """Whether a chunk has a word that is missing between two words of the output."""
    begin = output[place - 1][1] if place else 0.0
    end = output[place][2] if place < len(output) else float("inf")
    inside = [one for one in heard if begin - _SAME < _middle(one) < end + _SAME]
    around = output[max(place - _BESIDE, 0) : place + _BESIDE]
    return _count(inside, word) > 0 and _count(around, word) == 0


def _count(found: Sequence[Timed], word: str) -> int:
    return sum(one == word for one, *_ in found)


def _middle(word: Timed) -> float:
    return (word[1] + word[2]) / 2
