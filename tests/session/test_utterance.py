"""An utterance at work: one outcome whatever happens, and nothing of it left behind."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import LoudnessVad, ScriptedEngine
from wyoming_streamwhisper.core.audio import AudioFormat
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.engine.api import EngineError, Request, Vad
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.events import Event, Failed, Final, Partial
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session
from wyoming_streamwhisper.session.utterance import Utterance

FORMAT = AudioFormat(16_000, 2, 1)
RATE = 16_000
LOOSE = Profile(streaming=Streaming(policy="alignatt", guard=0.0, doubt=1.0))
"""A profile that sends every word at once."""


def loud(seconds: float) -> bytes:
    return np.full(int(seconds * RATE), 8000, np.int16).tobytes()


def quiet(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


@asynccontextmanager
async def a_session(
    engine: ScriptedEngine, *, vad: Vad | None = None, longest: float = 3600.0
) -> AsyncIterator[Session]:
    """Give a session, and see that nothing of it is left at the end."""
    before = asyncio.all_tasks()
    service = VadService(vad or LoudnessVad())
    session = Session(engine, service, [LOOSE], ContextOptions(), max_utterance=longest)
    try:
        yield session
        assert session.running == 0
        await session.idle()
        await settled(service)
        assert asyncio.all_tasks() == before
        assert not engine.calls
    finally:
        await service.close()


async def settled(service: VadService) -> None:
    while not service.idle:  # noqa: ASYNC110 - the turns of the loop are waited for
        await asyncio.sleep(0)


async def everything(utterance: Utterance) -> list[Event]:
    return [event async for event in utterance.events()]


async def outcome(utterance: Utterance) -> Event:
    """Return the last event; there must be one outcome, and behind all else."""
    *partials, last = await everything(utterance)
    assert all(isinstance(event, Partial) for event in partials)
    assert isinstance(last, Final | Failed)
    return last


def tell(engine: ScriptedEngine, scenario: Callable[..., object], **options: object) -> None:
    async def run() -> None:
        async with a_session(engine, **options) as session:
            await scenario(session, session.begin(LOOSE, Asked("kitchen")))

    asyncio.run(run())


def answer_length(request: Request) -> str:
    """Answer with the number of samples, so that the text shows what was decoded."""
    return f"w{len(request.samples)}"


# The usual course


def test_words_come_while_they_are_spoken_and_the_final_behind():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        events = utterance.events()
        utterance.feed(loud(1.0), FORMAT)
        (await engine.call(Kind.PARTIAL)).answer("turn on")
        assert await anext(events) == Partial("turn on", 0)
        utterance.feed(quiet(0.4), FORMAT)
        (await engine.call(Kind.SPECULATIVE)).answer("turn on the light")
        assert await anext(events) == Partial("turn on the light", 0)
        utterance.end()
        assert await anext(events) == Final("turn on the light", 0, "en", 1.0)
        assert [event async for event in events] == []
        assert utterance.ended
        assert utterance.seconds == pytest.approx(1.0, abs=0.05)
        await utterance.close()

    tell(engine, scenario)


def test_silence_is_answered_without_the_engine():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(quiet(2.0), FORMAT)
        utterance.end()
        assert await outcome(utterance) == Final("", 0, "", 0.0)
        await utterance.close()

    tell(engine, scenario)
    assert engine.seen == []


def test_no_audio_is_answered_too():
    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.end()
        utterance.end()
        assert await outcome(utterance) == Final("", 0, "", 0.0)
        await utterance.close()
        await utterance.close()

    tell(ScriptedEngine(), scenario)


@settings(max_examples=15)
@given(st.lists(st.integers(1, 40_000), max_size=8))
def test_chunks_do_not_change_the_final(cuts):
    pcm = quiet(0.5) + loud(1.0) + quiet(0.3) + loud(0.4) + quiet(0.1)
    engine = ScriptedEngine(answer_length)

    async def scenario(session: Session, utterance: Utterance) -> None:
        at = 0
        for cut in [*cuts, len(pcm)]:
            utterance.feed(pcm[at : at + cut], FORMAT)
            at += cut
            await asyncio.sleep(0)
        utterance.end()
        last = await outcome(utterance)
        assert isinstance(last, Final)
        assert last.text == f"w{expected}"
        await utterance.close()

    # From 0.3 s before the speech (in frames of 32 ms) to the end, 0.1 s behind it.
    expected = len(pcm) // 2 - (RATE // 2 // 512 * 512 - int(0.3 * RATE))
    tell(engine, scenario)


def test_a_slow_reader_gets_the_newest_partial_only():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        for text in ("one", "one two", "one two three"):
            utterance.feed(loud(0.6), FORMAT)
            call = await engine.call(Kind.PARTIAL)
            call.answer(text.removeprefix("one two ") if call.request.prefix else text)
            await asyncio.sleep(0)
        utterance.end()
        (await engine.call(Kind.FINAL)).answer("one two three four")
        await asyncio.sleep(0)
        events = await everything(utterance)
        assert len(events) == 2
        assert isinstance(events[0], Partial)
        assert isinstance(events[1], Final)
        await utterance.close()

    tell(engine, scenario)


# Urgency


def test_a_speculative_decode_becomes_the_final():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0) + quiet(0.4), FORMAT)
        call = await engine.call(Kind.SPECULATIVE)
        utterance.end()
        last = asyncio.create_task(outcome(utterance))
        while not engine.promoted:  # noqa: ASYNC110 - soon, and it tells nobody
            await asyncio.sleep(0)
        assert engine.promoted == [(call.request.id, Kind.FINAL)]
        call.answer("yes")
        assert (await last).text == "yes"
        await utterance.close()

    tell(engine, scenario)


def test_a_decode_that_was_withdrawn_is_cancelled():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0), FORMAT)
        partial = await engine.call(Kind.PARTIAL)
        utterance.feed(quiet(0.4), FORMAT)
        final = await engine.call(Kind.SPECULATIVE)
        assert partial.future.cancelled()
        assert [call.request.id for call in engine.calls] == [final.request.id]
        final.answer("yes")
        utterance.end()
        assert (await outcome(utterance)).text == "yes"
        await utterance.close()

    tell(engine, scenario)


def test_a_burst_that_ends_at_once_is_decoded_once():
    engine = ScriptedEngine(answer_length)

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(quiet(0.5) + loud(0.5) + quiet(0.1), FORMAT)
        utterance.end()
        await outcome(utterance)
        await utterance.close()

    tell(engine, scenario)
    assert [request.kind for request in engine.seen] == [Kind.FINAL]


# Failures


def test_a_partial_that_fails_harms_nobody():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0), FORMAT)
        (await engine.call(Kind.PARTIAL)).fail("replaced")
        utterance.feed(loud(0.5), FORMAT)
        (await engine.call(Kind.PARTIAL)).fail()
        utterance.end()
        (await engine.call(Kind.FINAL)).answer("yes")
        assert (await outcome(utterance)).text == "yes"
        await utterance.close()

    tell(engine, scenario)


def test_a_speculation_that_fails_is_followed_by_the_final():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0) + quiet(0.4), FORMAT)
        (await engine.call(Kind.SPECULATIVE)).fail()
        await asyncio.sleep(0)
        utterance.end()
        (await engine.call(Kind.FINAL)).answer("yes")
        assert (await outcome(utterance)).text == "yes"
        await utterance.close()

    tell(engine, scenario)


def test_a_final_that_fails_is_the_outcome():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0), FORMAT)
        utterance.end()
        (await engine.call(Kind.FINAL)).fail("timeout")
        assert (await outcome(utterance)).code == "timeout"
        utterance.fail("late", "nobody hears it")
        utterance.feed(loud(1.0), FORMAT)
        await utterance.close()

    tell(engine, scenario)


@pytest.mark.parametrize("error", [EngineError("engine-failed", "broken"), ValueError("a bug")])
def test_whatever_the_engine_raises_there_is_an_outcome(error):
    def broken(request: Request) -> Exception:
        return error

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0) + quiet(0.4), FORMAT)
        utterance.end()
        assert (await outcome(utterance)).code == "engine-failed"
        await utterance.close()

    tell(ScriptedEngine(broken), scenario)


def test_voice_activity_that_fails_is_an_outcome():
    class Broken(LoudnessVad):
        def step(self, states, frames):
            raise RuntimeError("as the script says")

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0), FORMAT)
        assert (await outcome(utterance)).code == "engine-failed"
        await utterance.close()

    tell(ScriptedEngine(), scenario, vad=Broken())


def test_who_is_told_the_reason_hears_it_once():
    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0), FORMAT)
        session.fail_running("shutting-down", "the server is stopping")
        utterance.fail("other", "later")
        assert await outcome(utterance) == Failed("shutting-down", "the server is stopping")
        await utterance.close()

    tell(ScriptedEngine(), scenario)


# The end at any moment


MOMENTS = {
    "at once": lambda u, e: None,
    "amid speech": lambda u, e: u.feed(loud(1.0), FORMAT),
    "amid speculation": lambda u, e: u.feed(loud(1.0) + quiet(0.4), FORMAT),
    "amid the final": lambda u, e: (u.feed(loud(1.0), FORMAT), u.end()),
    "amid a burst": lambda u, e: u.feed(loud(70.0), FORMAT),
    "after failing": lambda u, e: (u.feed(loud(1.0), FORMAT), u.fail("code", "text")),
}


@pytest.mark.parametrize("turns", [0, 1, 5, 50])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_closing_at_any_moment_leaves_nothing(moment, turns):
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        reader = asyncio.create_task(everything(utterance))
        moment(utterance, engine)
        for _ in range(turns):
            await asyncio.sleep(0)
        await utterance.close()
        assert session.running == 0
        assert not engine.calls
        await reader  # ends, whether or not there was an outcome

    tell(engine, scenario)


def test_the_seat_is_given_back_when_closing_is_cancelled():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0), FORMAT)
        await engine.call()
        closing = asyncio.create_task(utterance.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await asyncio.sleep(0)

    tell(engine, scenario)


# How much is kept


def test_audio_beyond_the_longest_utterance_is_left_out():
    engine = ScriptedEngine(answer_length)

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(3.0), FORMAT)
        assert utterance.ended
        utterance.feed(loud(3.0), FORMAT)
        assert (await outcome(utterance)).text == f"w{2 * RATE}"
        await utterance.close()

    tell(engine, scenario, longest=2.0)


def test_a_change_of_format_at_the_longest_utterance_is_its_end():
    engine = ScriptedEngine(answer_length)

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(quiet(0.9)[:-1], FORMAT)
        for _ in range(20):  # all of it is judged: nothing else will move the utterance
            await asyncio.sleep(0)
        utterance.feed(b"\0" * 30, replace(FORMAT, rate=8_000))
        utterance.feed(b"\0" * 30, replace(FORMAT, rate=48_000))
        async with asyncio.timeout(5):
            assert isinstance(await outcome(utterance), Final)
        await utterance.close()

    tell(engine, scenario, longest=0.9)


def test_a_fast_sender_waits_and_memory_stays():
    engine = ScriptedEngine()

    async def scenario(session: Session, utterance: Utterance) -> None:
        sent = 0
        while True:
            utterance.feed(loud(5.0), FORMAT)
            sent += 5
            try:
                await asyncio.wait_for(utterance.drained(), 0.2 if sent > 60 else 20)
            except TimeoutError:
                break
        assert sent <= 70  # 30 s in the window, 30 s behind it, and the last chunk
        draining = asyncio.create_task(utterance.drained())
        await asyncio.sleep(0)
        utterance.fail("code", "text")
        await draining
        await utterance.close()

    tell(engine, scenario)


def test_a_long_stream_passes_through():
    engine = ScriptedEngine(lambda request: "word")

    async def scenario(session: Session, utterance: Utterance) -> None:
        for _ in range(20):
            utterance.feed(loud(9.0) + quiet(1.0), FORMAT)
            await utterance.drained()
        utterance.end()
        last = await outcome(utterance)
        assert last.text == " ".join(["word"] * 20)
        await utterance.close()

    tell(engine, scenario)
    free = [r for r in engine.seen if r.kind is not Kind.PARTIAL]
    assert all(r.seconds <= 30.0 for r in engine.seen)
    assert len(free) >= 20


def test_a_change_of_format_is_a_new_stream_of_bytes():
    engine = ScriptedEngine(answer_length)
    wide = replace(FORMAT, channels=2)

    async def scenario(session: Session, utterance: Utterance) -> None:
        utterance.feed(loud(1.0)[:-1], FORMAT)  # the half sample is lost, no more
        utterance.feed(loud(1.0), wide)
        utterance.end()
        assert (await outcome(utterance)).text == f"w{RATE - 1 + RATE // 2}"
        await utterance.close()

    tell(engine, scenario)


# Company


def test_interleaved_satellites_hear_what_each_hears_alone():
    recordings = {
        "kitchen": loud(1.0) + quiet(0.3) + loud(0.7),
        "hall": quiet(0.6) + loud(2.0) + quiet(0.4),
        "bath": loud(0.4),
    }

    async def hear(session: Session, names: list[str]) -> dict[str, str]:
        utterances = {name: session.begin(LOOSE, Asked(name)) for name in names}
        cut = {
            name: [pcm[i : i + 3001] for i in range(0, len(pcm), 3001)]
            for name, pcm in recordings.items()
            if name in names
        }
        for chunks in itertools.zip_longest(*cut.values()):
            for name, chunk in zip(names, chunks, strict=True):
                if chunk is not None:
                    utterances[name].feed(chunk, FORMAT)
            await asyncio.sleep(0)
        found = {}
        for name, utterance in utterances.items():
            utterance.end()
            # How often a partial came in between is another matter, so no revisions here.
            found[name] = (await outcome(utterance)).text
            await utterance.close()
        return found

    async def scenario() -> None:
        alone: dict[str, str] = {}
        for name in recordings:
            async with a_session(ScriptedEngine(answer_length)) as session:
                alone |= await hear(session, [name])
        async with a_session(ScriptedEngine(answer_length)) as session:
            assert await hear(session, list(recordings)) == alone

    asyncio.run(scenario())
