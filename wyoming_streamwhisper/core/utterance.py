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
from dataclasses import replace

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.cuts import Cut, Cuts, Seen, between_words
from wyoming_streamwhisper.core.endpoint import Endpoint, Text, judge
from wyoming_streamwhisper.core.events import (
    Began,
    Closed,
    Effects,
    Event,
    Failed,
    Finished,
    Words,
)
from wyoming_streamwhisper.core.guards import nobody
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.piece import Piece
from wyoming_streamwhisper.core.policy import make_policy
from wyoming_streamwhisper.core.prompt import Prompt, recent
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.transcript import Transcript
from wyoming_streamwhisper.core.voice import FRAME, SHORTEST_SPEECH, Voice
from wyoming_streamwhisper.core.window import LONGEST, Window
from wyoming_streamwhisper.core.wish import Kind, Wish
from wyoming_streamwhisper.core.words import (
    Hypothesis,
    Word,
    append,
    ends_sentence,
    goes_on,
    text_of,
)

_LEAD = int(0.3 * RATE)
"""Audio kept before speech: voice activity is noticed a little late."""
_LEEWAY = 4 * FRAME
"""Samples that voice activity may lag behind at most (docs/decisions/0009)."""
_SURE_LANGUAGE = 0.8
"""Probability from which partials stop detecting the language anew."""


class Utterance:
    """One utterance, from audio-start to its final text."""

    def __init__(
        self,
        options: Streaming,
        *,
        pinned: str = "",
        before: str = "",
        sensitivity: str = "default",
        turn: float = 0.0,
        tell_speech: bool = False,
    ) -> None:
        """Begin; `pinned` stands before every decode, `before` is the text of an earlier one.

        `turn` is the silence in seconds that ends it whatever else is known, 0 for none: then the
        end follows from sample indices alone, and what is heard behind it is another utterance's.
        With `tell_speech`, the begin of speech is told too.
        """
        self._options = options
        self._policy = make_policy(options.policy, options.guard, options.doubt)
        self._endpoint = Endpoint.of(options, sensitivity)
        self._pinned, self._before = pinned, before if options.carry_text else ""
        self._step = int(options.step * RATE)
        self._settle = int(options.settle * RATE)
        self._rung = Rung.ALL
        self._turn = int(turn * RATE)
        self._tell_speech = tell_speech
        self._window = Window()
        self._voice = Voice(options.vad_threshold)
        self._cuts = Cuts(options)
        self._open = Piece(0)
        self._transcript = Transcript()
        self._text: Text | None = None
        """What the last words say of whether the speaker has finished."""
        self._language = ""
        """What partials take for the language, once one was sure of it."""
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

    @property
    def quiet(self) -> int:
        """Samples since somebody last spoke, or since the begin; 0 while somebody speaks."""
        return self._voice.quiet

    @property
    def leeway(self) -> int:
        """Samples that may lie unjudged for a while without anything being late.

        In a pause every frame counts. While nobody speaks, and while somebody does and no partial
        is due, it is enough to learn of a change well before `settle`.
        """
        stretches, most = self._voice.stretches, min(_LEEWAY, self._settle // 2)
        if self.ended or (stretches and not self._voice.speaking):
            return 0
        if not stretches or not self._partials or self._outstanding is not None:
            return most
        return min(most, max(0, self._next_partial() - self._window.end))

    def samples(self, wish: Wish) -> Samples:
        """Return the audio of an outstanding wish."""
        return self._window.samples(wish.start, wish.end)

    @property
    def moved(self) -> bool:
        """Whether there is anything to `take`."""
        return bool(self._wishes or self._events or self._withdrawn or self._urgent)

    def take(self) -> Effects:
        """Return what has come about since the last call."""
        effects = Effects(
            tuple(self._wishes), tuple(self._urgent), tuple(self._withdrawn), tuple(self._events)
        )
        for pending in (self._wishes, self._urgent, self._withdrawn, self._events):
            pending.clear()
        return effects

    # Inputs

    def heed(self, rung: Rung) -> None:
        """Leave out from now on what is left out on this rung; the final is the same on all."""
        self._rung = rung

    def audio(self, samples: Samples) -> None:
        """Hear further audio (mono, 16 kHz), at most `room` samples."""
        if not self.ended:
            self._window.append(samples)

    def speech(self, probabilities: Sequence[float]) -> None:
        """Learn how probably each further frame of 512 samples is speech, in order."""
        if self._done or (self._total is not None and self._voice.known >= self._total):
            return  # what is heard behind the end is another's
        for probability in probabilities:
            self._voice.feed((probability,))
            # Judged frame by frame, so that it does not matter how many come at once.
            if self._turn and self._voice.spoken and self._voice.quiet >= self._turn:
                self._total = min(self._total or self._voice.known, self._voice.known)
                break
        if self._tell_speech and self._voice.stretches:
            self._tell_speech = False
            self._events.append(Began(self._voice.stretches[0].start))
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
            due = self._cuts.due(self._seen())
            if due is None:
                break
            if not self._close_at(due):
                return
        if self._done:
            return
        if self._total is None and self._finished():
            self._total = self._voice.known
        if self._total is not None:
            self._conclude(self._total)
        else:
            self._look_ahead()

    def _skip_silence(self) -> None:
        """Close the silence before the speech of the open piece, without a decode."""
        stretches = self._voice.stretches
        speech = stretches[0].start if stretches else self._voice.known - SHORTEST_SPEECH
        start = min(speech - _LEAD, self._window.end)
        # While nobody speaks it is done now and then; once somebody does, to the sample.
        worth = 1 if stretches else _LEAD
        if start - self._open.start >= worth and not self._open.tried:
            self._events.append(Closed(self._open.start, start))
            self._begin(start, ())

    def _seen(self) -> Seen:
        """Say what `Cuts` has to know of the open piece."""
        sentence, total, last = self._open.sentence, self._total, None
        if total is not None and self._voice.known >= total and self._voice.stretches:
            last = self._last_end(total)
        return Seen(
            start=self._open.start,
            pauses=self._pauses(),
            known=min(self._voice.known, self._window.end),
            sentence=sentence[0] if sentence else None,
            refused=self._open.refused,
            last=last,
        )

    def _pauses(self) -> list[tuple[int, int]]:
        """List the pauses; the last frame of all is filled up, and its silence is no audio."""
        return [(begin, min(end, self._window.end)) for begin, end in self._voice.pauses()]

    def _close_at(self, cut: Cut) -> bool:
        """Close the open piece there or refuse to; returns whether its text was there for that."""
        end = cut.proof or cut.end
        heard = self._open.heard_until(end)
        if heard is None:
            self._want(self._urgency(end), end)
            return False
        if cut.sentence:
            self._judge_sentence(cut, heard)
        elif cut.silent:
            self._close(end, heard)
        else:
            words, end = between_words(heard.words, self._open.start, end)
            self._close(end, replace(heard, words=words))
        return True

    def _urgency(self, end: int) -> Kind:
        """Return the kind of a decode that may close a piece at a sample index."""
        if self._total is not None:  # the final waits for it
            return Kind.FINAL
        # While nobody speaks on, it may become the final.
        ahead = end == self._settled() and self._open.tried < end
        return Kind.SPECULATIVE if ahead else Kind.PIECE

    def _judge_sentence(self, cut: Cut, heard: Hypothesis) -> None:
        seems = self._open.sentence
        if seems is None and ends_sentence(heard.words, heard.language):
            self._open.sentence = (cut.end, heard)
        elif seems and not goes_on(seems[1].words, heard.words):
            self._close(*seems)
        else:
            self._open.sentence, self._open.refused = None, cut.end

    def _close(self, end: int, heard: Hypothesis) -> None:
        text = self._transcript.close(heard)
        self._events.append(Closed(self._open.start, end, text, heard.words))
        # A piece that looks wrong must not lead the next one astray.
        carried = heard.plausible and self._options.carry_text
        self._before = recent(self._transcript.closed) if carried else ""
        self._language = self._transcript.language
        self._begin(end, heard.words)
        self._show()

    def _begin(self, start: int, words: Sequence[Word]) -> None:
        """Open the next piece behind one that is closed with these words."""
        self._withdraw()
        self._window.trim(start)
        self._voice.forget(start)
        self._open = self._open.next(start, words)

    def _finished(self) -> bool:
        """Whether the speaker has, as far as we are to find that out."""
        answered = self._answered()
        return self._endpoint.reached(
            self._voice,
            # A decode that failed, or was not made, shall not keep anybody waiting for ever.
            self._text if answered else Text.UNFINISHED,
            waiting=not answered and self._outstanding is not None,
        )

    def _answered(self) -> bool:
        """Whether the text of all speech in the open piece is there."""
        if not self._voice.stretches:
            return True
        settled = self._settled()
        return settled is not None and self._open.heard_until(settled) is not None

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
        heard = self._open.heard_until(end)
        if heard is None:
            self._want(Kind.FINAL, end, timed=False)
        else:
            self._finish_with(total, heard)

    def _last_end(self, total: int) -> int:
        """Return the end of the final's range."""
        return min(self._voice.stretches[-1].end + self._settle, total)

    def _finish_with(self, total: int, heard: Hypothesis | None) -> None:
        if heard is not None:
            self._close(max(total, self._open.start), heard)
        elif total > self._open.start:
            self._events.append(Closed(self._open.start, total))
        self._show()
        said = self._transcript
        self._finish(Finished(said.sent, said.revision, said.language, said.language_probability))

    def _finish(self, event: Finished | Failed) -> None:
        self._withdraw()
        self._events.append(event)
        self._done = True

    def _look_ahead(self) -> None:
        """Wish for what may be the final, or for the next words."""
        settled = self._settled()
        if settled is not None:
            # Our own endpointing waits for the text: there it is no speculation.
            wanted = self._rung.speculation or self._options.endpointing != "off"
            if wanted and self._open.tried < settled:
                self._want(Kind.SPECULATIVE, settled)
        elif (
            self._voice.speaking
            and self._partials
            and self._outstanding is None
            and self._window.end >= self._next_partial()
        ):
            self._wish_partial(self._window.end)

    def _next_partial(self) -> int:
        """Return the sample index up to which the next partial at least reaches."""
        spoken = max(self._open.heard, self._voice.stretches[0].start)
        return spoken + self._step * self._rung.stretch

    @property
    def _partials(self) -> bool:
        return self._options.partials and self._rung.partials

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
            first = self._open.footing()
            start = int(sure[first].start * RATE) if first else 0
            known = tuple(sure[:first])
        self._open.known = (*known, *sure[len(known) :])
        told = known if seems is None or self._options.carry_text else ()
        start = max(start, self._open.start)
        self._wish(Kind.PARTIAL, start, end, self._prompt(told), _tokens(sure[first:]))

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
        spoken = self._voice.longest(wish.end) / RATE
        if nobody(heard.no_speech, heard.average_logprob, spoken):
            heard = replace(heard, words=())
        known = self._open.known
        if len(known) < len(self._open.sure) and self._options.final == "consistent":
            # What was sent from behind the cut lets nothing in before it.
            heard = replace(heard, words=known)
        else:
            heard = replace(heard, words=(*known, *heard.words))
        self._open.free = (wish.end, heard)
        if heard.words:
            self._text = judge(heard)
        if heard.plausible and wish.kind is Kind.SPECULATIVE:
            # The speech has ended, so no word of it can be cut off: no guard is needed.
            self._commit(heard.words, float("inf"))

    def _commit(self, words: Sequence[Word], end: float) -> None:
        """Send what a hypothesis of the whole piece adds for sure."""
        more = self._open.commit(words, self._policy, end)
        if more and self._options.final == "consistent":
            self._open.forget_contradicted()
        self._show()

    def _show(self) -> None:
        said = self._transcript
        if said.show(self._open.sure, self._open.unsure) and self._options.partials:
            self._events.append(Words(said.sent, said.revision, said.tail))


def _tokens(words: Sequence[Word]) -> tuple[int, ...]:
    return tuple(token for word in words for token in word.tokens)


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)
