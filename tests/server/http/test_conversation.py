"""What outlives a connection, without a connection."""

import asyncio
from collections.abc import Iterable

from wyoming_streamwhisper.server.http.conversation import _KEPT, Body, Conversation
from wyoming_streamwhisper.server.http.problems import Problem
from wyoming_streamwhisper.session.stream import Turn


class Silent:
    """A stream on which nothing happens."""

    pending = False

    async def events(self):
        await asyncio.Event().wait()
        yield

    async def close(self) -> None:
        pass


class Plain(Conversation):
    def hear(self, message: str | bytes) -> None:
        pass

    def tell(self, turn: Turn) -> Iterable[Body]:
        return []

    def complain(self, problem: Problem) -> Body:
        return {}

    def passes(self, body: Body) -> bool:
        return "words" in body


def posted(bodies: list[Body], after: range) -> tuple[list[int], list[bool]]:
    """Post messages; return the numbers that are kept, and what could be gone on from."""

    async def run() -> tuple[list[int], list[bool]]:
        conversation = Plain("key", Silent())  # type: ignore[arg-type]
        try:
            for body in bodies:
                conversation.post(body)
            kept = [number for number, _ in conversation._messages]
            return kept, [conversation.keeps(number) for number in after]
        finally:
            await conversation.close()

    return asyncio.run(run())


def test_words_that_others_follow_are_not_kept() -> None:
    bodies: list[Body] = [{"words": 1}, {"words": 2}, {"end": 1}, {"words": 3}]
    assert posted(bodies, range(-1, 6)) == ([2, 3, 4], [False, *[True] * 5, False])


def test_only_so_many_are_kept() -> None:
    kept, possible = posted([{"end": i} for i in range(_KEPT + 2)], range(4))
    assert (len(kept), kept[0]) == (_KEPT, 3)
    assert possible == [False, False, True, True]
