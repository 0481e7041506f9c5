"""The `check` sub-command: loads the model, transcribes a short clip and says what was found."""

import asyncio
import logging
import sys
import time

from wyoming_streamwhisper.build import Unusable, built, load
from wyoming_streamwhisper.config.settings import Settings
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import Capacity
from wyoming_streamwhisper.engine.capacity import SILENCE, SPEECH
from wyoming_streamwhisper.service import EX_UNAVAILABLE
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.events import Failed, Final
from wyoming_streamwhisper.session.session import Session


def check(settings: Settings) -> int:
    """Load the model, transcribe a short clip and say what was found; returns the exit status."""
    logging.getLogger(__package__).setLevel(logging.WARNING)  # the findings are printed
    try:
        return asyncio.run(_check(settings))
    except Unusable as error:
        print(f"wyoming-streamwhisper: {error}", file=sys.stderr)
        return error.status


async def _check(settings: Settings) -> int:
    print("configuration: good;", len(settings.profiles), "profile(s):", end=" ")
    print(", ".join(profile.name for profile in settings.profiles))
    async with built(settings) as (engine, trials, session):
        begun = time.perf_counter()
        await load(engine, settings)
        info = engine.info
        print(f"model: {info.model}, loaded in {time.perf_counter() - begun:.2f} s; {info.running}")
        print(f"languages: {_some(info.languages)}")
        trials.open(engine)
        await trials.test(engine, session.idle)
        rule = trials.rule(engine)
        print(f"audio context: {rule} ({rule.why})")
        print(f"capacity: {_carries(engine.capacity)}")
        begun = time.perf_counter()
        outcome = await _transcribe_clip(session)
        spent = time.perf_counter() - begun
    if isinstance(outcome, Failed):
        print(f"clip: failed, {outcome.message} ({outcome.code})")
        return EX_UNAVAILABLE
    print(f"clip: {outcome.text!r} ({outcome.language}) in {spent:.2f} s")
    return 0


def _carries(capacity: Capacity | None) -> str:
    if capacity is None:
        return "not measured"
    return (
        f"about {capacity.with_partials} speaking at once with words while they speak, "
        f"{capacity.finals} with transcripts only (each one command of {SPEECH} s after the other, "
        f"{SILENCE} s apart, and nothing else at work on this machine)"
    )


def _some(languages: tuple[str, ...]) -> str:
    more = f" and {len(languages) - 10} more" if len(languages) > 10 else ""
    return ", ".join(languages[:10]) + more


async def _transcribe_clip(session: Session) -> Final | Failed:
    profile = next(iter(session.profiles.values()))
    utterance = session.begin(profile, Asked())
    try:
        utterance.feed(clip.PATH.read_bytes(), clip.FORMAT)
        utterance.end()
        async for event in utterance.events():
            if isinstance(event, Final | Failed):
                return event
    finally:
        await utterance.close()
    raise AssertionError("events end with an outcome")
