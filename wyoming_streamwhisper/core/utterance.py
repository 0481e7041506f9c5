"""The state machine of one utterance: audio and results in, wishes and events out.

It has no clock and knows no model: time is the number of samples, and a decode is a `Wish` that
is answered by `result` or `failed`. So every behaviour is a unit test.

The audio is cut into pieces. The *open* piece is where the speaker is; it is closed in a pause once
it is long enough, and at the latest when it is full. Its text then comes from a free decode of the
whole piece, as the final does, so neither depends on what was sent while it was spoken. All cuts
and all decoded ranges of free decodes follow from sample indices alone, so that the final text does
not depend on how the audio was chunked or how long the decodes took.

What is decided here is *when*: which decode is due, where a piece is closed, when it is all over.
What was heard is `hearing`'s, the text `draft`'s, the decode that is under way `wishes`'.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.cuts import Cut, Cuts, Seen, between_words
from wyoming_streamwhisper.core.draft import Draft
from wyoming_streamwhisper.core.endpoint import Endpoint, Text
from wyoming_streamwhisper.core.events import Event, Failed, Speech
from wyoming_streamwhisper.core.hearing import Hearing
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.core.wishes import Wishes
from wyoming_streamwhisper.core.words import Hypothesis


@dataclass(frozen=True, slots=True)
class Effects:
    """What an input led to."""

    wishes: tuple[Wish, ...] = ()
    urgent: tuple[int, ...] = ()
    """Numbers of earlier wishes that have become the final."""
    withdrawn: tuple[int, ...] = ()
    """Numbers of earlier wishes that nobody waits for any more."""
    events: tuple[Event, ...] = ()


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
        self._endpoint = Endpoint.of(options, sensitivity)
        self._cuts = Cuts(options)
        self._step = int(options.step * RATE)
        self._turn = int(turn * RATE)
        self._tell_speech = tell_speech
        self._rung = Rung.ALL
        self._hearing = Hearing(options.vad_threshold, int(options.settle * RATE))
        self._draft = Draft(options, pinned, before)
        self._wishes = Wishes()
        self._events: list[Event] = []
        self._total: int | None = None
        """Samples in all, once the end is known."""
        self._done = False

    # What can be asked

    @property
    def room(self) -> int:
        """Samples that `audio` takes now."""
        return self._hearing.window.room

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
        return self._hearing.voice.spoken

    @property
    def quiet(self) -> int:
        """Samples since somebody last spoke, or since the begin; 0 while somebody speaks."""
        return self._hearing.voice.quiet

    @property
    def leeway(self) -> int:
        """Samples that may lie unjudged for a while without anything being late."""
        if self.ended:
            return 0
        most = self._hearing.leeway
        if not self._hearing.voice.stretches or not self._partials or self._wishes.outstanding:
            return most
        return min(most, max(0, self._next_partial() - self._hearing.window.end))

    def samples(self, wish: Wish) -> Samples:
        """Return the audio of an outstanding wish."""
        return self._hearing.samples(wish.start, wish.end)

    @property
    def moved(self) -> bool:
        """Whether there is anything to `take`."""
        return bool(self._events) or self._wishes.moved

    def take(self) -> Effects:
        """Return what has come about since the last call."""
        effects = Effects(*self._wishes.take(), tuple(self._events))
        self._events.clear()
        return effects

    # Inputs

    def heed(self, rung: Rung) -> None:
        """Leave out from now on what is left out on this rung; the final is the same on all."""
        self._rung = rung

    def audio(self, samples: Samples) -> None:
        """Hear further audio (mono, 16 kHz), at most `room` samples."""
        if not self.ended:
            self._hearing.window.append(samples)

    def speech(self, probabilities: Sequence[float]) -> None:
        """Learn how probably each further frame of 512 samples is speech, in order."""
        voice = self._hearing.voice
        if self._done or (self._total is not None and voice.known >= self._total):
            return  # what is heard behind the end is another's
        for probability in probabilities:
            voice.feed((probability,))
            # Judged frame by frame, so that it does not matter how many come at once.
            if self._turn and voice.spoken and voice.quiet >= self._turn:
                self._total = min(self._total or voice.known, voice.known)
                break
        if self._tell_speech and voice.stretches:
            self._tell_speech = False
            self._events.append(Speech(voice.stretches[0].start / RATE))
        self._advance()

    def stop(self) -> None:
        """Learn that no more audio comes; the final waits for the frames still to be judged."""
        if not self.ended:
            self._total = self._hearing.window.end
            self._advance()

    def result(self, number: int, hypothesis: Hypothesis) -> None:
        """Take the answer to a wish; one that nobody waits for any more is ignored."""
        wish = self._wishes.settle(number)
        if wish is None:
            return
        heard = hypothesis.later(wish.start / RATE)
        if wish.kind is Kind.PARTIAL:
            self._events += self._draft.hear_partial(heard, wish.end)
        else:
            spoken = self._hearing.voice.longest(wish.end) / RATE
            self._events += self._draft.hear_free(heard, wish, spoken)
        self._advance()

    def failed(self, number: int, code: str, message: str) -> None:
        """Learn that a wish will not be answered. Only what cannot be done without fails too."""
        wish = self._wishes.settle(number)
        if wish is None:
            return
        if wish.kind in (Kind.FINAL, Kind.PIECE):
            self._finish([Failed(code, message)])
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
            self._total = self._hearing.voice.known
        if self._total is not None:
            self._conclude(self._total)
        else:
            self._look_ahead()

    def _skip_silence(self) -> None:
        """Close the silence before the speech of the open piece, without a decode."""
        until, worth = self._hearing.silence()
        piece = self._draft.open
        # The range of a free decode that was asked for begins with the piece.
        if until - piece.start >= worth and not piece.tried:
            self._wishes.withdraw()
            self._hearing.forget(until)
            self._events += self._draft.skip(until)

    # Pieces

    def _seen(self) -> Seen:
        """Say what `Cuts` has to know of the open piece."""
        piece, total, last = self._draft.open, self._total, None
        voice = self._hearing.voice
        if total is not None and voice.known >= total and voice.stretches:
            last = self._hearing.last_end(total)
        return Seen(
            start=piece.start,
            pauses=self._hearing.pauses(),
            known=self._hearing.known,
            sentence=piece.sentence[0] if piece.sentence else None,
            refused=piece.refused,
            last=last,
        )

    def _close_at(self, cut: Cut) -> bool:
        """Close the open piece there or refuse to; returns whether its text was there for that."""
        end = cut.proof or cut.end
        heard = self._draft.open.heard_until(end)
        if heard is None:
            self._want(self._urgency(end), end)
            return False
        if cut.sentence:
            if sentence := self._draft.open.judge_sentence(cut.end, heard):
                self._close(*sentence)
        elif cut.silent:
            self._close(end, heard)
        else:
            words, end = between_words(heard.words, self._draft.open.start, end)
            self._close(end, replace(heard, words=words))
        return True

    def _urgency(self, end: int) -> Kind:
        """Return the kind of a decode that may close a piece at a sample index."""
        if self._total is not None:  # the final waits for it
            return Kind.FINAL
        # While nobody speaks on, it may become the final.
        ahead = end == self._hearing.settled() and self._draft.open.tried < end
        return Kind.SPECULATIVE if ahead else Kind.PIECE

    def _close(self, end: int, heard: Hypothesis) -> None:
        self._wishes.withdraw()
        self._hearing.forget(end)
        self._events += self._draft.close(end, heard)

    # The end

    def _finished(self) -> bool:
        """Whether the speaker has, as far as we are to find that out."""
        answered = self._answered()
        return self._endpoint.reached(
            self._hearing.voice,
            # A decode that failed, or was not made, shall not keep anybody waiting for ever.
            self._draft.says if answered else Text.UNFINISHED,
            waiting=not answered and self._wishes.outstanding is not None,
        )

    def _answered(self) -> bool:
        """Whether the text of all speech in the open piece is there."""
        if not self._hearing.voice.stretches:
            return True
        settled = self._hearing.settled()
        return settled is not None and self._draft.open.heard_until(settled) is not None

    def _conclude(self, total: int) -> None:
        """Bring about the final once every frame is judged."""
        if self._hearing.voice.known < total:
            return
        if not self._hearing.voice.stretches:
            self._finish(self._draft.finish(total, None))
            return
        end = self._hearing.last_end(total)
        heard = self._draft.open.heard_until(end)
        if heard is None:
            self._want(Kind.FINAL, end, timed=False)
        else:
            self._finish(self._draft.finish(total, heard))

    def _finish(self, events: Sequence[Event]) -> None:
        """Tell the last events; no decode is of use any more."""
        self._wishes.withdraw()
        self._events += events
        self._done = True

    # Wishes

    def _look_ahead(self) -> None:
        """Wish for what may be the final, or for the next words."""
        settled = self._hearing.settled()
        if settled is not None:
            # Our own endpointing waits for the text: there it is no speculation.
            wanted = self._rung.speculation or self._options.endpointing != "off"
            if wanted and self._draft.open.tried < settled:
                self._want(Kind.SPECULATIVE, settled)
        elif (
            self._hearing.voice.speaking
            and self._partials
            and self._wishes.outstanding is None
            and self._hearing.window.end >= self._next_partial()
        ):
            self._wishes.add(self._draft.partial(self._hearing.window.end))

    def _next_partial(self) -> int:
        """Return the sample index up to which the next partial at least reaches."""
        spoken = max(self._draft.open.heard, self._hearing.voice.stretches[0].start)
        return spoken + self._step * self._rung.stretch

    @property
    def _partials(self) -> bool:
        return self._options.partials and self._rung.partials

    def _want(self, kind: Kind, end: int, *, timed: bool = True) -> None:
        """Wish for a free decode of the open piece up to a sample index, unless it is under way."""
        if not self._wishes.urge(kind, self._draft.open.start, end):
            self._wishes.add(self._draft.free(kind, end, timed=timed))
