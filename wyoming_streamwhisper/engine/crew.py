"""The threads that run the model: one for each replica, each given up where its decode hangs."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from wyoming_streamwhisper.engine.api import Backend, Request, Result
from wyoming_streamwhisper.engine.worker import Worker

_T = TypeVar("_T")


class Hung(Exception):
    """The back end has not come back in time."""


class Crew:
    """Workers who load one model and then decode with it, each one batch at a time."""

    def __init__(self, hang: float) -> None:
        """Begin with one; `hang` is in seconds."""
        self._hang = hang
        self._workers = [Worker("engine")]
        self._free = list(self._workers)

    async def do(self, function: Callable[..., _T], *args: Any) -> _T:
        """Do something before anybody decodes, however long it takes."""
        return await self._workers[0].call(function, *args)

    def grow(self, count: int) -> None:
        """Be so many from now on."""
        more = [Worker(f"engine-{n}") for n in range(len(self._workers), count)]
        self._workers += more
        self._free += more

    async def decode(self, backend: Backend, requests: Sequence[Request]) -> Sequence[Result]:
        """Decode a batch in a thread that is free; the caller begins no more than there are.

        Raises:
            Hung: it took too long; no worker of this crew is to be asked again.
            Exception: whatever the back end raises, and ValueError where answers are missing.

        """
        worker = self._free.pop()
        decoding = worker.call(backend.decode, requests)
        try:
            done, _ = await asyncio.wait({decoding}, timeout=self._hang)
            if not done:
                raise Hung
            self._free.append(worker)
            results = decoding.result()
        finally:
            decoding.cancel()  # what comes later finds nobody
        if len(results) != len(requests):
            raise ValueError(f"{len(results)} results for {len(requests)} requests")
        return results

    async def end(self, patience: float) -> bool:
        """Take no more and wait a while for who is at work; returns whether all is over."""
        return all(await asyncio.gather(*(worker.end(patience) for worker in self._workers)))
