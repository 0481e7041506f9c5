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
    ends_sentence,
    extends,
    goes_on,
    text_of,
)

_LEAD = int(0.3 * RATE)
"""Audio kept before speech: voice activity is noticed a little late."""
_LONG_PAUSE = 2 * RATE
"""A pause of this length closes a piece of any length."""
_SHORTEST_SPEECH = 3 * FRAME
"""Voice activity that counts; before that nobody knows whether it is a click."""
_SHORTEST_PAUSE = int(0.2 * RATE)
"""The pause that closes a piece which is almost full."""
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


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the open piece is to be closed."""

    end: int
    silent: bool = True
    """Whether nobody speaks there."""
    sentence: bool = False
    """Whether only if a sentence ends there."""
    proof: int = 0
    """End of the decode that has to confirm it; 0 for the one up to the cut itself."""


@dataclass(slots=True)
class _Piece:
    """The open piece."""

    start: int
    sure: list[Word] = field(default_factory=list)
    """Words that were sent."""
    known: tuple[Word, ...] = ()
    """Words before those that the last decode asked for is to bring."""
    evidence: Sequence[Heard] = ()
    """All words of the last hypothesis, with the evidence for each."""
    heard: int = 0
    """End of the last stretch asked for, so that each partial brings new speech."""
    tried: int = 0
    """End of the last free decode asked for, so that a failed one is not asked for again."""
    refused: int = 0
    """Last place at which it might have been closed, but no sentence ended."""
    sentence: tuple[int, Hypothesis] | None = None
    """A place where a sentence seems to end, and the text up to it."""
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
        self._pinned, self._before = pinned, before if options.carry_text else ""
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
        else:
            self._advance()

    # What follows from them, in order of importance

    def _advance(self) -> None:
        while not self._done:
            self._skip_silence()
            due = self._due()
            if due is None:
                break
            if not self._close_at(due):
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
        speech = stretches[0].start if stretches else self._voice.known - _SHORTEST_SPEECH
        start = min(speech - _LEAD, self._window.end)
        # While nobody speaks it is done now and then; once somebody does, to the sample.
        worth = 1 if stretches else _LEAD
        if start - self._open.start >= worth and not self._open.tried:
            self._events.append(Closed(self._open.start, start))
            self._begin(start, 0)

    def _due(self) -> _Cut | None:
        """Return where the open piece ends, or may end, if that is known already."""
        start = self._open.start
        full = start + int(self._options.piece_max * RATE)
        pauses = [(b, e) for b, e in self._pauses() if b < full]
        for begin, end in pauses:
            settled, needed = begin + self._settle, self._pause_to_close(begin - start)
            if self._open.sentence and self._open.sentence[0] == settled:
                needed = max(needed // 2, self._settle)
            if end - begin >= needed and begin + needed <= full:
                return _Cut(settled)
            if settled <= min(end, full) and begin - start >= self._options.piece_min * RATE:
                cut = self._sentence_at(settled, end, full)
                if cut is not None:
                    return cut
        if not self._knows(full):
            return None
        usable = [(b, min(e, full)) for b, e in pauses if b >= start + (full - start) // 3]
        begin, end = max(usable, key=lambda pause: pause[1] - pause[0], default=(0, 0))
        if end - begin >= FRAME:
            return _Cut(begin + min((end - begin) // 2, self._settle))
        return _Cut(full, silent=False)

    def _sentence_at(self, settled: int, resumed: int, full: int) -> _Cut | None:
        """Return the cut in a short pause, if it may end a sentence and can be looked into now.

        What sounds like a sentence may go on ("..., because"), which shows when it is heard
        together with what is spoken next.
        """
        seems = self._open.sentence
        if seems is None:
            return _Cut(settled, sentence=True) if settled > self._open.refused else None
        if seems[0] != settled:
            return None
        ends = [b + self._settle for b, e in self._pauses() if e - b >= self._settle]
        if self._total is not None and self._voice.known >= self._total:
            ends.append(self._last_end(self._total))
        proof = min((end for end in ends if end > resumed), default=full)
        if proof >= full and not self._knows(full):
            return None
        return _Cut(settled, sentence=True, proof=min(proof, full))

    def _pauses(self) -> list[tuple[int, int]]:
        """List the pauses; the last frame of all is filled up, and its silence is no audio."""
        return [(begin, min(end, self._window.end)) for begin, end in self._voice.pauses()]

    def _knows(self, index: int) -> bool:
        """Whether it is known who speaks up to there, also if somebody just begins to."""
        return min(self._voice.known, self._window.end) >= index + _SHORTEST_SPEECH

    def _pause_to_close(self, length: int) -> int:
        """Return how long a pause behind so many samples closes the piece.

        The longer the piece, the shorter: rather a breath between two words than a cut in one.
        """
        options = self._options
        least, most = options.piece_min * RATE, options.piece_max * RATE
        if length < least:
            return _LONG_PAUSE
        share = min((length - least) / max(most - least, 1), 1)
        pause = options.piece_pause * RATE
        return max(int(pause + share * min(_SHORTEST_PAUSE - pause, 0)), self._settle)

    def _close_at(self, cut: _Cut) -> bool:
        """Close the open piece there or refuse to; returns whether its text was there for that."""
        free, end = self._open.free, cut.proof or cut.end
        if free is None or free[0] != end:
            self._want(self._urgency(end), end)
            return False
        if cut.sentence:
            self._judge_sentence(cut, free[1])
        elif cut.silent:
            self._close(end, free[1])
        else:
            words, end = _cut_between_words(free[1].words, self._open.start, end)
            self._close(end, replace(free[1], words=words))
        return True

    def _urgency(self, end: int) -> Kind:
        """Return the kind of a decode that may close a piece at a sample index."""
        if self._total is not None:  # the final waits for it
            return Kind.FINAL
        # While nobody speaks on, it may become the final.
        ahead = end == self._settled() and self._open.tried < end
        return Kind.SPECULATIVE if ahead else Kind.PIECE

    def _judge_sentence(self, cut: _Cut, heard: Hypothesis) -> None:
        seems = self._open.sentence
        if seems is None and ends_sentence(heard.words, heard.language):
            self._open.sentence = (cut.end, heard)
        elif seems and not goes_on(seems[1].words, heard.words):
            self._close(*seems)
        else:
            self._open.sentence, self._open.refused = None, cut.end

    def _close(self, end: int, heard: Hypothesis) -> None:
        text = text_of(heard.words)
        self._events.append(Closed(self._open.start, end, text, heard.words))
        self._closed_text = append(self._closed_text, text)
        # A piece that looks wrong must not lead the next one astray.
        carried = heard.plausible and self._options.carry_text
        self._before = recent(self._closed_text) if carried else ""
        if text or not self._language:
            self._language = heard.language
            self._language_probability = heard.language_probability
        sure, closed = self._open.sure, len(heard.words)
        confirmed = agreed(sure, heard.words) == closed
        # Words that were spoken before the cut and are not in its text were wrong.
        behind = all(word.start * RATE >= end for word in sure[closed:])
        self._begin(end, closed if confirmed and behind else None)
        self._show()

    def _begin(self, start: int, closed: int | None) -> None:
        """Open the next piece; what was sent behind the first `closed` words remains sent."""
        self._withdraw()
        self._window.trim(start)
        self._voice.forget(start)
        before, self._open = self._open, _Piece(start)
        if closed is not None:
            self._open.sure, self._open.evidence = before.sure[closed:], before.evidence[closed:]

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
        begin, end = self._pauses()[-1]
        return begin + self._settle if end - begin >= self._settle else None

    def _conclude(self, total: int) -> None:
        """Bring about the final once every frame is judged."""
        if self._voice.known < total:
            return
        if not self._voice.stretches:
            self._finish_with(total, None)
            return
        end = self._last_end(total)
        free = self._open.free
        if free is not None and free[0] == end:
            self._finish_with(total, free[1])
        else:
            self._want(Kind.FINAL, end, timed=False)

    def _last_end(self, total: int) -> int:
        """Return the end of the final's range."""
        return min(self._voice.stretches[-1].end + self._settle, total)

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

    def _want(self, kind: Kind, end: int, *, timed: bool = True) -> None:
        """Wish for a free decode of the open piece up to a sample index, unless it is under way."""
        wish = self._outstanding
        same = wish and (wish.start, wish.end) == (self._open.start, end)
        if wish and same and wish.kind is not Kind.PARTIAL:
            if kind < wish.kind:
                self._outstanding = replace(wish, kind=kind)
                self._urgent.append(wish.number)
            return
        self._withdraw()
        self._open.tried = end
        consistent = self._options.final == "consistent"
        kept = [w for w in self._open.sure if w.start * RATE < end] if consistent else []
        self._open.known = tuple(kept)
        self._wish(kind, self._open.start, end, self._prompt(()), _tokens(kept), timed)

    def _wish_partial(self, end: int) -> None:
        """Wish for the next words, in a window that begins at a sure word near the end."""
        sure, seems = self._open.sure, self._open.sentence
        if seems is not None:
            # What seems to be a sentence will most likely be a piece of its own.
            start, known = seems[0], seems[1].words
            first = min(len(known), len(sure))
        else:
            first = self._footing()
            start = int(sure[first].start * RATE) if first else 0
            known = tuple(sure[:first])
        self._open.known = (*known, *sure[len(known) :])
        told = known if seems is None or self._options.carry_text else ()
        start = max(start, self._open.start)
        self._wish(Kind.PARTIAL, start, end, self._prompt(told), _tokens(sure[first:]))

    def _footing(self) -> int:
        """Return from which sure word on a partial repeats them; 0 where that saves little."""
        sure = self._open.sure
        if not sure:
            return 0
        near = sure[-1].end - _KEPT
        first = next(i for i, word in enumerate(sure) if word.end > near)
        return first if sure[first].start * RATE - self._open.start >= _WORTHWHILE else 0

    def _prompt(self, words: Sequence[Word]) -> Prompt:
        return Prompt(self._pinned, recent(append(self._before, text_of(words))))

    def _wish(
        self,
        kind: Kind,
        start: int,
        end: int,
        prompt: Prompt,
        prefix: tuple[int, ...],
        timed: bool = True,
    ) -> None:
        self._numbers += 1
        start = max(start, end - LONGEST)
        language = self._language if kind is Kind.PARTIAL else ""
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
            self._commit([*self._open.known, *heard.words], wish.end / RATE)

    def _free(self, wish: Wish, heard: Hypothesis) -> None:
        if nobody(heard.no_speech, heard.average_logprob):
            heard = replace(heard, words=())
        known = self._open.known
        if len(known) < len(self._open.sure) and self._options.final == "consistent":
            # What was sent from behind the cut lets nothing in before it.
            heard = replace(heard, words=known)
        else:
            heard = replace(heard, words=(*known, *heard.words))
        self._open.free = (wish.end, heard)
        if heard.plausible and wish.kind is Kind.SPECULATIVE:
            # The speech has ended, so no word of it can be cut off: no guard is needed.
            self._commit(heard.words, float("inf"))

    def _commit(self, words: Sequence[Word], end: float) -> None:
        """Send what a hypothesis of the whole piece adds for sure."""
        sent, seems = len(self._open.sure), self._open.sentence
        # What seems to be a sentence will be closed as it was heard then.
        contradicts = seems and agreed(words, seems[1].words) < len(seems[1].words)
        if contradicts or agreed(words, self._open.sure) < sent:
            self._open.evidence = ()
            return
        self._open.evidence = weigh(words, self._open.evidence)
        count = self._policy.sure(self._open.evidence[sent:], end)
        self._open.sure.extend(words[sent : sent + count])
        if count:
            if self._options.final == "consistent":
                self._drop_contradicted()
            self._show()

    def _drop_contradicted(self) -> None:
        """Forget free decodes that would take back what was sent; they are asked for again."""
        sure, free, seems = self._open.sure, self._open.free, self._open.sentence
        if free and agreed(sure, free[1].words) < min(len(sure), len(free[1].words)):
            self._open.free = None
        if seems and agreed(sure, seems[1].words) < min(len(sure), len(seems[1].words)):
            self._open.sentence = None

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


def _tokens(words: Sequence[Word]) -> tuple[int, ...]:
    return tuple(token for word in words for token in word.tokens)


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
