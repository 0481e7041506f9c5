"""Who waits for an answer of the engine: each gets one, a result or an error, and nobody waits for
ever; where none can be given, who comes is turned away at once.
"""

import asyncio

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.engine.api import EngineError, Result


class Callers:
    """The futures of the requests that have no answer yet, by their ids."""

    def __init__(self) -> None:
        self._futures: dict[str, asyncio.Future[Result]] = {}
        self._refusal: tuple[str, str] | None = None
        """Code and reason of what everybody is answered, where there is one."""
        self._for_good = False

    def __len__(self) -> int:
        return len(self._futures)

    def check(self) -> None:
        """Make sure that nobody is turned away; raises EngineError."""
        if self._refusal:
            raise EngineError(*self._refusal)

    def enter(self, request_id: str) -> asyncio.Future[Result]:
        """Return what the answer is to be waited for with, until `leave`."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._futures[request_id] = future
        return future

    def leave(self, request_id: str) -> None:
        """Wait no more, answered or not."""
        self._futures.pop(request_id, None)

    def awaits(self, request_id: str) -> bool:
        """Whether somebody still waits for that answer."""
        future = self._futures.get(request_id)
        return future is not None and not future.done()

    def answer(self, request_id: str, result: Result) -> None:
        """Give a result to who waits for it, if somebody does."""
        if self.awaits(request_id):
            self._futures[request_id].set_result(result)

    def fail(self, request_id: str, code: str, text: str) -> None:
        """Give an error to who waits for a result, if somebody does."""
        metrics.FAILURES.labels(code).inc()
        if self.awaits(request_id):
            self._futures[request_id].set_exception(EngineError(code, text))

    def fail_all(self, code: str, text: str) -> None:
        """Answer everybody, those too whose requests are being decoded."""
        for future in self._futures.values():
            if not future.done():
                future.set_exception(EngineError(code, text))

    def refuse(self, code: str, text: str, *, for_good: bool = False) -> None:
        """Answer everybody, now and until `welcome`, or for good."""
        if not self._for_good:
            self._refusal, self._for_good = (code, text), for_good
        self.fail_all(code, text)

    def welcome(self) -> None:
        """Turn nobody away any more, unless that was for good."""
        if not self._for_good:
            self._refusal = None
