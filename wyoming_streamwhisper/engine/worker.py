"""A thread for blocking work that can be given up: native code may hang, a download may be slow.

An executor's threads are joined when the interpreter ends, so one that hangs would keep the whole
process; this one is a daemon.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class Worker:
    """Runs one call after the other in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ended: Future[None] = Future()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def call(self, function: Callable[..., _T], *args: Any) -> asyncio.Future[_T]:
        """Run a function behind the calls made before; cancelling skips one that has not begun."""
        future: Future[_T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args))
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                future.set_exception(error)

        self._work.put(work)
        return asyncio.wrap_future(future)

    async def end(self, patience: float) -> bool:
        """Take no more calls and wait a while for the running one; returns whether it is over."""
        self._work.put(None)
        ended = asyncio.wrap_future(self._ended)
        done, _ = await asyncio.wait({ended}, timeout=patience)
        ended.cancel()
        return bool(done)

    def _run(self) -> None:
        self._ended.set_running_or_notify_cancel()  # from here on nobody can cancel it
        while (work := self._work.get()) is not None:
            work()
        self._ended.set_result(None)
