"""Training examples: windows of speech with the tokens that Whisper should write for them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .corpus import Corpus
from .sound import RATE, Audio, noise, spoil
from .track import FULL_S, Piece, Track, Window
from .vocabulary import (
    EOT,
    LANGUAGE,
    NO_TIMESTAMPS,
    PREV,
    SOT,
    TIMESTAMP_0,
    TRANSCRIBE,
    TRANSLATE,
    Vocabulary,
    encode,
    encode_words,
)

LATEST_FIRST_TIMESTAMP = 50  # Whisper's decoders let speech begin within a second
LONGEST_PROMPT = 120  # tokens
STAMP_S = 0.06  # around a timestamp: where the guided heads look for it
POOL_S = 700.0  # audio drawn at a time, then sorted by length
FULL_WINDOW_S = 29.0  # from here on an unfinished sentence is left to the next window


@dataclass(slots=True)
class Example:
    """Audio and its tokens; the targets begin behind index `first` (that of SOT).

    `again` holds other tokens for the same audio: with or without timestamps, after another
    prompt, in English.  Encoding costs most of a step; what is encoded is written twice.
    """

    audio: Audio
    tokens: list[int]
    first: int
    sounds: list[int] = field(default_factory=list)  # `sounds.numbers_of`
    spans: list[tuple[int, float, float]] = field(default_factory=list)  # token, start s, end s
    silent: bool = False
    again: Example | None = None


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the kinds of examples (of the audio for `long`, else of the single sentences)."""

    long: float = 0.55
    cut: float = 0.18
    begun: float = 0.13
    both: float = 0.05
    translate: float = 0.2
    silence: float = 0.035
    stamped: float = 0.35
    stamped_long: float = 0.55
    names_prompted: float = 0.65
    again: float = 0.8  # of the windows: written in a second way too
    again_translated: float = 0.5  # of those that are German and whole
    longest_s: float = FULL_S  # of the windows, once they are grown
    free: float = 0.3  # of the free sentences that are used at all
    names: float = 1.0  # of the sentences with names, likewise
    plain_long: float = 0.6  # of the names and free sentences left out of long windows
    natural: float = 0.22  # draws from the voices that are no espeak-ng


def parts(
    piece: Piece, offset: float, *, translated: bool
) -> Iterator[tuple[Sequence[int], tuple[float, float]]]:
    """Yield a piece's tokens in parts, each with when it is said, in seconds of the window.

    Of words without marks, and of a translation, only the sentence's times are known.
    """
    whole = (piece.start, piece.end)
    if translated:
        yield encode_words(piece.line.row["other"]), whole
        return
    for i, word in enumerate(piece.text.split()):
        span = piece.line.span(piece.first + i)
        times = (max(0.0, span[0] - offset), span[1] - offset) if span else whole
        yield encode(" " + word), times


class Maker:
    """Draws examples; `progress` (0 to 1) lets the windows grow."""

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, seed: int, mix: Mix | None = None):
        self.corpus, self.mix = corpus, mix or Mix()
        self.r, self.g = random.Random(seed), np.random.default_rng(seed)
        rows = [row for row in corpus.rows if vocabulary.knows(row["text"])]
        rows = [row for row in rows if not row["other"] or vocabulary.knows(row["other"])]
        used = {"free": self.mix.free, "names": self.mix.names}
        rows = [row for row in rows if self.r.random() < used.get(row["kind"], 1.0)]
        self._espeak = {
            code: [r for r in rows if r["language"] == code and r["voice"].startswith("espeak")]
            for code in LANGUAGE
        }
        self._natural = [row for row in rows if not row["voice"].startswith("espeak")]
        self._names = [name for row in rows for name in row["names"]]
        self._by_voice: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in rows:
            self._by_voice.setdefault((row["language"], row["voice"]), []).append(row)

    # Rows

    def row(self, language: str | None = None) -> dict[str, Any]:
        """Draw a row, of a language or of any."""
        if language in (None, "en") and self._natural and self.r.random() < self.mix.natural:
            return self.r.choice(self._natural)
        code = language or ("en" if self.r.random() < 0.55 else "de")
        return self.r.choice(self._espeak[code] or self._natural)

    def _marked(self) -> dict[str, Any]:
        code = "en" if self.r.random() < 0.6 else "de"
        while not (row := self.r.choice(self._espeak[code]))["marks"] or len(row["marks"]) < 3:
            pass
        return row

    # Prompts

    def _names_prompt(self, rows: list[dict[str, Any]]) -> str:
        """Write a list of names, those that are said among others; empty most of the time."""
        said = [name for row in rows for name in row["names"]]
        if self.r.random() > (self.mix.names_prompted if said else 0.05) or not self._names:
            return ""
        listed = said if self.r.random() < 0.88 else []
        others = self.r.randint(0, 12) if self.r.random() < 0.8 else 0
        listed = [*dict.fromkeys(listed), *self.r.choices(self._names, k=others)]
        if not listed:
            return ""
        self.r.shuffle(listed)
        end = self.r.choice([".", ".", ""])
        return self.r.choice(["", "", "", "Names: "]) + ", ".join(listed) + end

    def _history(self, language: str) -> str:
        count = self.r.choice([1, 1, 1, 2, 3, 5])
        return " ".join(self.row(language)["text"] for _ in range(count))

    def _prompt(self, window: Window, language: str) -> list[int]:
        names = self._names_prompt([piece.line.row for piece in window.pieces])
        history = ""
        if window.before:
            if self.r.random() < 0.8:
                history = window.before
                if self.r.random() < 0.25:
                    history = f"{self._history(language)} {history}"
        elif self.r.random() < 0.12:
            history = self._history(language)
        tokens = [*encode_words(names), *encode_words(history)]
        return [PREV, *tokens[-LONGEST_PROMPT:]] if tokens else []

    # Windows to examples

    def _write(
        self, example: Example, window: Window, *, stamps: bool, translated: bool = False
    ) -> None:
        """Append a window's tokens to the example, with their times."""
        for number, piece in enumerate(window.pieces):
            if stamps:
                self._stamp(example, piece.start, is_first=number == 0)
            for tokens, times in parts(piece, window.offset, translated=translated):
                at = len(example.tokens)
                example.spans += [(at + i, *times) for i in range(len(tokens))]
                example.tokens += tokens
            if stamps:
                self._stamp(example, piece.end)

    def _stamp(self, example: Example, seconds: float, *, is_first: bool = False) -> None:
        """Append a timestamp, and that it is to be read off at its time."""
        around = (max(0.0, seconds - STAMP_S), seconds + STAMP_S)
        example.spans.append((len(example.tokens), *around))
        latest = LATEST_FIRST_TIMESTAMP if is_first else FULL_S * 50
        example.tokens.append(TIMESTAMP_0 + round(min(max(0, seconds * 50), latest)))

    def example(self, window: Window, *, stamps: bool, hard: float) -> Example:
        """Write what Whisper should for a window, in the language that is spoken."""
        audio = spoil(window.audio, self.g, hard)
        example = self._transcript(window, audio, stamps=stamps)
        if self.r.random() < self.mix.again:
            share = self.mix.stamped if len(window.pieces) == 1 else self.mix.stamped_long
            stamps = window.open_at is not None or self.r.random() < share
            if window.translatable and self.r.random() < self.mix.again_translated:
                example.again = self._translation(window, audio, stamps=stamps)
            else:
                example.again = self._transcript(window, audio, stamps=stamps)
        return example

    def translation(self, window: Window, *, stamps: bool) -> Example:
        """Write a German window's whole sentences in English."""
        audio = spoil(window.audio, self.g, 0.6)
        example = self._translation(window, audio, stamps=stamps)
        if self.r.random() < self.mix.again:
            example.again = self._transcript(window, audio, stamps=self.r.random() < 0.5)
        return example

    def _transcript(self, window: Window, audio: Audio, *, stamps: bool) -> Example:
        code = window.language
        prompt = self._prompt(window, code)
        head = [SOT, LANGUAGE[code], TRANSCRIBE, *([] if stamps else [NO_TIMESTAMPS])]
        example = Example(audio, [*prompt, *head], len(prompt), window.sounds)
        self._write(example, window, stamps=stamps)
        if stamps and window.open_at is not None:
            self._stamp(example, window.open_at)
        example.tokens.append(EOT)
        return example

    def _translation(self, window: Window, audio: Audio, *, stamps: bool) -> Example:
        prompt: list[int] = []
        names = self._names_prompt([piece.line.row for piece in window.pieces])
        if names:
            prompt = [PREV, *encode_words(names)[-LONGEST_PROMPT:]]
        head = [SOT, LANGUAGE[window.language], TRANSLATE, *([] if stamps else [NO_TIMESTAMPS])]
        example = Example(audio, [*prompt, *head], len(prompt), window.sounds)
        self._write(example, window, stamps=stamps, translated=True)
        example.tokens.append(EOT)
        return example

    # Kinds

    def single(self, how: str) -> Example:
        """One sentence: `whole`, `cut`, `begun`, `both` or `translate`."""
        r = self.r
        cuttable = how in ("cut", "begun", "both")
        if how == "translate":
            while (row := self.row("de"))["other"] is None:
                pass
        else:
            row = self._marked() if cuttable else self.row()
        track = Track(row["language"])
        lead, tail = r.random() < 0.7, r.random() < 0.6
        if lead:
            track.silence(r.uniform(0, 0.5) if r.random() < 0.9 else r.uniform(0.5, 2.0))
        factor = r.uniform(0.85, 1.18) if r.random() < 0.5 else 1.0
        track.add(row, self.corpus.audio(row), factor)
        if tail:
            track.silence(r.uniform(0, 1.2) if r.random() < 0.9 else r.uniform(1.2, 4))
        cuts = track.lines[0].cuts()
        begin, end = 0, None
        if how in ("begun", "both") and cuts:
            begin = r.choice(cuts[:-1] if how == "both" and len(cuts) > 1 else cuts)
        if how in ("cut", "both") and (later := [c for c in cuts if c > begin]):
            end = r.choice(later)
        window = track.window(begin, end, self._late(), r)
        if how == "translate":
            return self.translation(window, stamps=r.random() < 0.3)
        return self.example(window, stamps=r.random() < self.mix.stamped, hard=0.7)

    def _late(self) -> float:
        """Draw how far into the next word a cut falls: mostly right behind the last one."""
        return self.r.uniform(0, 0.12) if self.r.random() < 0.6 else self.r.uniform(0, 0.6)

    def long(self, limit: float) -> Example:
        """Sentences joined up to `limit` seconds, begun and ended anywhere."""
        r = self.r
        first = self.row()
        code = first["language"]
        translate = code == "de" and r.random() < 0.12
        same = self._by_voice[code, first["voice"]] if r.random() < 0.85 else []
        gaps = r.choice([(0.05, 0.3), (0.12, 0.9), (0.12, 0.9), (0.3, 1.6)])
        factor = r.uniform(0.87, 1.15) if r.random() < 0.4 else 1.0
        track, row = Track(code), first
        track.silence(r.uniform(0, gaps[1]))
        unfinished = None
        while True:
            audio = self.corpus.audio(row)
            if track.seconds + len(audio) / RATE / factor > limit:
                unfinished = row
                break
            track.add(row, audio, factor)
            track.silence(r.uniform(*gaps))
            row = self._next(same, code, translate=translate)
        if not track.lines:
            return self.single("whole")
        if translate and first["other"] is not None:
            return self.translation(track.window(0, None, 0, r), stamps=r.random() < 0.5)
        stamps = r.random() < self.mix.stamped_long
        begin, end = 0, None
        if r.random() < 0.35 and len(track.lines) > 1 and (cuts := track.lines[0].cuts()):
            begin = r.choice(cuts)
        full = limit >= FULL_WINDOW_S
        if not full and r.random() < 0.4 and (cuts := track.lines[-1].cuts()):
            cuts = [c for c in cuts if c > begin or len(track.lines) > 1]
            end = r.choice(cuts) if cuts else None
        if full and stamps and track.seconds < limit - 0.1:
            return self._full(track, begin, unfinished, factor)
        return self.example(track.window(begin, end, self._late(), r), stamps=stamps, hard=0.6)

    def _next(self, same: list[dict[str, Any]], code: str, *, translate: bool) -> dict[str, Any]:
        """Draw the next sentence of a long window, of the same voice where it has many."""
        while True:
            row = self.r.choice(same) if len(same) > 8 else self.row(code)
            rare = row["kind"] != "grammar" and self.r.random() < self.mix.plain_long
            if not rare and not (translate and row["other"] is None):
                return row

    def _full(self, track: Track, begin: int, unfinished: dict[str, Any], factor: float) -> Example:
        """30 s that end inside a sentence, which is left to the next window."""
        window = track.window(begin, None, 0, self.r)
        opened = len(window.audio) / RATE
        rest = Track(track.language)
        rest.add(unfinished, self.corpus.audio(unfinished), factor)
        room = int((FULL_S - opened) * RATE)
        joined = np.concatenate([window.audio, rest.audio()[: max(0, room)]])
        if room > 0.1 * RATE and len(joined) >= int(FULL_S * RATE):
            window.open_at = opened
            window.audio = joined
        return self.example(window, stamps=True, hard=0.6)

    def silence(self) -> Example:
        """No speech: silence or noise, and nothing to write."""
        n = int(self.r.uniform(0.6, 6 if self.r.random() < 0.9 else 25) * RATE)
        level = 0.0 if self.r.random() < 0.1 else 10 ** (-self.r.uniform(1, 60) / 20)
        audio = noise(self.g, n) * level
        if self.r.random() < 0.4:
            audio = audio + noise(self.g, n) * level * self.r.random()
        code = self.r.choice(["en", "de"])
        head = [LANGUAGE[code], TRANSCRIBE, NO_TIMESTAMPS, EOT]
        prompt: list[int] = []
        if self.r.random() < 0.2:
            prompt = [PREV, *encode_words(self._history(code))[-LONGEST_PROMPT:]]
        clipped = np.clip(audio, -1, 1).astype(np.float32)
        return Example(clipped, [*prompt, SOT, *head], len(prompt), silent=True)

    def draw(self, progress: float) -> list[Example]:
        """Draw a pool of examples: long windows, or single sentences."""
        pool: list[Example] = []
        seconds = 0.0
        is_long = self.r.random() < self.mix.long
        while seconds < POOL_S:
            example = self._long_drawn(progress) if is_long else self._single_drawn()
            pool.append(example)
            seconds += len(example.audio) / RATE
        return pool

    def _long_drawn(self, progress: float) -> Example:
        # A curriculum: 30 s after half of the training.
        top = min(self.mix.longest_s, 8 + 44 * progress)
        if top >= FULL_S and self.r.random() < 0.22:
            return self.long(29.9)
        return self.long(self.r.uniform(4, top))

    def _single_drawn(self) -> Example:
        if self.r.random() < self.mix.silence:
            return self.silence()
        mix = self.mix
        shares = {"cut": mix.cut, "begun": mix.begun, "both": mix.both, "translate": mix.translate}
        kinds = [*shares, "whole"]
        weights = [*shares.values(), 1 - sum(shares.values())]
        return self.single(self.r.choices(kinds, weights)[0])


def batches(maker: Maker, seconds: float, progress: float) -> Iterator[list[Example]]:
    """Yield one pool in batches of about `seconds` of audio, examples of like length together."""
    pool = sorted(maker.draw(progress), key=lambda e: len(e.audio))
    groups, i = [], 0
    while i < len(pool):
        j = i + 1
        while j < len(pool) and (j - i + 1) * len(pool[j].audio) / RATE <= seconds:
            j += 1
        groups.append(pool[i:j])
        i = j
    maker.r.shuffle(groups)
    yield from groups
