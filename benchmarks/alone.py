"""One utterance at a time: what a satellite that has a server to itself waits for.

Every clip is spoken to every server in turn, in real time, with several lengths of silence behind
it. What came back and when is kept as plain data, from which `benchmarks.latency` makes tables.
"""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.accuracy import measure, shown_at, states, word_error_rate, words
from benchmarks.field import Entrant, Field
from benchmarks.lagging import length_adaptive_average_lagging
from benchmarks.settings import Settings
from benchmarks.speech import Spoken
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.sources import Pacing

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one server made of one clip; times in seconds, None where there is none."""

    server: str
    file: str
    set: str
    reference: str
    text: str
    trailing_s: float | None
    """Silence behind the voice up to audio-stop; None where the server was to find the end."""
    error: str | None
    stop_to_text: float | None
    end_to_text: float | None
    """From when the last sample of the voice was sent."""
    cut: bool
    """Answered while the voice still spoke."""
    first_partial: float | None
    """From the first audio that is loud enough for speech."""
    delays: tuple[float, ...]
    """For each word that is right and has a mark: from its last sample to when it is shown."""
    laal: float | None
    sent_late: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One clip and the silence behind it; None lets the server find the end."""

    spoken: Spoken
    trailing_s: float | None


def plan(clips: Sequence[Spoken], settings: Settings) -> list[Cell]:
    """Return what is spoken to each server, mixed so that no length of silence comes first."""
    lengths = [None, settings.usual_s]
    cells = [Cell(one, length) for length in lengths for one in clips[: settings.clips]]
    fewer = clips[: settings.clips_other]
    cells += [Cell(one, length) for length in settings.other_s for one in fewer]
    random.Random(settings.seed).shuffle(cells)
    return cells


async def run(field: Field, clips: Sequence[Spoken], settings: Settings) -> AsyncIterator[Row]:
    """Speak all cells to all servers that they are for; yields rows of `Heard`."""
    for number, cell in enumerate(plan(clips, settings)):
        entrants = [one for one in field.entrants if one.endpoints == (cell.trailing_s is None)]
        # Another one begins each time: else one would always follow the same neighbour.
        turn = number % max(1, len(entrants))
        for entrant in [*entrants[turn:], *entrants[:turn]]:
            yield asdict(await _speak(field, entrant, cell, settings))


async def _speak(field: Field, entrant: Entrant, cell: Cell, settings: Settings) -> Heard:
    silence = settings.own_s if cell.trailing_s is None else cell.trailing_s
    clip = cell.spoken.clip
    async with field.turn(entrant) as running:
        record = await speak(
            running.uri,
            cell.spoken.audio,
            Asking(language=clip.lang),
            Pacing(chunk_ms=settings.chunk_ms, trailing_silence=silence),
            patience=settings.patience_s,
            connect=running.connect,
        )
    return heard(entrant.name, cell, record)


def heard(server: str, cell: Cell, record: Conversation) -> Heard:
    """Sum up one conversation."""
    clip, end = cell.spoken.clip, cell.spoken.end_s
    measured = measure(clip, record)
    # What was answered before its last sample was sent has no end to count from.
    cut = record.transcript_at is not None and record.seconds < end
    answered = None if cut else record.transcript_at
    return Heard(
        server=server,
        file=clip.file,
        set=clip.set,
        reference=clip.text,
        text=measured.text,
        trailing_s=cell.trailing_s,
        error=measured.error,
        stop_to_text=measured.stop_to_transcript_s,
        end_to_text=None if answered is None else answered - record.sent_at(end),
        cut=cut,
        first_partial=measured.first_partial_s,
        delays=measured.delays,
        laal=lagging(clip.text, end, record),
        sent_late=measured.lag_s,
    )


def lagging(reference: str, end_s: float, record: Conversation) -> float | None:
    """Return the LAAL of one conversation in seconds; None without words."""
    if record.transcript is None or not words(record.transcript.text):
        return None
    shown = shown_at(states(record), words(record.transcript.text))
    since = [at - record.begun_at for at in shown]
    return length_adaptive_average_lagging(since, end_s, len(words(reference)))


def error_rate(rows: Sequence[Row]) -> float | None:
    """Return the share of wrong words over rows of `Heard`; an error counts as no words."""
    return word_error_rate([(row["reference"], row["text"]) for row in rows])
