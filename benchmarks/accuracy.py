"""What one utterance is worth: pure measures over a clip, its record and the one-pass texts.

Words are compared in one normal form: lower case, without punctuation, the colon of times kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import jiwer

from wyoming_streamwhisper.client.record import Conversation

Words = list[str]
LastWord = Literal["kept", "misheard", "lost"]


@dataclass(frozen=True, slots=True)
class Clip:
    """One line of an evaluation folder's manifest."""

    file: str
    set: str
    lang: str
    seconds: float
    text: str
    marks: tuple[tuple[float, float], ...] = ()
    """Begin and end of each written word in seconds, where the voice told."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one utterance showed; `delays` are seconds, one for each word that has a mark."""

    clip: Clip
    text: str
    error: str | None
    revisions: int
    joined: bool
    """The chunks of the last revision, joined, are the transcript."""
    extends: bool
    """The transcript begins with every partial that was sent, in whatever revision."""
    delays: tuple[float, ...]
    first_partial_s: float | None
    stop_to_transcript_s: float | None
    lag_s: float


def words(text: str) -> Words:
    """Split a text into its words in the normal form."""
    return re.sub(r"[^\w\s:]", " ", text.lower()).split()


def word_error_rate(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return the share of wrong words over all pairs of a reference that has words and a text."""
    spoken = [(words(ref), words(hyp)) for ref, hyp in pairs if words(ref)]
    if not spoken:
        return None
    return float(jiwer.wer([" ".join(r) for r, _ in spoken], [" ".join(h) for _, h in spoken]))


def matches(reference: Words, hypothesis: Words) -> dict[int, int]:
    """Return which word of the hypothesis is which of the reference, by the shortest alignment."""
    if not (reference and hypothesis):
        return {}
    aligned = jiwer.process_words(" ".join(reference), " ".join(hypothesis)).alignments[0]
    return {
        chunk.ref_start_idx + place: chunk.hyp_start_idx + place
        for chunk in aligned
        if chunk.type == "equal"
        for place in range(chunk.ref_end_idx - chunk.ref_start_idx)
    }


def last_word(reference: str, hypothesis: str) -> LastWord:
    """Tell what became of the reference's last word: another word in its place is misheard."""
    spoken, heard = words(reference), words(hypothesis)
    if not heard or not spoken:
        return "lost" if spoken else "kept"
    last = jiwer.process_words(" ".join(spoken), " ".join(heard)).alignments[0]
    kinds = [chunk.type for chunk in last if chunk.ref_end_idx == len(spoken)]
    # An insertion behind the last word ends at the same place and says nothing about it.
    kind = next(kind for kind in kinds if kind != "insert")
    return _FATES[kind]


_FATES: dict[str, LastWord] = {"equal": "kept", "substitute": "misheard", "delete": "lost"}


def states(record: Conversation) -> list[tuple[float, str]]:
    """List every text that a client showed, with its time; the transcript is the last."""
    shown = record.partials
    if record.transcript is not None and record.transcript_at is not None:
        shown.append((record.transcript_at, record.transcript.text))
    return shown


def shown_at(shown: Sequence[tuple[float, str]], final: Words) -> list[float]:
    """Return for each word of the final since when it was on the screen without interruption.

    The last state must be the final itself.
    """
    times = [shown[-1][0]] * len(final)
    staying = set(range(len(final)))
    for at, text in reversed(shown):
        staying &= _present(words(text), final)
        for place in staying:
            times[place] = at
        if not staying:
            break
    return times


def _present(partial: Words, final: Words) -> set[int]:
    """Return the words of the final that a partial already has.

    Against the whole final, a partial's last words could be aligned with their later repetitions.
    """
    begun = final[: len(partial)]
    if partial == begun:
        return set(range(len(partial)))
    return set(matches(begun, partial))


def word_delays(clip: Clip, record: Conversation) -> list[float]:
    """Return seconds from the end of each word, as it was sent, to its arrival for good.

    A word counts where its reference has a mark and the final has it right. Words that come
    before their last sample went out have negative delays.
    """
    if not clip.marks or record.transcript is None:
        return []
    ends = [
        end
        for word, (_, end) in zip(clip.text.split(), clip.marks, strict=True)
        for _ in words(word)
    ]
    final = words(record.transcript.text)
    arrived = shown_at(states(record), final)
    found = matches(words(clip.text), final)
    return [arrived[heard] - record.sent_at(ends[spoken]) for spoken, heard in found.items()]


def measure(clip: Clip, record: Conversation, real_time: bool = True) -> Measured:
    """Gather all that one utterance showed; without a transcript its text counts as empty.

    Where audio was sent faster than it is spoken, delays of words mean nothing and are left out.
    """
    text = record.transcript.text if record.transcript else ""
    failure = record.failure
    return Measured(
        clip=clip,
        text=text,
        error=failure.code if failure else None,
        revisions=len(record.revisions),
        joined=not record.revisions or record.revisions[-1].text == text,
        extends=all(text.startswith(partial) for _, partial in states(record)),
        delays=tuple(word_delays(clip, record)) if real_time else (),
        first_partial_s=record.first_partial_s if real_time else None,
        stop_to_transcript_s=record.stop_to_transcript_s,
        lag_s=record.lag_s if real_time else 0.0,
    )
