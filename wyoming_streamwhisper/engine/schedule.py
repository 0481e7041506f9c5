"""Which requests form the next batch: pure, so that it can be tested with invented time.

The most urgent request leads. Finals that a client waits for come first, then what may become
one, then pieces, partials and files; within a kind the earliest deadline, and the dearer a request
the later, so that one satellite's long pieces do not keep the others waiting. What has waited for
longer than its kind should moves up, so that nothing waits for ever. Audio that came faster than
anybody speaks counts as asked for when it would have been spoken: who sends a burst gets what time
is left by those who speak, and is no reason to leave anything out or to refuse anybody.

Requests that can be decoded with the leader (of an equal key, which is what the back end demands,
and of the same class) join it as far as that shortens the wait of all of them on average, which
depends on what a batch costs on this machine. A batch cannot be interrupted: one that nobody waits
for yet is kept so short that a final which is asked for meanwhile does not wait for long.

Where the model has replicas, as many batches run at once.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.engine import cost
from wyoming_streamwhisper.engine.api import EngineInfo, Request
from wyoming_streamwhisper.engine.cost import CostModel, Shape
from wyoming_streamwhisper.engine.ladder import Pressure

BOUND = 0.1
"""Seconds that a batch may take for which nobody waits yet; a single request may take longer."""

_CLASS = {
    Kind.FINAL: 0,
    Kind.SPECULATIVE: 0,
    Kind.PIECE: 0,
    Kind.PARTIAL: 1,
    Kind.BULK: 2,
}
_PATIENCE = {
    Kind.FINAL: 0.0,
    Kind.SPECULATIVE: 0.5,  # when the client's own voice activity will say that it is the end
    Kind.PIECE: 2.0,
    Kind.PARTIAL: 0.25,
    Kind.BULK: 5.0,
}
"""Seconds after which an answer is late, where the request itself does not say."""
_FRESH = {
    Kind.FINAL: 0,
    Kind.SPECULATIVE: 1,
    Kind.PIECE: 2,
    Kind.PARTIAL: 3,
    Kind.BULK: 4,
}
_LATE = _FRESH | {Kind.PIECE: 1, Kind.PARTIAL: 2, Kind.BULK: 1}
"""Places of each kind, before and after it is late: pieces and files then stand among what may
become a final, in order of their deadlines, and partials among the pieces."""
_LATELY = 0.1
"""Weight of one more final in what a final costs on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A request with what decides its place; times are seconds of the owner's clock."""

    request: Request
    key: tuple[float, ...]
    """What must be equal within a batch, as the back end says; first its audio context."""
    since: float
    due: float
    """When its answer becomes late."""
    cost: float = 0.0
    """Predicted seconds of decoding it alone."""

    def order(self, now: float) -> tuple[int, float, float]:
        """Return its place: the smallest goes first."""
        kind = self.request.kind
        if kind is Kind.FINAL and self.request.ahead:
            kind = Kind.SPECULATIVE  # who speaks does not wait for who sends a burst
        rank = (_LATE if now >= self.due else _FRESH)[kind]
        return (rank, self.due + self.cost, self.since)


class Schedule:
    """The requests that wait, and what they will cost."""

    def __init__(
        self, max_batch: int, cost: CostModel | None = None, bound: float | None = BOUND
    ) -> None:
        """Begin; without a `bound` no request is urgent, and batches are as large as can be."""
        self._max_batch = max_batch
        self._cost = cost or CostModel()
        self._bound = bound
        self._square = math.inf
        """How large a file's batch is at most (`EngineInfo.square`)."""
        self._replicas = 1
        """Batches that may run at once."""
        self._waiting: dict[str, Waiting] = {}
        self._running: dict[Waiting, float] = {}
        """When each batch that was handed out is expected to be done, by the first of the batch;
        another attempt at the same request is another one."""
        self._bulk = float("-inf")
        """When a file's turn came last: its other parts have waited only since then."""
        self._final = 0.0
        """What a final costs, of those that came lately."""

    def __len__(self) -> int:
        return len(self._waiting)

    def fit(self, info: EngineInfo) -> None:
        """Heed what the model that was loaded can do at once."""
        self._replicas, self._square = info.replicas, info.square

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
        patience = _PATIENCE[request.kind] if request.due is None else request.due
        alone = self._cost.predict(_shape([request], key))
        due = since + request.ahead + patience
        self._waiting[request.id] = Waiting(request, key, since, due, alone)
        if _CLASS[request.kind] == 0:
            self._final += (_LATELY if self._final else 1.0) * (alone - self._final)
        return replaced

    def remove(self, request_id: str) -> bool:
        """Drop a request; returns whether it was still waiting."""
        return self._waiting.pop(request_id, None) is not None

    def promote(self, request_id: str, kind: Kind, now: float) -> None:
        """Make a waiting request as urgent as `kind`, never less urgent."""
        waiting = self._waiting.get(request_id)
        if waiting is not None and kind < waiting.request.kind:
            urgent = replace(waiting.request, kind=kind)
            spoken = max(now, waiting.since + waiting.request.ahead)
            due = min(waiting.due, spoken + _PATIENCE[kind])
            self._waiting[request_id] = replace(waiting, request=urgent, due=due)

    def next(self, now: float) -> list[Waiting]:
        """Remove and return the next batch, in order of urgency.

        Empty if nothing waits that may run now; the caller says with `done` when a batch has run.
        """
        if len(self._running) >= self._replicas:
            return []
        queue = self._queue(now)
        if not queue:
            return []
        able = [waiting for waiting in queue if _fits(waiting, queue[0])]
        count, seconds = self._best(able)
        batch = able[:count]
        for waiting in batch:
            del self._waiting[waiting.request.id]
        self._running[batch[0]] = now + seconds
        if batch[0].request.kind is Kind.BULK:
            self._bulk = now
        return batch

    def done(self, batch: Sequence[Waiting]) -> None:
        """Learn that a batch does not run any more, whatever became of it."""
        del self._running[batch[0]]

    def learn(self, batch: Sequence[Waiting], seconds: float) -> None:
        """Learn how long a batch took."""
        shape = _shape([waiting.request for waiting in batch], batch[0].key)
        self._cost.learn(shape, seconds)

    def pressure(self, now: float) -> Pressure:
        """Return how late the answers to who speaks will be, if nothing more comes."""
        queue = self._queue(now)
        groups: dict[tuple[tuple[float, ...], int], list[Waiting]] = defaultdict(list)
        for waiting in queue:
            groups[waiting.key, _CLASS[waiting.request.kind]].append(waiting)
        share = {}
        for group, members in groups.items():
            count, seconds = self._best(members)
            share[group] = seconds / count
        free = [max(until, now) for until in self._running.values()]
        free += [now] * (self._replicas - len(free))
        heapq.heapify(free)
        finals = everything = 0.0
        for waiting in queue:
            of = _CLASS[waiting.request.kind]
            finish = free[0] + share[waiting.key, of]
            heapq.heapreplace(free, finish)
            if waiting.request.ahead:
                continue
            if of == 0:
                finals = max(finals, finish - waiting.due)
            if waiting.request.kind is not Kind.BULK:
                everything = max(everything, finish - waiting.due)
        return Pressure(finals, everything, self._final)

    def clear(self) -> list[Waiting]:
        """Remove and return everything."""
        everything = list(self._waiting.values())
        self._waiting.clear()
        return everything

    def _queue(self, now: float) -> list[Waiting]:
        """Return all that waits, most urgent first."""
        waiting: Iterable[Waiting] = self._waiting.values()
        turn = self._bulk + _PATIENCE[Kind.BULK]
        if now < turn:
            waiting = (
                replace(one, due=max(one.due, turn)) if one.request.kind is Kind.BULK else one
                for one in waiting
            )
        return sorted(waiting, key=lambda one: one.order(now))

    def _best(self, able: Sequence[Waiting]) -> tuple[int, float]:
        """Return how many of these, first come first, are best decoded together, and how long.

        If all are decoded in batches of n that take t(n) each, one of N waits t(n) (N/n + 1) / 2
        on average. Where a batch saves nothing that is least for n = 1, where it costs as much as
        one request for n = N.
        """
        if self._bound is None:
            context = able[0].key[0] if able[0].key else 0.0
            fitting = self._square // context**2 if context else self._max_batch
            count = int(min(len(able), self._max_batch, max(fitting, 1)))
            requests = [waiting.request for waiting in able[:count]]
            return count, self._cost.predict(_shape(requests, able[0].key))
        waited_for = able[0].request.kind is Kind.FINAL
        limit = able[0].cost + self._bound if waited_for else max(able[0].cost, self._bound)
        best, least, lasts = 1, float("inf"), able[0].cost
        for count in sizes(min(len(able), self._max_batch)):
            shape = _shape([waiting.request for waiting in able[:count]], able[0].key)
            seconds = self._cost.predict(shape)
            if count > 1 and seconds > limit:
                break
            wait = seconds * (len(able) / count + 1)
            if wait < least:
                best, least, lasts = count, wait, seconds
        return best, lasts


def _fits(waiting: Waiting, leader: Waiting) -> bool:
    return waiting.key == leader.key and _CLASS[waiting.request.kind] == _CLASS[leader.request.kind]


def _shape(requests: Sequence[Request], key: tuple[float, ...]) -> Shape:
    longest = max(cost.steps(r.seconds, len(r.prefix), r.beam_size) for r in requests)
    return Shape(len(requests), key[0] if key else requests[0].seconds, longest)


def sizes(most: int) -> list[int]:
    """Return the sizes of a batch that are worth a look: all small ones, few large ones."""
    return [n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192) if n < most] + [
        most
    ]
