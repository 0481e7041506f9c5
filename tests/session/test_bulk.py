"""A recording's decodes yield to whoever speaks, and survive a model that is loaded anew."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests import doubles
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.engine.api import EngineError
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.session.bulk import Bulk, Terms

TERMS = Terms("f1", ("en",), False, "transcribe", 1, "Names.", 0.5)
SAMPLES = np.zeros(16_000, np.float32)


async def nobody_speaks() -> None:
    pass


def test_a_chunk_waits_until_nobody_speaks():
    async def seen_before_and_after():
        quiet = asyncio.Event()
        engine = doubles.ScriptedEngine(lambda _: "text")
        vad = VadService(doubles.LoudnessVad())
        decoding = asyncio.create_task(Bulk(TERMS, engine, vad, quiet.wait).decode(SAMPLES))
        for _ in range(10):
            await asyncio.sleep(0)
        before = len(engine.seen)
        quiet.set()
        await decoding
        await vad.close()
        return before, len(engine.seen)

    assert asyncio.run(seen_before_and_after()) == (0, 1)


def decode(engine):
    async def decoded():
        vad = VadService(doubles.LoudnessVad())
        try:
            bulk = Bulk(TERMS, engine, vad, nobody_speaks)
            return await bulk.decode(SAMPLES, "before", (("en", 0.9),))
        finally:
            await vad.close()

    return asyncio.run(decoded())


def test_a_request_says_all():
    engine = doubles.ScriptedEngine(lambda _: "text")
    decode(engine)
    (request,) = engine.seen
    assert request.kind is Kind.BULK
    assert (request.prompt.pinned, request.prompt.recent) == ("Names.", "before")
    assert request.likely == (("en", 0.9),)


def test_a_failure_is_tried_again_once():
    engine = doubles.ScriptedEngine(lambda _: EngineError("engine-failed", "no"))
    with pytest.raises(EngineError):
        decode(engine)
    assert len({request.id for request in engine.seen}) == 2


def test_an_end_is_not_tried_again():
    engine = doubles.ScriptedEngine(lambda _: EngineError("shutting-down", "no"))
    with pytest.raises(EngineError):
        decode(engine)
    assert len(engine.seen) == 1


def test_frames_are_judged_in_order_and_state_is_kept():
    async def judged():
        vad = VadService(doubles.LoudnessVad())
        bulk = Bulk(TERMS, doubles.ScriptedEngine(), vad, nobody_speaks)
        frames = np.zeros((100, 512), np.float32)
        frames[::3] = 0.5
        chances = [*await bulk.judge(frames[:70]), *await bulk.judge(frames[70:])]
        await vad.close()
        return chances

    assert asyncio.run(judged()) == [
        pytest.approx(0.99 if i % 3 == 0 else 0.01) for i in range(100)
    ]


def test_a_temperature_comes_to_the_engine():
    engine = doubles.ScriptedEngine(lambda _: "text")

    async def asked() -> None:
        vad = VadService(doubles.LoudnessVad())
        await Bulk(replace(TERMS, temperature=0.4), engine, vad, nobody_speaks).decode(SAMPLES)
        await vad.close()

    asyncio.run(asked())
    assert [request.temperature for request in engine.seen] == [0.4]
