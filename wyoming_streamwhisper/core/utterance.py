"""The state machine of one utterance: audio and results in, wishes and events out.

It has no clock and knows no model: time is the number of samples, and a decode is a `Wish` that
is answered by `result` or `failed`. So every behaviour is a unit test.

The audio is cut into pieces. The *open* piece is where the speaker is; it is closed in a pause once
it is long enough, and at the latest when it is full. Its text then comes from a free decode of the
whole piece, as the final does, so neither depends on what was sent while it was spoken. All cuts
and all decoded ranges of free decodes follow from sample indices alone, so that the final text does
not depend on how the audio was chunked or how long the decodes took.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from wyoming_streamwhisper.core.endpoint import Endpoint
from wyoming_streamwhisper.core.guards import nobody
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.policy import Heard, make_policy, weigh
from wyoming_streamwhisper.core.prompt import Prompt, recent
from wyoming_streamwhisper.core.voice import FRAME, Voice
from wyoming_streamwhisper.core.window import LONGEST, RATE, Samples, Window
from wyoming_streamwhisper.core.wish import Kind, Wish
from wyoming_streamwhisper.core.words import (
    Hypothesis,
    Word,
    agreed,
    append,
    extends,
    text_of,
)

_LEAD = int(0.3 * RATE)
"""Audio kept before speech: voice activity is noticed a little late."""
_LONG_PAUSE = 2 * RATE
"""A pause of this length closes a piece of any length."""
_KEPT = 2.0
"""Seconds of sure words that a partial's window repeats as forced prefix; more would cost a
decoder step a token, fewer would leave the model without footing."""
_WORTHWHILE = 3 * RATE
"""Audio that has to be saved before a partial's window leaves the piece's begin."""
_SURE_LANGUAGE = 0.8
"""Probability from which partials stop detecting the language anew."""


@dataclass(frozen=True, slots=True)
class Words:
    """The text so far; within one revision it only grows."""

    text: str
    revision: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The samples from `start` up to `end` are done with; silence has no text."""

    start: int
    end: int
    text: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The final text. Nothing comes behind it."""

    text: str
    revision: int
    language: str
    language_probability: float


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no final text. Nothing comes behind it."""

    code: str
    message: str


Event = Words | Closed | Finished | Failed


@dataclass(frozen=True, slots=True)
class Effects:
    """What an input led to."""

    wishes: tuple[Wish, ...] = ()
    urgent: tuple[int, ...] = ()
    """Numbers of earlier wishes that have become the final."""
    withdrawn: tuple[int, ...] = ()
    """Numbers of earlier wishes that nobody waits for any more."""
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class _Piece:
    """The open piece."""

    start: int
    sure: list[Word] = field(default_factory=list)
    """Words that were sent."""
    evidence: Sequence[Heard] = ()
    """All words of the last hypothesis, with the evidence for each."""
    heard: int = 0
    """End of the last stretch asked for, so that each partial brings new speech."""
    tried: int = 0
    """End of the last free decode asked for, so that a failed one is not asked for again."""
    free: tuple[int, Hypothesis] | None = None
    """The last free decode of the piece from its start, and where it ended."""


class Utterance:
    """One utterance, from audio-start to its final text."""

    def __init__(
        self,
        options: Streaming,
        *,
        pinned: str = "",
        before: str = "",
        sensitivity: str = "default",
    ) -> None:
        """Begin; `pinned` stands before every decode, `before` is the text of an earlier one."""
        self._options = options
        self._policy = make_policy(options.policy, options.guard, options.doubt)
        self._endpoint = Endpoint.of(options, sensitivity)
        self._pinned, self._before = pinned, before
        self._step = int(options.step * RATE)
        self._settle = int(options.settle * RATE)
        self._window = Window()
        self._voice = Voice(options.vad_threshold)
        self._open = _Piece(0)
        self._closed_text = ""
        self._sent, self._revision = "", 0
        self._language, self._language_probability = "", 0.0
        self._outstanding: Wish | None = None
        self._numbers = 0
        self._total: int | None = None
        """Samples in all, once the end is known."""
        self._done = False
        self._wishes: list[Wish] = []
        self._urgent: list[int] = []
        self._withdrawn: list[int] = []
        self._events: list[Event] = []

    # What can be asked

    @property
    def room(self) -> int:
        """Samples that `audio` takes now."""
        return self._window.room

    @property
    def ended(self) -> bool:
        """Whether further audio is ignored."""
        return self._done or self._total is not None

    @property
    def done(self) -> bool:
        """Whether the last event is out."""
        return self._done

    @property
    def spoken(self) -> int:
        """Samples of speech heard in all."""
        return self._voice.spoken

    def samples(self, wish: Wish) -> Samples:
        """Return the audio of an outstanding wish."""
        return self._window.samples(wish.start, wish.end)

    def take(self) -> Effects:
        """Return what has come about since the last call."""
        effects = Effects(
            tuple(self._wishes), tuple(self._urgent), tuple(self._withdrawn), tuple(self._events)
        )
        for pending in (self._wishes, self._urgent, self._withdrawn, self._events):
            pending.clear()
        return effects

    # Inputs

    def audio(self, samples: Samples) -> None:
        """Hear further audio (mono, 16 kHz), at most `room` samples."""
        if not self.ended:
            self._window.append(samples)

    def speech(self, probabilities: Sequence[float]) -> None:
        """Learn how probably each further frame of 512 samples is speech, in order."""
        if not self._done:
            self._voice.feed(probabilities)
            self._advance()

    def stop(self) -> None:
        """Learn that no more audio comes; the final waits for the frames still to be judged."""
        if not self.ended:
            self._total = self._window.end
            self._advance()

    def result(self, number: int, hypothesis: Hypothesis) -> None:
        """Take the answer to a wish; one that nobody waits for any more is ignored."""
        wish = self._outstanding
        if self._done or wish is None or wish.number != number:
            return
        self._outstanding = None
        offset = wish.start / RATE
        heard = replace(hypothesis, words=tuple(_later(word, offset) for word in hypothesis.words))
        if wish.kind is Kind.PARTIAL:
            self._partial(wish, heard)
        else:
            self._free(wish, heard)
        self._advance()

    def failed(self, number: int, code: str, message: str) -> None:
        """Learn that a wish will not be answered. Only what cannot be done without fails too."""
        wish = self._outstanding
        if self._done or wish is None or wish.number != number:
            return
        self._outstanding = None
        if wish.kind in (Kind.FINAL, Kind.PIECE):
            self._finish(Failed(code, message))
        elif self._total is not None:
            self._advance()

    # What follows from them, in order of importance

    def _advance(self) -> None:
        while not self._done:
            self._skip_silence()
            due = self._due()
            if due is None:
                break
            if not self._close_at(*due):
                return
        if self._done:
            return
        if self._total is None and self._endpoint.reached(
            self._voice, answered=self._answered(), spoken=self._voice.spoken > 0
        ):
            self._total = self._voice.known
        if self._total is not None:
            self._conclude(self._total)
        else:
            self._look_ahead()

    def _skip_silence(self) -> None:
        """Close the silence before the speech of the open piece, without a decode."""
        stretches = self._voice.stretches
        speech = stretches[0].start if stretches else self._voice.known - 3 * FRAME
        start = min(speech - _LEAD, self._window.end)
        # While nobody speaks it is done now and then; once somebody does, to the sample.
        worth = 1 if stretches else _LEAD
        if start - self._open.start >= worth and not self._open.tried:
            self._withdraw()
            self._events.append(Closed(self._open.start, start))
            self._begin(start)

    def _due(self) -> tuple[int, bool] | None:
        """Return where the open piece ends, and whether in silence, if that is known already."""
        start, options = self._open.start, self._options
        full = start + int(options.piece_max * RATE)
        pauses = [(b, e) for b, e in self._voice.pauses() if b < full]
        for begin, end in pauses:
            long_enough = begin - start >= options.piece_min * RATE
            needed = int(options.piece_pause * RATE) if long_enough else _LONG_PAUSE
            needed = max(needed, self._settle)
            if end - begin >= needed and begin + needed <= full:
                return begin + self._settle, True
        if self._voice.known < full:
            return None
        usable = [(b, min(e, full)) for b, e in pauses if b - start >= options.piece_max * RATE / 3]
        begin, end = max(usable, key=lambda pause: pause[1] - pause[0], default=(0, 0))
        if end - begin >= FRAME:
            return begin + min((end - begin) // 2, self._settle), True
        return full, False

    def _close_at(self, end: int, in_silence: bool) -> bool:
        """Close the open piece at a sample index; returns whether its text was there for that."""
        free = self._open.free
        if free is None or free[0] != end:
            self._want(Kind.PIECE, end)
            return False
        words = free[1].words
        if not in_silence:
            words, end = _cut_between_words(words, self._open.start, end)
        self._close(end, replace(free[1], words=words))
        return True

    def _close(self, end: int, heard: Hypothesis) -> None:
        text = text_of(heard.words)
        self._events.append(Closed(self._open.start, end, text, heard.words))
        self._closed_text = append(self._closed_text, text)
        # A piece that looks wrong must not lead the next one astray.
        self._before = recent(self._closed_text) if heard.plausible else ""
        if text or not self._language:
            self._language = heard.language
            self._language_probability = heard.language_probability
        self._begin(end)
        self._show()

    def _begin(self, start: int) -> None:
        self._window.trim(start)
        self._voice.forget(start)
        self._open = _Piece(start)

    def _answered(self) -> bool:
        """Whether the text of all speech in the open piece is there."""
        settled = self._settled()
        if not self._voice.stretches:
            return True
        return (
            settled is not None and self._open.free is not None and (self._open.free[0] == settled)
        )

    def _settled(self) -> int | None:
        """Return the end of the range that will be the final if nobody speaks on."""
        if not self._voice.stretches or self._voice.speaking:
            return None
        begin, end = self._voice.pauses()[-1]
        return begin + self._settle if end - begin >= self._settle else None

    def _conclude(self, total: int) -> None:
        """Bring about the final once every frame is judged."""
        if self._voice.known < total:
            return
        if not self._voice.stretches:
            self._finish_with(total, None)
            return
        end = min(self._voice.stretches[-1].end + self._settle, total)
        free = self._open.free
        if free is not None and free[0] == end:
            self._finish_with(total, free[1])
        else:
            self._want(Kind.FINAL, end)

    def _finish_with(self, total: int, heard: Hypothesis | None) -> None:
        if heard is not None:
            self._close(max(total, self._open.start), heard)
        elif total > self._open.start:
            self._events.append(Closed(self._open.start, total))
        self._show()
        self._finish(
            Finished(self._sent, self._revision, self._language, self._language_probability)
        )

    def _finish(self, event: Finished | Failed) -> None:
        self._withdraw()
        self._events.append(event)
        self._done = True

    def _look_ahead(self) -> None:
        """Wish for what may be the final, or for the next words."""
        settled = self._settled()
        if settled is not None:
            if self._open.tried < settled:
                self._want(Kind.SPECULATIVE, settled)
        elif self._voice.speaking and self._options.partials and self._outstanding is None:
            end = self._window.end
            if end - max(self._open.heard, self._voice.stretches[0].start) >= self._step:
                self._wish_partial(end)

    # Wishes

    def _want(self, kind: Kind, end: int) -> None:
        """Wish for a free decode of the open piece up to a sample index, unless it is under way."""
        wish = self._outstanding
        if (
            wish
            and wish.kind is not Kind.PARTIAL
            and (wish.start, wish.end)
            == (
                self._open.start,
                end,
            )
        ):
            if kind < wish.kind:
                self._outstanding = replace(wish, kind=kind)
                self._urgent.append(wish.number)
            return
        self._withdraw()
        self._open.tried = end
        keep = self._options.final == "consistent"
        prefix = tuple(t for word in self._open.sure for t in word.tokens) if keep else ()
        self._wish(kind, self._open.start, end, self._prompt(()), prefix)

    def _wish_partial(self, end: int) -> None:
        """Wish for the next words, in a window that begins at a sure word near the end."""
        sure, start = self._open.sure, self._open.start
        first = 0
        if sure:
            near = sure[-1].end - _KEPT
            first = next(i for i, word in enumerate(sure) if word.end > near)
            if sure[first].start * RATE - start < _WORTHWHILE:
                first = 0
        if first:
            start = max(start, int(sure[first].start * RATE))
        prefix = tuple(token for word in sure[first:] for token in word.tokens)
        self._wish(Kind.PARTIAL, start, end, self._prompt(sure[:first]), prefix)

    def _prompt(self, words: Sequence[Word]) -> Prompt:
        return Prompt(self._pinned, recent(append(self._before, text_of(words))))

    def _wish(
        self, kind: Kind, start: int, end: int, prompt: Prompt, prefix: tuple[int, ...]
    ) -> None:
        self._numbers += 1
        start = max(start, end - LONGEST)
        language = self._language if kind is Kind.PARTIAL else ""
        timed = kind is not Kind.FINAL
        wish = Wish(self._numbers, kind, start, end, prompt, prefix, language, timed)
        self._open.heard = max(self._open.heard, end)
        self._outstanding = wish
        self._wishes.append(wish)

    def _withdraw(self) -> None:
        if self._outstanding is not None:
            self._withdrawn.append(self._outstanding.number)
            self._outstanding = None

    # Results

    def _partial(self, wish: Wish, heard: Hypothesis) -> None:
        if heard.plausible:
            if heard.language_probability >= _SURE_LANGUAGE:
                self._language = heard.language
            self._commit([*self._open.sure, *heard.words], wish.end / RATE)

    def _free(self, wish: Wish, heard: Hypothesis) -> None:
        if nobody(heard.no_speech, heard.average_logprob):
            heard = replace(heard, words=())
        if wish.prefix:
            heard = replace(heard, words=(*self._open.sure, *heard.words))
        self._open.free = (wish.end, heard)
        if heard.plausible and wish.kind is Kind.SPECULATIVE:
            # The speech has ended, so no word of it can be cut off: no guard is needed.
            self._commit(heard.words, float("inf"))

    def _commit(self, words: Sequence[Word], end: float) -> None:
        """Send what a hypothesis of the whole piece adds for sure."""
        sent = len(self._open.sure)
        if agreed(words, self._open.sure) < sent:
            self._open.evidence = ()
            return
        self._open.evidence = weigh(words, self._open.evidence)
        count = self._policy.sure(self._open.evidence[sent:], end)
        self._open.sure.extend(words[sent : sent + count])
        if count:
            self._show()

    def _show(self) -> None:
        """Send the text so far, as a new revision if it takes back what was sent."""
        text = append(self._closed_text, text_of(self._open.sure))
        if text == self._sent:
            return
        if not extends(self._sent, text):
            self._revision += 1
        self._sent = text
        if self._options.partials:
            self._events.append(Words(text, self._revision))


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)


def _cut_between_words(words: Sequence[Word], start: int, end: int) -> tuple[tuple[Word, ...], int]:
    """Cut unbroken speech at the longest gap between two words of its second half."""
    middle = (start + end) / 2 / RATE
    gaps = [
        (after.start - before.end, i)
        for i, (before, after) in enumerate(pairwise(words), 1)
        if before.end >= middle and not after.is_punctuation
    ]
    if not gaps:
        return tuple(words), end
    _, count = max(gaps)
    cut = int((words[count - 1].end + words[count].start) / 2 * RATE)
    return tuple(words[:count]), min(max(cut, start + 1), end)
