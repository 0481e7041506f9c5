"""Which requests form the next batch: pure, so that it can be tested with invented time.

The most urgent request leads: by kind, then by deadline, then by age. Those that can be decoded
with it join in the same order: of an equal key (what the back end demands be equal) and of the same
class, so that nobody who waits for a final waits for others' partials.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wyoming_streamwhisper.core.wish import Kind
from wyoming_streamwhisper.engine.api import Request

_CLASS = {
    Kind.FINAL: 0,
    Kind.SPECULATIVE: 0,
    Kind.PIECE: 0,
    Kind.PARTIAL: 1,
    Kind.BULK: 2,
}


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A request with what decides its place; times are seconds of the owner's clock."""

    request: Request
    key: tuple[float, ...]
    """What must be equal within a batch, as the back end says."""
    since: float

    @property
    def deadline(self) -> float:
        """When nobody waits for it any more."""
        return self.since + self.request.timeout

    @property
    def order(self) -> tuple[int, float, float]:
        """Its place: the smallest goes first."""
        return (self.request.kind, self.deadline, self.since)


class Schedule:
    """The requests that wait."""

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max_batch
        self._waiting: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: Request, key: tuple[float, ...], since: float) -> list[Request]:
        """Let a request wait; returns the older partials of its satellite, which it replaces."""
        replaced = [
            waiting.request
            for waiting in self._waiting.values()
            if request.kind is Kind.PARTIAL
            and waiting.request.kind is Kind.PARTIAL
            and waiting.request.satellite == request.satellite
        ]
        for older in replaced:
            del self._waiting[older.id]
        self._waiting[request.id] = Waiting(request, key, since)
        return replaced

    def remove(self, request_id: str) -> bool:
        """Drop a request; returns whether it was still waiting."""
        return self._waiting.pop(request_id, None) is not None

    def promote(self, request_id: str, kind: Kind) -> None:
        """Make a waiting request as urgent as `kind`, never less urgent."""
        waiting = self._waiting.get(request_id)
        if waiting is not None and kind < waiting.request.kind:
            urgent = replace(waiting.request, kind=kind)
            self._waiting[request_id] = replace(waiting, request=urgent)

    def next(self) -> list[Waiting]:
        """Remove and return the next batch, in order of urgency; empty if nothing waits."""
        queue = sorted(self._waiting.values(), key=lambda waiting: waiting.order)
        batch: list[Waiting] = []
        for waiting in queue:
            if len(batch) < self._max_batch and (not batch or _fits(waiting, batch[0])):
                batch.append(waiting)
        self._remove(batch)
        return batch

    def clear(self) -> list[Waiting]:
        """Remove and return everything."""
        everything = list(self._waiting.values())
        self._waiting.clear()
        return everything

    def _remove(self, batch: Iterable[Waiting]) -> None:
        for waiting in batch:
            del self._waiting[waiting.request.id]


def _fits(waiting: Waiting, leader: Waiting) -> bool:
    return waiting.key == leader.key and _CLASS[waiting.request.kind] == _CLASS[leader.request.kind]
