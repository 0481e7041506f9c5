"""The evaluation set: sentences, names and (in some sets) voices that training never heard.

Each clip is a FLAC and a line of `manifest.jsonl`: {file, set, seconds, lang, text, other, voice,
words: [[start, end], ...] in seconds or null, names}.  Sets: command (voices of the training),
command-new-voice, pauses (0.5 s of silence inside), long (20-30 s, natural gaps), dictation (about
100 s), names, names-new-voice, free, and noise (no speech).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from tqdm import tqdm

from . import voices
from .sound import RATE, Audio, noise
from .synthesis import Clip, draw, speak_espeak, speak_process

PAUSE_S = 0.5
LONG_S, DICTATION_S = 21.0, 100.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many clips of each set (a language)."""

    command: int = 60
    new_voice: int = 30
    pauses: int = 15
    long: int = 12
    dictation: int = 2
    names: int = 60
    free: int = 60
    noise: int = 30
    noise_s: float = 60.0


@dataclass(slots=True)
class Item:
    """A clip of the set before it is written; times in seconds."""

    audio: NDArray[np.int16]
    language: str
    text: str
    other: str
    voice: str
    words: list[tuple[float, float]] | None
    names: list[str] = field(default_factory=list)


def of_clip(clip: Clip) -> Item:
    """Give one clip as an item; guessed word times count as none."""
    exact = clip.marks is not None and not clip.guessed
    words = [(a / 1000, b / 1000) for a, b in clip.marks or []]
    s = clip.sentence
    other, names = s.other or "", list(s.names)
    return Item(clip.audio, s.language, s.text, other, clip.voice, words if exact else None, names)


def joined(items: list[Item], rng: random.Random, gaps: tuple[float, float]) -> Item:
    """Join sentences with silent gaps between them."""
    parts, words, at = [], list[tuple[float, float]](), 0.0
    for item in items:
        silence = int(rng.uniform(*gaps) * RATE)
        at += silence / RATE
        words += [(at + a, at + b) for a, b in item.words or []]
        parts += [np.zeros(silence, np.int16), item.audio]
        at += len(item.audio) / RATE
    text = " ".join(item.text for item in items)
    other = " ".join(item.other for item in items)
    first, complete = items[0], len(words) == len(text.split())
    audio = np.concatenate(parts)
    return Item(audio, first.language, text, other, first.voice, words if complete else None)


def paused(item: Item, word: int) -> Item:
    """Put a pause before a word."""
    if item.words is None:
        raise ValueError("a pause needs the words' times")
    at = item.words[word][0]
    cut = int(at * RATE)
    gap = np.zeros(int(PAUSE_S * RATE), np.int16)
    audio = np.concatenate([item.audio[:cut], gap, item.audio[cut:]])
    words = [(a + PAUSE_S, b + PAUSE_S) if a >= at else (a, b) for a, b in item.words]
    return Item(audio, item.language, item.text, item.other, item.voice, words, item.names)


def microphone(audio: NDArray[np.int16], rng: np.random.Generator) -> Audio:
    """Add a little noise and a level, as a microphone has."""
    level = 10 ** (-rng.uniform(2, 20) / 20)
    x = audio.astype(np.float32)
    x = x / (np.abs(x).max() + 1) * level
    hiss = rng.standard_normal(len(x)) * level * 10 ** (-rng.uniform(35, 55) / 20)
    return np.asarray(x + hiss, np.float32)


class Speaker:
    """Draws held-out sentences and has them spoken."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def say(self, language: str, kind: str, voice: str, *, held_out: bool = False) -> Item:
        """Speak a held-out sentence by espeak-ng's voices or by one of the others."""
        sentence = draw(self.rng, "eval", language, kind)
        if voice == "espeak":
            chosen = voices.espeak_voice(self.rng, language, held_out=held_out)
            return of_clip(speak_espeak(self.rng, sentence, chosen))
        return of_clip(speak_process(self.rng, sentence, voices.parse(voice)))

    def seen(self, language: str, kind: str, number: int) -> Item:
        """Speak by a voice of the training: every other English one is not espeak-ng."""
        natural = language == "en" and number % 2 == 0
        voice = self.rng.choice(voices.NATURAL) if natural else "espeak"
        return self.say(language, kind, voice)

    def new(self, language: str, kind: str, number: int) -> Item:
        """Speak by a held-out voice."""
        natural = language == "en" and number % 2 == 1
        voice = self.rng.choice(voices.HELD_OUT_NATURAL) if natural else "espeak"
        return self.say(language, kind, voice, held_out=True)

    def with_pause(self, language: str, _: int) -> Item:
        """Speak a sentence of six words or more with a pause inside."""
        while True:
            item = self.say(language, "grammar", "espeak")
            if item.words and len(item.words) >= 6:
                return paused(item, self.rng.randint(2, len(item.words) - 2))

    def monologue(self, language: str, seconds: float, gaps: tuple[float, float]) -> Item:
        """Speak sentences by one kind of voice for about `seconds`."""
        natural = language == "en" and self.rng.random() < 0.5
        voice = self.rng.choice(voices.NATURAL) if natural else "espeak"
        items, total = list[Item](), 0.0
        while total < seconds:
            items.append(self.say(language, "grammar", voice))
            total += len(items[-1].audio) / RATE + sum(gaps) / 2
        return joined(items, self.rng, gaps)


def items(speaker: Speaker, counts: Counts) -> Iterator[tuple[str, Callable[[], Item]]]:
    """List each clip's set, and how to make it."""
    for lang in ("en", "de"):
        plans: list[tuple[str, int, Callable[[str, int], Item]]] = [
            ("command", counts.command, lambda c, i: speaker.seen(c, "grammar", i)),
            ("command-new-voice", counts.new_voice, lambda c, i: speaker.new(c, "grammar", i)),
            ("pauses", counts.pauses, speaker.with_pause),
            ("long", counts.long, lambda c, _: speaker.monologue(c, LONG_S, (0.25, 0.8))),
            (
                "dictation",
                counts.dictation,
                lambda c, _: speaker.monologue(c, DICTATION_S, (0.3, 1)),
            ),
            ("names", counts.names, lambda c, i: speaker.seen(c, "names", i)),
            ("names-new-voice", counts.names // 2, lambda c, i: speaker.new(c, "names", i)),
            ("free", counts.free, lambda c, i: speaker.seen(c, "free", i)),
        ]
        for name, count, make in plans:
            for i in range(count):
                yield name, lambda make=make, lang=lang, i=i: make(lang, i)  # type: ignore[misc]


def make(out: Path, counts: Counts, seed: int) -> int:
    """Write the set; the number of clips."""
    out.mkdir(parents=True, exist_ok=True)
    speaker, rng = Speaker(seed), np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []

    def write(name: str, item: Item) -> None:
        audio = microphone(item.audio, rng)
        file = f"{name}-{item.language}-{len(rows):03d}.flac"
        soundfile.write(out / file, audio, RATE, subtype="PCM_16")
        words = [[round(a, 3), round(b, 3)] for a, b in item.words] if item.words else None
        rows.append(
            {
                "file": file,
                "set": name,
                "seconds": round(len(audio) / RATE, 3),
                "lang": item.language,
                "text": item.text,
                "other": item.other,
                "voice": item.voice,
                "words": words,
                "names": item.names,
            }
        )

    for name, make_item in tqdm(list(items(speaker, counts)), "evaluation set", unit="clip"):
        write(name, make_item())
    for _ in range(counts.noise):
        sound = noise(rng, int(counts.noise_s * RATE)) * 20000
        write("noise", Item(sound.astype(np.int16), "en", "", "", "noise", None))
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (out / "manifest.jsonl").write_text("".join(lines))
    return len(rows)
