"""The schedule: who is decoded next, and with whom."""

import heapq
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.doubles import make_request
from wyoming_streamwhisper.core.wish import Kind
from wyoming_streamwhisper.engine.api import Request
from wyoming_streamwhisper.engine.schedule import Schedule

KEY = (3.0, 1.0)


def ids(waiting):
    return [one.request.id for one in waiting]


def order_of(schedule: Schedule) -> list[str]:
    """Take one by one what waits, each in a batch of its own."""
    return [one for batch in iter(schedule.next, []) for one in ids(batch)]


def test_kinds_go_in_order_of_urgency():
    schedule = Schedule(1)
    for kind in reversed(Kind):
        schedule.add(make_request(kind.name, kind), KEY, 0.0)
    assert order_of(schedule) == ["FINAL", "SPECULATIVE", "PIECE", "PARTIAL", "BULK"]


def test_within_a_kind_the_earliest_deadline_goes_first():
    schedule = Schedule(1)
    schedule.add(make_request("patient", timeout=60.0), KEY, 0.0)
    schedule.add(make_request("hurried", timeout=5.0), KEY, 1.0)
    schedule.add(make_request("late", timeout=60.0), KEY, 2.0)
    assert order_of(schedule) == ["hurried", "patient", "late"]


def test_a_newer_partial_replaces_its_satellites_older_one():
    schedule = Schedule(8)
    older = make_request("1", Kind.PARTIAL, satellite="kitchen")
    schedule.add(older, KEY, 0.0)
    schedule.add(make_request("2", Kind.PARTIAL, satellite="hall"), KEY, 0.0)
    assert schedule.add(make_request("3", Kind.PARTIAL, satellite="kitchen"), KEY, 1.0) == [older]
    assert ids(schedule.next()) == ["2", "3"]


def test_only_partials_are_replaced_and_only_by_partials():
    schedule = Schedule(1)
    for number, kind in enumerate([Kind.FINAL, Kind.PIECE, Kind.PARTIAL, Kind.FINAL]):
        assert not schedule.add(make_request(str(number), kind, satellite="kitchen"), KEY, 0.0)
    assert len(schedule) == 4


def test_a_batch_has_one_key():
    schedule = Schedule(8)
    for number, key in enumerate([(3.0, 1.0), (5.0, 1.0), (3.0, 1.0), (3.0, 5.0)]):
        schedule.add(make_request(str(number)), key, float(number))
    assert [ids(batch) for batch in iter(schedule.next, [])] == [["0", "2"], ["1"], ["3"]]


def test_a_final_does_not_wait_for_partials_in_its_batch():
    schedule = Schedule(8)
    schedule.add(make_request("partial", Kind.PARTIAL), KEY, 0.0)
    schedule.add(make_request("file", Kind.BULK), KEY, 0.0)
    schedule.add(make_request("piece", Kind.PIECE), KEY, 0.0)
    schedule.add(make_request("final", Kind.FINAL), KEY, 9.0)
    assert [ids(b) for b in iter(schedule.next, [])] == [["final", "piece"], ["partial"], ["file"]]


def test_a_batch_is_bounded_and_takes_the_most_urgent():
    schedule = Schedule(2)
    for number in range(5):
        schedule.add(make_request(str(number), timeout=60.0 - number), KEY, 0.0)
    assert [ids(batch) for batch in iter(schedule.next, [])] == [["4", "3"], ["2", "1"], ["0"]]


def test_promotion_makes_more_urgent_and_never_less():
    schedule = Schedule(1)
    schedule.add(make_request("a", Kind.PIECE), KEY, 0.0)
    schedule.add(make_request("b", Kind.SPECULATIVE), KEY, 1.0)
    schedule.promote("b", Kind.FINAL)
    schedule.promote("b", Kind.BULK)
    schedule.promote("unknown", Kind.FINAL)
    first = schedule.next()
    assert ids(first) == ["b"]
    assert first[0].request.kind is Kind.FINAL


def test_what_was_removed_does_not_come():
    schedule = Schedule(8)
    schedule.add(make_request("a"), KEY, 0.0)
    assert schedule.remove("a")
    assert not schedule.remove("a")
    assert schedule.next() == []


KINDS = st.sampled_from(list(Kind))


class EverythingComesBackOnce(RuleBasedStateMachine):
    """Whatever is done, each request leaves exactly once: decoded, replaced, removed, cleared."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule(3)
        self.inside: dict[str, Request] = {}
        self.now = 0.0
        self.numbers = itertools.count()

    def leave(self, requests) -> None:
        for request in requests:
            assert self.inside.pop(request.id, None) is not None, f"{request.id} came twice"

    @rule(kind=KINDS, who=st.integers(0, 3), key=st.integers(0, 1), timeout=st.integers(1, 9))
    def add(self, kind, who, key, timeout):
        self.now += 1.0
        request = make_request(
            str(next(self.numbers)), kind, 0.01, satellite=str(who), timeout=float(timeout)
        )
        replaced = self.schedule.add(request, (float(key),), self.now)
        assert kind is Kind.PARTIAL or not replaced
        self.leave(replaced)
        self.inside[request.id] = request

    @rule()
    def take(self):
        batch = self.schedule.next()
        assert len(batch) <= 3
        assert bool(batch) == bool(self.inside)
        assert len({waiting.key for waiting in batch}) <= 1
        assert [waiting.order for waiting in batch] == sorted(w.order for w in batch)
        self.leave(waiting.request for waiting in batch)
        if batch:
            assert batch[0].request.kind <= min((r.kind for r in self.inside.values()), default=9)

    @rule(number=st.integers(0, 30))
    def remove(self, number):
        known = self.inside.pop(str(number), None)
        assert self.schedule.remove(str(number)) == (known is not None)

    # To be promoted means to be waited for: nothing is ever promoted to a partial.
    @rule(number=st.integers(0, 30), kind=st.sampled_from([Kind.FINAL, Kind.SPECULATIVE]))
    def promote(self, number, kind):
        self.schedule.promote(str(number), kind)
        if (request := self.inside.get(str(number))) is not None and kind < request.kind:
            object.__setattr__(request, "kind", kind)

    @rule()
    def clear(self):
        self.leave(waiting.request for waiting in self.schedule.clear())
        assert not self.inside

    @invariant()
    def counts(self):
        assert len(self.schedule) == len(self.inside)

    @invariant()
    def one_partial_each(self):
        partials = [r.satellite for r in self.inside.values() if r.kind is Kind.PARTIAL]
        assert len(partials) == len(set(partials))


TestEverythingComesBackOnce = EverythingComesBackOnce.TestCase


@dataclass
class Outcome:
    """How long each answer took, and how many partials each satellite got."""

    waited: dict[Kind, list[float]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    partials: Counter[str] = field(default_factory=Counter)


def simulate(satellites: int, cost: float, seed: int) -> Outcome:
    """Let satellites speak for half a minute of invented time.

    Each speaks three seconds of five, asks for a partial twice a second and for its final behind.
    A batch takes `cost` seconds, and half of it more for each further request.
    """
    rng = random.Random(seed)
    numbers = itertools.count()
    arrivals = [
        (start + after, next(numbers), who, kind)
        for who in range(satellites)
        for start in (rng.uniform(0, 5) + 5 * i for i in range(6))
        for after, kind in [(0.5 * i, Kind.PARTIAL) for i in range(1, 7)] + [(3.3, Kind.FINAL)]
    ]
    heapq.heapify(arrivals)
    schedule, outcome, now = Schedule(8), Outcome(), 0.0
    while arrivals or len(schedule):
        if not len(schedule):
            now = max(now, arrivals[0][0])
        while arrivals and arrivals[0][0] <= now:
            at, number, who, kind = heapq.heappop(arrivals)
            request = make_request(str(number), kind, 0.01, satellite=str(who))
            schedule.add(request, (float(rng.choice([1, 2, 3])),), at)
        batch = schedule.next()
        now += cost * (1 + 0.5 * (len(batch) - 1))
        for waiting in batch:
            outcome.waited[waiting.request.kind].append(now - waiting.since)
            if waiting.request.kind is Kind.PARTIAL:
                outcome.partials[waiting.request.satellite] += 1
    return outcome


@pytest.mark.parametrize("seed", range(3))
def test_overload_takes_partials_from_everybody_and_finals_from_nobody(seed):
    # 100 satellites ask for 140 decodes a second, and 44 can be had in full batches.
    outcome = simulate(100, 0.04, seed)
    assert len(outcome.waited[Kind.FINAL]) == 600
    assert max(outcome.waited[Kind.FINAL]) < 1.0
    assert max(outcome.waited[Kind.PARTIAL]) < 10.0
    assert min(outcome.partials[str(who)] for who in range(100)) >= 3


def test_below_the_limit_nobody_waits_long():
    outcome = simulate(20, 0.02, 1)
    assert max(outcome.waited[Kind.FINAL]) < 0.4
    assert max(outcome.waited[Kind.PARTIAL]) < 1.0
