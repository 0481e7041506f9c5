"""A model and a speaker made of a script: what is heard is a pure function of the sample range."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from wyoming_streamwhisper.core.events import Closed, Event, Failed, Final, Partial
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.utterance import Utterance
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.core.window import LONGEST, RATE
from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.core.words import Hypothesis, Word, extends


@dataclass(frozen=True)
class Spoken:
    """A word of the script, in samples."""

    text: str
    """Empty for a cough."""
    start: int
    end: int
    last: bool
    """Whether a sentence ends with it."""


@dataclass(frozen=True)
class Script:
    """All that is spoken, and how long the recording is."""

    words: tuple[Spoken, ...]
    total: int
    blur: int = 0
    """Samples before the end of a range in which a word is mistaken for another."""

    def probabilities(self) -> list[float]:
        """Return the voice activity of each frame, the last one filled up with silence."""
        frames = -(-self.total // FRAME)
        heard = np.zeros(frames)
        for word in self.words:
            heard[word.start // FRAME : -(-min(word.end, self.total) // FRAME)] = 1
        return [float(p) for p in heard]

    def decode(self, wish: Wish) -> Hypothesis:
        """Hear the words whose middle is in the range; one that is cut off is misheard."""
        words: list[Word] = []
        for index, spoken in enumerate(self.words):
            if not wish.start <= (spoken.start + spoken.end) // 2 < wish.end:
                continue
            if not spoken.text:
                continue
            cut = spoken.end > wish.end or spoken.start < wish.start
            start, end = (max(at - wish.start, 0) / RATE for at in (spoken.start, spoken.end))
            end = min(end, (wish.end - wish.start) / RATE)
            blurred = spoken.end > wish.end - self.blur
            text = " mm" if cut else f" {spoken.text}x" if blurred else f" {spoken.text}"
            words.append(Word(text, start, end, 0.6 if cut else 0.99, (2 * index,)))
            if spoken.last and not cut:
                words.append(Word(".", end, end, 0.99, (2 * index + 1,)))
        behind = max(wish.prefix, default=-1)
        return Hypothesis(tuple(w for w in words if w.tokens[0] > behind), "en")

    def whole_words(self) -> list[str]:
        """Return the words that ended before the recording did."""
        return [word.text for word in self.words if word.end <= self.total]


def _script(seed: int, count: int) -> Script:
    """Speak so many words, fluently or with pauses of all lengths, cut off anywhere."""
    chance = random.Random(seed)
    fluent = [0, 0, 0, 0, 400, 1000]
    pauses = chance.choice([fluent, [*fluent, 1600, 4000, 5000, 8000, 14_000, 40_000]])
    at, words = 0, []
    for index in range(count):
        at += chance.choice(pauses)
        end = at + chance.randint(2400, 12_000)
        words.append(Spoken(f"w{index}", at, end, chance.random() < 0.25))
        at = end
    total = chance.choice([chance.randint(0, at), at + chance.randint(0, 60_000)])
    blur = chance.choice([0, 2000, 6000])
    return Script(tuple(word for word in words if word.start < total), total, blur)


# Drawn word by word, hypothesis would hardly ever make an utterance of more than a piece.
scripts = st.builds(_script, st.integers(0, 2**32), st.sampled_from([0, 1, 3, 8, 20, 60]))


@dataclass
class Run:
    """An utterance driven over a script; every step is checked."""

    script: Script
    options: Streaming
    chance: random.Random | None = None
    """Cuts chunks and delays frames and results; None takes all as soon as it is there."""
    fails: frozenset[Kind] = frozenset()
    """Kinds of wishes that are not answered."""
    loaded: bool = False
    """Whether the load changes at every moment."""
    utterance: Utterance = field(init=False)
    events: list[Event] = field(default_factory=list)
    wished: list[Wish] = field(default_factory=list)
    waiting: dict[int, Wish] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.utterance = Utterance(self.options)

    def go(self) -> "Run":
        """Drive it to its end."""
        fed = judged = 0
        total, frames = self.script.total, self.script.probabilities()
        while not self.utterance.done:
            if not self.utterance.ended:
                room = min(total - fed, self.utterance.room, self._portion())
                self.utterance.audio(np.zeros(room, np.float32))
                fed += room
                if fed == total:
                    self.utterance.stop()
            ready = len(frames) if fed == total else fed // FRAME
            until = ready if self._prompt() else min(ready, judged + self._some(5))
            if self.loaded and self.chance:
                self.utterance.heed(self.chance.choice(list(Rung)))
            if until > judged:
                self.utterance.speech(frames[judged:until])
                judged = until
            self._take()
            while self.waiting and self._prompt():
                self._answer(next(iter(self.waiting.values())))
        self._take()
        return self

    @property
    def last(self) -> Final | Failed:
        last = self.events[-1]
        assert isinstance(last, Final | Failed)
        return last

    @property
    def text(self) -> str:
        assert isinstance(self.last, Final)
        return self.last.text

    def _portion(self) -> int:
        return FRAME if self.chance is None else self.chance.choice([1, 320, 1024, 5000, 80_000])

    def _some(self, most: int) -> int:
        return self.chance.randint(0, most) if self.chance else most

    def _prompt(self) -> bool:
        return self.chance is None or self.chance.random() < 0.4

    def _answer(self, wish: Wish) -> None:
        del self.waiting[wish.number]
        if wish.kind in self.fails:
            self.utterance.failed(wish.number, "engine-failed", "no")
        else:
            assert len(self.utterance.samples(wish)) == wish.end - wish.start
            self.utterance.result(wish.number, self.script.decode(wish))
        self._take()

    def _take(self) -> None:
        ended = any(isinstance(event, Final | Failed) for event in self.events)
        effects = self.utterance.take()
        assert not (ended and (effects.events or effects.wishes)), "nothing follows the end"
        for wish in effects.wishes:
            assert 0 <= wish.start < wish.end <= wish.start + LONGEST
            self.wished.append(wish)
            self.waiting[wish.number] = wish
        for number in effects.urgent:
            assert number in self.waiting, "only what is under way can become urgent"
            assert self.waiting[number].kind is not Kind.PARTIAL
            self.waiting[number] = replace(self.waiting[number], kind=Kind.FINAL)
        for number in effects.withdrawn:
            assert self.waiting.pop(number, None), "only what is under way can be withdrawn"
        assert len(self.waiting) <= 1, "one wish at a time"
        self.events += effects.events


def check(run: Run) -> None:
    """Check what holds for every finished run."""
    closed = [event for event in run.events if isinstance(event, Closed)]
    assert [piece.start for piece in closed] == [0, *(piece.end for piece in closed)][:-1]
    assert not run.waiting, "every wish is answered or withdrawn"
    ends = [event for event in run.events if isinstance(event, Final | Failed)]
    assert ends == run.events[-1:], "one end, and nothing behind it"
    shown: Sequence[Partial] = [event for event in run.events if isinstance(event, Partial)]
    for before, after in pairwise(shown):
        if after.revision == before.revision:
            assert extends(before.text, after.text)
        else:
            assert after.revision == before.revision + 1
    if isinstance(run.last, Final):
        assert (closed[-1].end if closed else 0) == run.script.total
        if shown:
            assert (run.last.text, run.last.revision) == (shown[-1].text, shown[-1].revision)
