"""Audio without end: turns, and no sample lost between two."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import ScriptedEngine
from tests.session.test_utterance import FORMAT, RATE, a_session, loud, quiet
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.api import EngineError, Request
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.events import Failed, Final, Partial, Speech
from wyoming_streamwhisper.session.session import Session
from wyoming_streamwhisper.session.stream import CLEARED, Stream, Turn

TURN = Asked(satellite="s", turn=0.5, partials=False)


def loud_seconds(request: Request) -> str:
    """Answer with the number of loud samples, so that each sample counts."""
    return str(int(np.count_nonzero(np.abs(request.samples) > 0.01)))


def outcomes(turns: list[Turn]) -> list[str]:
    return [turn.event.text for turn in turns if isinstance(turn.event, Final)]


def run(use: Callable[[Stream], None], count: int, asked: Asked = TURN, **engine: object):
    """Use a stream and return what comes up to so many outcomes."""

    async def listen() -> list[Turn]:
        script = engine.pop("script", loud_seconds)
        async with a_session(ScriptedEngine(script), **engine) as session:
            return await heard(session, use, count, asked)

    return asyncio.run(listen())


async def heard(session: Session, use: Callable[[Stream], None], count: int, asked: Asked):
    stream = Stream(session, next(iter(session.profiles.values())), asked)
    use(stream)
    turns = []
    try:
        async with asyncio.timeout(60):
            async for turn in stream.events():
                turns.append(turn)
                count -= isinstance(turn.event, Final | Failed)
                if not count:
                    return turns
    finally:
        await stream.close()


@settings(max_examples=25)
@given(st.data())
def test_every_loud_sample_is_in_exactly_one_turn_however_it_comes(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.floats(0.3, 3.0), min_size=1, max_size=4))
    pauses = data.draw(st.lists(st.floats(0.6, 1.5), min_size=4, max_size=4))
    sound = b"".join(loud(x) + quiet(p) for x, p in zip(lengths, pauses, strict=False))
    size = data.draw(st.integers(1_000, 40_000))

    def use(stream: Stream) -> None:
        for at in range(0, len(sound), size):
            stream.feed(sound[at : at + size], FORMAT)

    turns = run(use, len(lengths))
    assert [int(text) for text in outcomes(turns)] == [int(x * RATE) for x in lengths]


def test_a_turn_knows_where_it_lies() -> None:
    turns = run(lambda s: s.feed((loud(1.0) + quiet(1.0)) * 2, FORMAT), 2)
    (first, second) = [turn for turn in turns if isinstance(turn.event, Final)]
    assert (first.number, first.start, second.number) == (1, 0.0, 2)
    assert first.end == second.start
    assert abs(first.end - 1.5) < 0.1
    assert not first.asked


def test_an_end_that_is_told_is_answered_once() -> None:
    def use(stream: Stream) -> None:
        stream.feed(loud(1.0), FORMAT)
        stream.end_turn()
        stream.end_turn()
        stream.feed(loud(2.0), FORMAT)
        stream.end_turn()

    turns = [turn for turn in run(use, 3, replace(TURN, turn=0.0)) if turn.asked]
    assert outcomes(turns) == ["16000", "", "32000"]


def test_an_end_in_the_silence_behind_a_turn_is_an_empty_one() -> None:
    def use(stream: Stream) -> None:
        stream.feed(loud(1.0) + quiet(1.0), FORMAT)
        stream.end_turn()

    turns = [turn for turn in run(use, 2) if isinstance(turn.event, Final)]
    assert [(turn.event.text, turn.asked) for turn in turns] == [("16000", False), ("", True)]


def test_what_is_taken_back_is_not_answered_and_what_follows_is() -> None:
    def use(stream: Stream) -> None:
        stream.feed(loud(1.0), FORMAT)
        stream.clear()
        stream.feed(loud(2.0), FORMAT)
        stream.end_turn()

    assert outcomes(run(use, 1)) == ["32000"]


def test_what_is_taken_back_amid_a_turn_leaves_the_next_one_whole() -> None:
    async def listen() -> list[object]:
        async with a_session(ScriptedEngine(loud_seconds)) as session:
            stream = Stream(session, next(iter(session.profiles.values())), TURN)
            events = stream.events()
            stream.feed(loud(1.0), FORMAT)
            reading = asyncio.ensure_future(anext(events))
            while not session.running:  # noqa: ASYNC110 - it begins in a task of its own
                await asyncio.sleep(0)
            stream.clear()
            stream.feed(loud(2.0), FORMAT)
            stream.end_turn()
            try:
                return [(await reading).event, (await anext(events)).event]
            finally:
                await events.aclose()
                await stream.close()

    cleared, final = asyncio.run(listen())
    assert isinstance(cleared, Failed)
    assert (cleared.code, final.text) == (CLEARED, "32000")


def test_a_turn_that_fails_does_not_take_the_next_one_along() -> None:
    def script(request: Request) -> str | Exception:
        count = loud_seconds(request)
        return EngineError("engine-failed", "so says the script") if count == "16000" else count

    turns = run(
        lambda s: [
            s.feed(loud(1.0), FORMAT),
            s.end_turn(),
            s.feed(loud(2.0), FORMAT),
            s.end_turn(),
        ],
        2,
        script=script,
    )
    assert [type(turn.event).__name__ for turn in turns] == ["Failed", "Final"]
    assert outcomes(turns) == ["32000"]


def test_an_utterance_that_is_too_long_goes_on_as_the_next_turn() -> None:
    sound = loud(3.0)
    turns = run(
        lambda s: [s.feed(sound, FORMAT), s.end_turn()], 2, replace(TURN, turn=0.0), longest=2.0
    )
    assert outcomes(turns) == ["32000", "16000"]


def test_the_begin_of_speech_is_told_to_those_who_ask() -> None:
    def script(request: Request) -> str:
        return "one two three"

    asked = replace(TURN, speech=True, partials=True)
    turns = run(lambda s: [s.feed(quiet(0.5) + loud(1.0), FORMAT), s.end_turn()], 1, asked,
                script=script)  # fmt: skip
    speech = [turn.event for turn in turns if isinstance(turn.event, Speech)]
    assert [round(event.start, 1) for event in speech] == [0.5]
    told = [turn.event for turn in turns if isinstance(turn.event, Partial)]
    assert {(event.text + event.tail) for event in told} <= {"one two three"}


def test_silence_for_hours_is_not_kept() -> None:
    async def listen() -> int:
        async with a_session(ScriptedEngine(loud_seconds)) as session:
            stream = Stream(session, next(iter(session.profiles.values())), TURN)
            reading = asyncio.create_task(anext(stream.events(), None))
            for _ in range(60):
                stream.feed(quiet(10.0), FORMAT)
                await stream.drained()
            kept = stream._waits
            await stream.close()
            await reading
            return kept

    assert asyncio.run(listen()) <= 70 * RATE


def test_a_profile_s_own_end_of_speech_does_not_cut_a_stream() -> None:
    async def listen() -> list[str]:
        async with a_session(ScriptedEngine(loud_seconds)) as session:
            profile = next(iter(session.profiles.values()))
            eager = replace(profile.streaming, endpointing="own", end_silence=0.2)
            session.profiles = {"default": replace(profile, streaming=eager)}

            def use(stream: Stream) -> None:
                stream.feed(loud(1.0) + quiet(0.45) + loud(1.0), FORMAT)
                stream.end_turn()

            turns = await heard(session, use, 1, replace(TURN, turn=0.0))
            return outcomes(turns)

    assert asyncio.run(listen()) == ["32000"]


def test_who_streams_already_waits_for_admission() -> None:
    async def listen() -> list[str]:
        async with a_session(ScriptedEngine(loud_seconds)) as session:
            profile = next(iter(session.profiles.values()))
            session._options = replace(session._options, max_utterances=1)
            stream = Stream(session, profile, TURN)
            events = stream.events()
            try:
                # Whole frames, so that nothing is left that begins the next turn.
                stream.feed(loud(1.024) + quiet(0.512), FORMAT)
                texts = [await _outcome(events)]
                next_one = asyncio.create_task(_outcome(events))
                while session.running:  # noqa: ASYNC110 - the turn is closed in that task
                    await asyncio.sleep(0)
                other = session.begin(profile, Asked())  # takes the only seat
                stream.feed(loud(2.0), FORMAT)
                stream.end_turn()
                await asyncio.sleep(0)
                await other.close()
                return [*texts, await next_one]
            finally:
                await events.aclose()
                await stream.close()

    assert asyncio.run(listen()) == ["16384", "32000"]


async def _outcome(events: AsyncGenerator[Turn, None]) -> str:
    async for turn in events:
        if isinstance(turn.event, Final):
            return turn.event.text
    return "no outcome"


def test_a_stream_closed_while_a_turn_waits_for_admission_begins_none() -> None:
    async def listen() -> None:
        engine = ScriptedEngine(loud_seconds)
        async with a_session(engine) as session:
            stream = Stream(session, next(iter(session.profiles.values())), TURN)
            turns = stream.events()
            stream.feed(loud(1.0) + quiet(1.0), FORMAT)
            assert isinstance((await anext(turns)).event, Final)
            engine.rung = Rung.REFUSING
            waiting = asyncio.ensure_future(anext(turns, None))
            while session.running:  # noqa: ASYNC110 - the first turn is closed in that task
                await asyncio.sleep(0)
            await stream.close()
            engine.rung = Rung.ALL
            async with asyncio.timeout(5):
                assert await waiting is None

    asyncio.run(listen())
