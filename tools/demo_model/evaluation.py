"""How good a model is: each clip heard in the ways that streaming and its peers hear it.

Greedy throughout.  Errors are word error rates in percent; every figure goes to JSON, and as a
table to Markdown.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
from tqdm import tqdm

from .hearing import FULL_S, Hearing
from .sound import RATE, Audio

SHORT_S = 2.0  # audio context where as little as possible is encoded
CUT_AFTER_S, BEGUN_BEFORE_S = 0.04, 0.03
FEWEST_WORDS = 4  # of a clip that is cut
DISTRACTORS = 8
NOISE_WINDOW_S = 8
NEVER = ""


def words(text: str) -> str:
    """Give the words of a text as they are compared: lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w\s:]", " ", text.lower()).split())


@dataclass(slots=True)
class Pairs:
    """References and what was heard."""

    references: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def add(self, reference: str, heard: str) -> None:
        """Add one text."""
        self.references.append(words(reference))
        self.heard.append(words(heard))

    def error(self) -> float:
        """Give the word error rate in percent."""
        return round(100 * float(jiwer.wer(self.references, self.heard)), 2)


@dataclass(slots=True)
class Findings:
    """What the evaluation found, by set and way of hearing."""

    pairs: dict[tuple[str, str], Pairs] = field(default_factory=dict)
    word_shift_s: list[float] = field(default_factory=list)
    invented: int = 0
    noise_s: float = 0.0
    names_wrong: dict[str, list[int]] = field(default_factory=dict)  # way: wrong, all
    languages: list[int] = field(default_factory=lambda: [0, 0])

    def note(self, name: str, way: str, reference: str, heard: str) -> None:
        """Note one text heard in one way."""
        self.pairs.setdefault((name, way), Pairs()).add(reference, heard)

    def note_names(self, key: str, names: list[str], heard: str) -> None:
        """Note which names are written exactly."""
        wrong = self.names_wrong.setdefault(key, [0, 0])
        # The case of a letter is no error: a name may begin a sentence or be shouted.
        said = words(heard).split()
        wrong[0] += sum(name.lower() not in said for name in names)
        wrong[1] += len(names)

    def figures(self) -> dict[str, Any]:
        """Give every figure as JSON holds it."""
        table: dict[str, Any] = {}
        for (name, way), pairs in sorted(self.pairs.items()):
            table.setdefault(name, {})[way] = {"wer": pairs.error(), "clips": len(pairs.heard)}
        shift = np.array(self.word_shift_s or [np.nan]) * 1000
        return {
            "errors": table,
            "names wrong": {
                way: {"percent": round(100 * wrong / max(1, count), 2), "names": count}
                for way, (wrong, count) in sorted(self.names_wrong.items())
            },
            "word start, ms": {
                "median": round(float(np.median(shift)), 1),
                "p90": round(float(np.quantile(shift, 0.9)), 1),
                "words": len(self.word_shift_s),
            },
            "invented words on noise": {"words": self.invented, "minutes": self.noise_s / 60},
            "language detected": {"right": self.languages[0], "of": self.languages[1]},
        }


class Evaluation:
    """One model on one evaluation set."""

    def __init__(self, hearing: Hearing, folder: Path, seed: int = 3) -> None:
        self.hearing, self.folder, self.rng = hearing, folder, random.Random(seed)
        lines = (folder / "manifest.jsonl").read_text().splitlines()
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.found = Findings()
        self._names = sorted({name for row in self.rows for name in row.get("names", [])})

    def run(self, limit: int | None = None, only: str = "") -> Findings:
        """Hear all clips, or the first `limit` of each set whose name matches `only`."""
        chosen = list(self._chosen(limit, only))
        for row in tqdm(chosen, "evaluation", unit="clip"):
            audio, _ = soundfile.read(self.folder / row["file"], dtype="float32")
            if row["set"] == "noise":
                self._noise(audio)
            elif row["set"].startswith("names"):
                self._named(row, audio)
            else:
                self._speech(row, audio)
        return self.found

    def _chosen(self, limit: int | None, only: str) -> Iterator[dict[str, Any]]:
        counts: dict[tuple[str, str], int] = {}
        for row in self.rows:
            key = row["set"], row["lang"]
            counts[key] = counts.get(key, 0) + 1
            if (limit is None or counts[key] <= limit) and re.search(only, row["set"]):
                yield row

    def _noise(self, audio: Audio) -> None:
        n = NOISE_WINDOW_S * RATE
        for start in range(0, len(audio) - RATE, n):
            part = audio[start : start + n]
            self.found.noise_s += len(part) / RATE
            for context in (SHORT_S, None) if start == 0 else (SHORT_S,):
                self.found.invented += len(
                    words(self.hearing.decode(part, "en", context)[0]).split()
                )

    def _speech(self, row: dict[str, Any], audio: Audio) -> None:
        name, lang, text = f"{row['set']} {row['lang']}", row["lang"], row["text"]
        found, hearing = self.found, self.hearing
        found.note(name, "one pass, timestamps", text, hearing.one_pass(audio, lang))
        if len(audio) > FULL_S * RATE:
            found.note(name, "one pass, plain", text, hearing.one_pass_plain(audio, lang))
            return
        found.note(name, "30 s context", text, hearing.decode(audio, lang, None)[0])
        short, _ = hearing.decode(audio, lang, SHORT_S)
        found.note(name, "short context", text, short)
        longer = len(audio) / RATE + 3
        found.note(name, "context + 3 s", text, hearing.decode(audio, lang, longer)[0])
        if row["set"].startswith("command"):
            self._command(row, audio)
        if row["words"] and words(short) == words(text):
            self._align(row, audio)

    def _command(self, row: dict[str, Any], audio: Audio) -> None:
        name, lang, found = f"{row['set']} {row['lang']}", row["lang"], self.found
        found.languages[0] += self.hearing.language_of(audio) == lang
        found.languages[1] += 1
        if lang == "de":
            english, _ = self.hearing.decode(audio, lang, SHORT_S, task="translate")
            found.note(name, "to English", row["other"], english)
        if not row["words"] or len(row["words"]) < FEWEST_WORDS:
            return
        said = row["text"].split()
        k = self.rng.randint(2, len(said) - 1)
        cut = audio[: int((row["words"][k - 1][1] + CUT_AFTER_S) * RATE)]
        before, after = " ".join(said[:k]), " ".join(said[k:])
        heard, _ = self.hearing.decode(cut, lang, SHORT_S)
        found.note(name, "cut after a word", before, heard)
        begun = audio[max(0, int((row["words"][k][0] - BEGUN_BEFORE_S) * RATE)) :]
        heard, _ = self.hearing.decode(begun, lang, SHORT_S, prompt=before)
        found.note(name, "begun, prompted", after, heard)

    def _named(self, row: dict[str, Any], audio: Audio) -> None:
        name, lang = f"{row['set']} {row['lang']}", row["lang"]
        others = [n for n in self._names if n not in row["names"]]
        others = self.rng.sample(others, min(DISTRACTORS, len(others)))
        listed = [*row["names"], *others]
        self.rng.shuffle(listed)
        prompts = {
            "without prompt": NEVER,
            "names in prompt": ", ".join(listed) + ".",
            "others in prompt": ", ".join(others) + ".",
        }
        for way, prompt in prompts.items():
            heard, _ = self.hearing.decode(audio, lang, SHORT_S, prompt=prompt)
            self.found.note(name, way, row["text"], heard)
            self.found.note_names(f"{name}: {way}", row["names"], heard)

    def _align(self, row: dict[str, Any], audio: Audio) -> None:
        starts = self.hearing.word_starts(audio, row["lang"], row["text"].split())
        for found, (marked, _) in zip(starts, row["words"], strict=True):
            if found is not None:
                self.found.word_shift_s.append(abs(found - marked))


def markdown(figures: dict[str, Any]) -> str:
    """Write the figures as tables."""
    ways = sorted({way for row in figures["errors"].values() for way in row})
    lines = ["| set | " + " | ".join(ways) + " |", "|---" * (len(ways) + 1) + "|"]
    for name, row in figures["errors"].items():
        cells = [f"{row[way]['wer']}" if way in row else "–" for way in ways]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| measure | value |", "|---|---|"]
    for way, value in figures["names wrong"].items():
        lines.append(f"| names wrong, {way} | {value['percent']} % of {value['names']} |")
    shift, noise = figures["word start, ms"], figures["invented words on noise"]
    lines.append(f"| word start, median (90 %) | {shift['median']} ms ({shift['p90']} ms) |")
    minutes = round(noise["minutes"], 1)
    lines.append(f"| invented words on {minutes} minutes of noise | {noise['words']} |")
    right = figures["language detected"]
    lines.append(f"| language detected | {right['right']} of {right['of']} |")
    return "\n".join(lines) + "\n"


def write(figures: dict[str, Any], out: Path) -> None:
    """Write OUT.json and OUT.md."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")
    out.with_suffix(".md").write_text(markdown(figures))
