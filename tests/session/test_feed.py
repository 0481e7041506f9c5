"""Who looks on sees what happens, and nobody waits for who does not."""

import asyncio
import contextlib

from tests.doubles import ScriptedEngine
from tests.session.test_utterance import FORMAT, a_session, loud, quiet
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.events import Failed, Final, Partial
from wyoming_streamwhisper.session.feed import Feed, Happening


async def looked_on(count: int, feed: Feed) -> list[Happening]:
    async with asyncio.timeout(60), contextlib.aclosing(feed.listen()) as happenings:
        return [await anext(happenings) for _ in range(count)]


def test_an_utterance_is_seen_from_begin_to_end() -> None:
    async def run() -> list[Happening]:
        async with a_session(ScriptedEngine(lambda request: "turn it on")) as session:
            looking = asyncio.create_task(looked_on(2, session.feed))
            await asyncio.sleep(0)
            utterance = session.begin(session.profiles["default"], Asked(satellite="kitchen"))
            await asyncio.sleep(0)  # else only the newest is told
            utterance.feed(loud(1.0) + quiet(0.1), FORMAT)
            utterance.end()
            outcome = [event async for event in utterance.events()][-1]
            await utterance.close()
            begun, last = await looking
            assert last.event == outcome
            return [begun, last]

    begun, last = asyncio.run(run())
    assert (begun.event, begun.satellite, begun.over) == (None, "kitchen", False)
    assert begun.delay is None
    assert last.delay is not None
    assert isinstance(last.event, Final | Partial)


def test_who_goes_is_seen_to_go() -> None:
    async def run() -> list[Happening]:
        async with a_session(ScriptedEngine()) as session:
            looking = asyncio.create_task(looked_on(2, session.feed))
            await asyncio.sleep(0)
            utterance = session.begin(session.profiles["default"], Asked())
            await asyncio.sleep(0)
            await utterance.close()
            return await looking

    begun, gone = asyncio.run(run())
    assert (begun.over, gone.over, gone.event) == (False, True, None)


def test_a_slow_listener_gets_the_newest_of_each() -> None:
    def happening(utterance: str, text: str) -> Happening:
        return Happening(utterance, "s", 0.0, Failed(text, ""))

    async def run() -> list[Happening]:
        feed = Feed()
        async with contextlib.aclosing(feed.listen()) as happenings:
            first = asyncio.create_task(anext(happenings))
            await asyncio.sleep(0)
            for number in range(1000):
                feed.publish(happening("a", str(number)))
                feed.publish(happening("b", str(number)))
            return [await first, await anext(happenings)]

    assert [h.event.code for h in asyncio.run(run())] == ["999", "999"]


def test_nobody_listens_any_more_after_the_end() -> None:
    async def run() -> bool:
        feed = Feed()
        looking = asyncio.create_task(looked_on(1, feed))
        await asyncio.sleep(0)
        feed.publish(Happening("a", "s", 0.0, None))
        await looking
        return feed.heard

    assert asyncio.run(run()) is False
