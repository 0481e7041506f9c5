"""The threads that run the model: side by side, each in time or given up."""

import asyncio

import pytest

from tests.doubles import Gate, ScriptedBackend, echo, make_request
from wyoming_streamwhisper.engine.crew import Crew, Hung


def test_batches_are_decoded_side_by_side():
    async def scenario():
        gate = Gate()
        held = ScriptedBackend(lambda request: (gate(), echo(request))[1])
        crew = Crew(60.0)
        crew.grow(2)
        first = asyncio.create_task(crew.decode(held, [make_request("held")]))
        await gate.reached()
        second = await crew.decode(ScriptedBackend(), [make_request("other")])
        assert not first.done()
        gate.open()
        texts = [one.hypothesis.words[0].text for (one,) in (second, await first)]
        assert await crew.end(60.0)
        return texts

    assert asyncio.run(scenario()) == [" other", " held"]


def test_a_worker_that_fails_goes_on():
    def fail(_):
        raise RuntimeError("no")

    async def scenario():
        crew = Crew(60.0)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await crew.decode(ScriptedBackend(fail), [make_request()])
        assert await crew.end(60.0)

    asyncio.run(scenario())


def test_a_worker_that_hangs_is_given_up():
    async def scenario():
        gate = Gate()
        crew = Crew(0.05)
        with pytest.raises(Hung):
            await crew.decode(ScriptedBackend(lambda _: gate()), [make_request()])
        assert not await crew.end(0.0)
        gate.open()

    asyncio.run(scenario())
