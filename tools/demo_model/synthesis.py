"""One clip: a sentence drawn from the grammar, the names or the free texts, and its speech."""

from __future__ import annotations

import functools
import hashlib
import itertools
import random
import subprocess
import tempfile
import wave
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soxr
from numpy.typing import NDArray

from . import free, names
from .espeak import Manner, shared
from .grammar import Pair, sample, spoken_word
from .sound import RATE
from .sounds import by_written_word
from .voices import Voice

KINDS = ("grammar", "names", "free")
Split = Literal["train", "eval"]
SILENT_AMPLITUDE = 150  # of 32767; below it a synthesizer says nothing
KEPT_SILENCE = 480  # samples left at either end
SHORTEST_S, LONGEST_S = 0.3, 14
PLAIN_ENGLISH = "gmw/en-US"  # whose phonemes stand for those of other synthesizers


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, what it means in the other language (if known), and the names in it."""

    language: str
    text: str
    other: str | None = None
    names: tuple[str, ...] = ()
    kind: str = "grammar"


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech at 16 kHz.

    `sounds` are the phonemes (`sounds.by_written_word`), `marks` (start, end) of each written word
    in milliseconds, `guessed` the words whose start is an estimate.
    """

    audio: NDArray[np.int16]
    sentence: Sentence
    voice: str
    sounds: list[str]
    marks: list[tuple[int, int]] | None = None
    guessed: list[int] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Give the clip without its audio, as a line of the index."""
        return {
            **asdict(self.sentence),
            "voice": self.voice,
            "sounds": self.sounds,
            "marks": self.marks,
            "guessed": self.guessed,
        }


def is_eval(pair: Pair) -> bool:
    """Tell the split by sentence: about one in 40 is never trained on, in either language."""
    return int(hashlib.sha1(pair.en.encode(), usedforsecurity=False).hexdigest(), 16) % 40 == 0


@functools.cache
def _free_sentences(language: str, split: Split) -> tuple[str, ...]:
    wanted = split == "eval"
    return tuple(t for t in free.sentences(language) if free.held_out(t) == wanted)


def draw(rng: random.Random, split: Split, language: str, kind: str = "grammar") -> Sentence:
    """Draw a random sentence of a kind that belongs to `split`."""
    if kind == "free" and (texts := _free_sentences(language, split)):
        return Sentence(language, rng.choice(texts), kind="free")
    found: tuple[str, ...] = ()
    while True:
        if kind == "names":
            named = names.sample_named(rng, split)
            pair, found = named.pair, named.names
        else:
            pair = sample(rng)
        if found and split == "eval":
            break
        if is_eval(pair) == (split == "eval"):
            break
    text, other = (pair.en, pair.de) if language == "en" else (pair.de, pair.en)
    return Sentence(language, text, other, found, "names" if found else "grammar")


def words_as_spoken(text: str, language: str) -> tuple[str, list[int]]:
    """Give the text for the synthesizer, and for each of its characters the word it is of."""
    out, owner = "", []
    for i, word in enumerate(text.split()):
        piece = spoken_word(word, language) + " "
        out += piece
        owner += [i] * len(piece)
    return out.rstrip(), owner


def trim(audio: NDArray[np.int16]) -> tuple[NDArray[np.int16], int]:
    """`audio` without the silence around it (30 ms are kept), and the samples cut in front."""
    loud = np.flatnonzero(np.abs(audio.astype(np.int32)) > SILENT_AMPLITUDE)
    if not len(loud):
        return audio, 0
    start = max(0, int(loud[0]) - KEPT_SILENCE)
    return audio[start : int(loud[-1]) + KEPT_SILENCE], start


def at_16k(audio: NDArray[np.int16], rate: int) -> NDArray[np.int16]:
    """`audio` resampled to 16 kHz."""
    if rate == RATE:
        return audio
    resampled = soxr.resample(audio.astype(np.float32) / 32768, rate, RATE)
    return np.asarray(np.clip(resampled, -1, 1) * 32767, np.int16)


def _starts(words: list[tuple[int, int]], owner: list[int], cut: int) -> dict[int, int]:
    """Start in ms after trimming of each written word that espeak-ng marked."""
    starts: dict[int, int] = {}
    for position, ms in words:
        if 0 <= position < len(owner):
            starts.setdefault(owner[position], max(0, ms - cut * 1000 // RATE))
    return starts


def fill_marks(
    starts: dict[int, int], words: list[str], end_ms: int
) -> tuple[list[tuple[int, int]], list[int]] | None:
    """(start, end) of every word, and which starts are guessed; None where the order is broken.

    espeak-ng says "in the" as one word and marks only its first: the others' starts are guessed
    from the number of letters, good enough to teach attention but not to cut at.
    """
    known = sorted(starts)
    times = [starts[i] for i in known]
    if not known or known[0] != 0 or any(a >= b for a, b in itertools.pairwise(times)):
        return None
    edges: list[int] = []
    for i, following in zip(known, [*known[1:], len(words)], strict=True):
        group = words[i:following]
        until = starts.get(following, end_ms)
        total = sum(len(word) + 1 for word in group)
        before = [sum(len(word) + 1 for word in group[:k]) for k in range(len(group))]
        edges += [starts[i] + (until - starts[i]) * b // total for b in before]
    guessed = [i for i in range(len(words)) if i not in starts]
    return list(zip(edges, [*edges[1:], end_ms], strict=True)), guessed


def speak_espeak(rng: random.Random, sentence: Sentence, voice: Voice) -> Clip:
    """`sentence` by espeak-ng, at a random speed and pitch, with its words' marks."""
    engine = shared()
    said, owner = words_as_spoken(sentence.text, sentence.language)
    manner = Manner(rng.randint(120, 200), rng.randint(30, 70), rng.randint(30, 70))
    raw, words = engine.say(said, voice.name, manner)
    audio, cut = trim(at_16k(raw, engine.rate))
    starts, end_ms = _starts(words, owner, cut), len(audio) * 1000 // RATE
    written = sentence.text.split()
    filled = fill_marks(starts, written, end_ms)
    known = sorted(starts) if filled else []
    sounds = by_written_word(engine.sounds(said, voice.name), known, len(written))
    return Clip(audio, sentence, str(voice), sounds, *(filled or ()))


def _flite(said: str, voice: str, stretch: float, out: Path) -> None:
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", said]
    subprocess.run([*command, "-o", out], check=True, stdout=subprocess.DEVNULL)


def _festival(said: str, voice: str, stretch: float, out: Path) -> None:
    speed = f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {stretch:.2f}))"
    subprocess.run(
        ["text2wave", "-eval", speed, "-o", out],
        input=said.encode(),
        check=True,
        stderr=subprocess.DEVNULL,
    )


def speak_process(rng: random.Random, sentence: Sentence, voice: Voice) -> Clip:
    """`sentence` by flite or festival, each clip a process of its own; no marks."""
    said, _ = words_as_spoken(sentence.text, sentence.language)
    run = _flite if voice.engine == "flite" else _festival
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        run(said, voice.name, rng.uniform(0.85, 1.2), path)
        with wave.open(str(path)) as file:
            raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            rate = file.getframerate()
    sounds = by_written_word(shared().sounds(said, PLAIN_ENGLISH), [], 0)
    return Clip(trim(at_16k(raw, rate))[0], sentence, str(voice), sounds)


def usable(clip: Clip) -> bool:
    """Whether the clip's length is that of speech."""
    return SHORTEST_S * RATE < len(clip.audio) < LONGEST_S * RATE
