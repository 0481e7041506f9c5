"""What a reader is told: the newest words and one outcome, whenever it reads."""

import asyncio

from wyoming_streamwhisper.session.events import Event, Failed, Final, Partial, Speech
from wyoming_streamwhisper.session.outbox import Outbox

FINAL = Final("one two", 0, "en", 1.0)


async def told(outbox: Outbox) -> list[Event]:
    return [event async for event in outbox.events()]


def test_who_reads_late_gets_the_newest_words_and_the_outcome() -> None:
    outbox = Outbox()
    for event in (Speech(0.5), Partial("one", 0, ""), Partial("one two", 0, ""), FINAL):
        assert outbox.put(event)
    expected = [Speech(0.5), Partial("one two", 0, ""), FINAL]
    assert asyncio.run(told(outbox)) == expected


def test_the_first_outcome_counts() -> None:
    outbox = Outbox()
    assert outbox.put(Failed("timeout", "too late"))
    assert not outbox.put(FINAL)
    assert asyncio.run(told(outbox)) == [Failed("timeout", "too late")]
    assert outbox.outcome == Failed("timeout", "too late")


def test_who_waits_is_told_at_once_and_sent_away_when_it_closes() -> None:
    outbox = Outbox()

    async def scenario() -> list[Event]:
        seen: list[Event] = []

        async def read() -> None:
            async for event in outbox.events():
                seen.append(event)
                outbox.close()

        reader = asyncio.create_task(read())
        await asyncio.sleep(0)
        outbox.put(Partial("one", 0, ""))
        await reader
        return seen

    assert asyncio.run(scenario()) == [Partial("one", 0, "")]


def test_an_outcome_is_read_even_behind_the_close() -> None:
    outbox = Outbox()
    outbox.put(FINAL)
    outbox.close()
    assert asyncio.run(told(outbox)) == [FINAL]
