"""How much of a recording may be under way at once: the ledger that keeps memory bounded."""

import asyncio

from wyoming_streamwhisper.core.audio import RATE

_AHEAD = 6
"""Chunks under way for each that is decoded: enough to find several of one audio context."""
_MOST = 600 * RATE
"""Samples of all of them: 40 MB, however long chunks are."""


class Room:
    """Room for chunks; a chunk that is larger than all of it gets it alone."""

    def __init__(self, side_by_side: int) -> None:
        """Make room for what is decoded side by side, and for what is to come next."""
        self._most_chunks = _AHEAD * side_by_side if side_by_side > 1 else 1
        self._chunks = self._samples = 0
        self._given = asyncio.Event()

    async def take(self, samples: int) -> None:
        """Wait until there is room for one more chunk, and take it; for one task only."""
        while self._chunks and not self._fits(samples):
            self._given.clear()
            await self._given.wait()
        self._chunks += 1
        self._samples += samples

    def give(self, samples: int) -> None:
        """Give the room of a chunk back."""
        self._chunks -= 1
        self._samples -= samples
        self._given.set()

    def _fits(self, samples: int) -> bool:
        return self._chunks < self._most_chunks and self._samples + samples <= _MOST
