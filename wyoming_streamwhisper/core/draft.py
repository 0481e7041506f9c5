"""The text of an utterance in the making: what its decodes are told, and what their answers change.

It knows words and the piece that is open, but neither when a decode is due nor where a piece ends.
Each change is returned as the events that tell of it.
"""

from collections.abc import Sequence
from dataclasses import replace

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.endpoint import Text, judge
from wyoming_streamwhisper.core.events import Closed, Event, Final, Partial
from wyoming_streamwhisper.core.guards import nobody
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.piece import Piece
from wyoming_streamwhisper.core.policy import make_policy
from wyoming_streamwhisper.core.prompt import Prompt, recent
from wyoming_streamwhisper.core.transcript import Transcript
from wyoming_streamwhisper.core.window import LONGEST
from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.core.words import Hypothesis, Word, append, text_of

_SURE_LANGUAGE = 0.8
"""Probability from which partials stop detecting the language anew."""


class Draft:
    """The closed pieces, the open one, and what of both was sent."""

    def __init__(self, options: Streaming, pinned: str, before: str) -> None:
        """Begin; `pinned` stands before every decode, `before` is the text of an earlier one."""
        self._options = options
        self._consistent = options.final == "consistent"
        self._policy = make_policy(options.policy, options.guard, options.doubt)
        self._pinned, self._before = pinned, before if options.carry_text else ""
        self._transcript = Transcript()
        self._language = ""
        """What partials take for the language, once one was sure of it."""
        self.open = Piece(0)
        self.says: Text | None = None
        """What the last words say of whether the speaker has finished."""

    # What decodes are told

    def free(self, kind: Kind, end: int, *, timed: bool = True) -> Wish:
        """Return the wish for a decode of the open piece up to a sample index.

        It is told nothing of what was sent, so that it is as good as one pass over the audio;
        `final: consistent` gives that up.
        """
        piece = self.open
        piece.tried = end
        kept = [w for w in piece.sure if w.start * RATE < end] if self._consistent else []
        piece.known = tuple(kept)
        return self._wish(kind, piece.start, end, (), _tokens(kept), timed=timed)

    def partial(self, end: int) -> Wish:
        """Return the wish for the next words, in a window that begins at a sure word near the end.

        A decoder takes the words before that as a prompt in one pass, but repeats a forced prefix
        step by step: a short window is what keeps partials cheap in a long piece.
        """
        piece = self.open
        sure, seems = piece.sure, piece.sentence
        if seems is not None:
            # What seems to be a sentence will most likely be a piece of its own.
            start, known = seems[0], seems[1].words
            first = min(len(known), len(sure))
        else:
            first = piece.footing()
            start = int(sure[first].start * RATE) if first else 0
            known = tuple(sure[:first])
        piece.known = (*known, *sure[len(known) :])
        told = known if seems is None or self._options.carry_text else ()
        start = max(start, piece.start)
        return self._wish(
            Kind.PARTIAL, start, end, told, _tokens(sure[first:]), language=self._language
        )

    def _wish(
        self,
        kind: Kind,
        start: int,
        end: int,
        told: Sequence[Word],
        prefix: tuple[int, ...],
        *,
        language: str = "",
        timed: bool = True,
    ) -> Wish:
        self.open.heard = max(self.open.heard, end)
        prompt = Prompt(self._pinned, recent(append(self._before, text_of(told))))
        return Wish(0, kind, max(start, end - LONGEST), end, prompt, prefix, language, timed)

    # What their answers change

    def hear_partial(self, heard: Hypothesis, end: int) -> list[Event]:
        """Take over the next words, heard in audio that ends at a sample index."""
        if not heard.plausible:  # the next one is not far
            return []
        if heard.language_probability >= _SURE_LANGUAGE:
            self._language = heard.language
        return self._commit([*self.open.known, *heard.words], end / RATE)

    def hear_free(self, heard: Hypothesis, wish: Wish, spoken: float) -> list[Event]:
        """Take over the text of the open piece up to the wish's end.

        `spoken`: the longest stretch of speech in it, in seconds.
        """
        if nobody(heard.no_speech, heard.average_logprob, spoken):
            heard = replace(heard, words=())
        known = self.open.known
        if len(known) < len(self.open.sure) and self._consistent:
            # What was sent from behind the cut lets nothing in before it.
            heard = replace(heard, words=known)
        else:
            heard = replace(heard, words=(*known, *heard.words))
        self.open.free = (wish.end, heard)
        if heard.words:
            self.says = judge(heard)
        if heard.plausible and wish.kind is Kind.SPECULATIVE:
            # The speech has ended, so no word of it can be cut off: no guard is needed.
            return self._commit(heard.words, float("inf"))
        return []

    def _commit(self, words: Sequence[Word], end: float) -> list[Event]:
        """Send what a hypothesis of the whole piece adds for sure."""
        more = self.open.commit(words, self._policy, end)
        if more and self._consistent:
            self.open.forget_contradicted()
        return self._show()

    # Pieces

    def skip(self, start: int) -> list[Event]:
        """Close the silence before a sample index, where the open piece begins then."""
        event = Closed(self.open.start, start)
        self.open = self.open.next(start, ())
        return [event]

    def close(self, end: int, heard: Hypothesis) -> list[Event]:
        """Close the open piece at a sample index with its text, and open the next one."""
        text = self._transcript.close(heard)
        event = Closed(self.open.start, end, text, heard.words)
        # A piece that looks wrong must not lead the next one astray.
        carried = heard.plausible and self._options.carry_text
        self._before = recent(self._transcript.closed) if carried else ""
        self._language = self._transcript.language
        self.open = self.open.next(end, heard.words)
        return [event, *self._show()]

    def finish(self, total: int, heard: Hypothesis | None) -> list[Event]:
        """Close the last piece where the audio ends; None where nobody speaks in it."""
        events: list[Event] = []
        if heard is not None:
            events += self.close(max(total, self.open.start), heard)
        elif total > self.open.start:
            events.append(Closed(self.open.start, total))
        events += self._show()
        said = self._transcript
        return [*events, Final(said.sent, said.revision, said.language, said.language_probability)]

    def _show(self) -> list[Event]:
        said = self._transcript
        if said.show(self.open.sure, self.open.unsure) and self._options.partials:
            return [Partial(said.sent, said.revision, said.tail)]
        return []


def _tokens(words: Sequence[Word]) -> tuple[int, ...]:
    return tuple(token for word in words for token in word.tokens)
