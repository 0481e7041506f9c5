"""A load test: many satellites speak at once, and a table says how long each had to wait."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rich.table import Table

from wyoming_streamwhisper.client.play import Terms, say
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.screen import Screen
from wyoming_streamwhisper.client.sources import RATE, Samples


@dataclass(frozen=True, slots=True)
class Clip:
    """A file that satellites speak."""

    name: str
    audio: Samples


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many satellites, and how often each speaks every clip."""

    satellites: int
    rounds: int = 1


async def load(
    clips: Sequence[Clip], crowd: Crowd, terms: Terms, screen: Screen
) -> list[Conversation]:
    """Let all satellites speak all clips; each has one connection at a time, so all is bounded."""
    mean_s = sum(len(clip.audio) for clip in clips) / RATE / len(clips)
    with screen:
        spoken = await asyncio.gather(
            *(
                _satellite(index, mean_s * index / crowd.satellites, clips, crowd, terms, screen)
                for index in range(crowd.satellites)
            )
        )
    return [record for records in spoken for record in records]


async def _satellite(
    index: int,
    delay: float,
    clips: Sequence[Clip],
    crowd: Crowd,
    terms: Terms,
    screen: Screen,
) -> list[Conversation]:
    # Spread over one clip's length and each begun with another clip: people do not speak in chorus.
    await asyncio.sleep(delay)
    turn = index % len(clips)
    context = {"satellite_id": f"load-{index}", **terms.asking.context}
    own = replace(terms, asking=replace(terms.asking, context=context))
    records = []
    for clip in [*clips[turn:], *clips[:turn]] * crowd.rounds:
        record = await say(clip.audio, own)
        screen.done(f"{clip.name} (satellite {index})", record)
        records.append(record)
    return records


def table(records: Sequence[Conversation], crowd: Crowd) -> Table:
    """Lay out the percentiles of a load test."""
    errors = Counter(record.failure.code for record in records if record.failure)
    counted = ", ".join(f"{count} {code}" for code, count in errors.items()) or "none"
    lag = max((record.lag_s for record in records), default=0.0)
    laid = Table(
        title=f"{crowd.satellites} satellites, {len(records)} utterances",
        caption=f"errors: {counted}; audio sent at most {1000 * lag:.0f} ms behind real time",
    )
    for name in ("ms", "n", "p50", "p95", "max"):
        laid.add_column(name, justify="left" if name == "ms" else "right")
    laid.add_row("stop → transcript", *_row([r.stop_to_transcript_s for r in records]))
    laid.add_row("first words", *_row([r.first_partial_s for r in records]))
    return laid


def _row(seconds: list[float | None]) -> list[str]:
    known = [1000 * s for s in seconds if s is not None]
    if not known:
        return ["0", "-", "-", "-"]
    p50, p95, top = np.percentile(known, [50, 95, 100])
    return [str(len(known)), f"{p50:.0f}", f"{p95:.0f}", f"{top:.0f}"]
