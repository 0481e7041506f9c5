"""Room is bounded by number and by seconds, and nobody waits for ever."""

import asyncio

import pytest

from wyoming_streamwhisper.files.room import Room

MINUTE = 60 * 16_000


@pytest.mark.parametrize(
    ("side_by_side", "samples", "most"), [(1, 1, 1), (4, 1, 24), (64, MINUTE, 10), (64, 2**40, 1)]
)
def test_so_much_has_room_and_what_is_given_back_has_again(side_by_side, samples, most):
    async def taken() -> None:
        room = Room(side_by_side)
        for _ in range(most):
            await room.take(samples)
        further = asyncio.create_task(room.take(samples))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not further.done()
        room.give(samples)
        await further

    asyncio.run(taken())
