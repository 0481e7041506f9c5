"""Who waits gets one answer; who is turned away is told why."""

import asyncio

import pytest

from wyoming_streamwhisper.core.words import Hypothesis
from wyoming_streamwhisper.engine.api import EngineError, Result
from wyoming_streamwhisper.engine.callers import Callers

ANSWER = Result(Hypothesis((), "en"))


def test_the_first_answer_counts() -> None:
    async def scenario() -> None:
        callers = Callers()
        one, other = callers.enter("one"), callers.enter("other")
        callers.answer("one", ANSWER)
        callers.fail("one", "timeout", "too late")
        callers.fail("other", "timeout", "too late")
        callers.answer("other", ANSWER)
        assert await one is ANSWER
        with pytest.raises(EngineError, match="too late"):
            await other

    asyncio.run(scenario())


def test_who_has_left_is_not_awaited() -> None:
    async def scenario() -> None:
        callers = Callers()
        callers.enter("one")
        assert callers.awaits("one")
        assert len(callers) == 1
        callers.leave("one")
        assert not callers.awaits("one")
        assert len(callers) == 0
        callers.answer("one", ANSWER)
        callers.fail("one", "timeout", "too late")

    asyncio.run(scenario())


def test_all_are_turned_away_until_they_are_welcome() -> None:
    async def scenario() -> None:
        callers = Callers()
        waiting = callers.enter("waiting")
        callers.refuse("engine-failed", "no model")
        with pytest.raises(EngineError, match="no model"):
            await waiting
        with pytest.raises(EngineError, match="no model"):
            callers.check()
        callers.welcome()
        callers.check()

    asyncio.run(scenario())


def test_what_is_refused_for_good_stays_so() -> None:
    callers = Callers()
    callers.refuse("shutting-down", "stopping", for_good=True)
    callers.refuse("engine-failed", "no model")
    callers.welcome()
    with pytest.raises(EngineError, match="stopping"):
        callers.check()
