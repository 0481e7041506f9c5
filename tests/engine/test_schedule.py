"""The schedule: who is decoded next, and with whom."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.doubles import INFO, make_request
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.engine.api import Request
from wyoming_streamwhisper.engine.cost import CostModel, Shape
from wyoming_streamwhisper.engine.schedule import BOUND, Schedule, Waiting

KEY = (3.0, 1.0)


def ids(waiting):
    return [one.request.id for one in waiting]


def batches(schedule: Schedule, now: float = 0.0) -> Iterator[list[Waiting]]:
    """Take all batches that wait, one after the other."""
    while batch := schedule.next(now):
        schedule.done(batch)
        yield batch


def order_of(schedule: Schedule, now: float = 0.0) -> list[str]:
    """Take one by one what waits, each in a batch of its own."""
    return [one for batch in batches(schedule, now) for one in ids(batch)]


def learned(seconds: Callable[[Shape], float]) -> CostModel:
    """Return a cost model that has seen batches which took so long."""
    model = CostModel()
    for _ in range(5):
        for shape in (Shape(n, c, 5.0) for n in (1, 2, 4, 8) for c in (1.0, 3.0, 30.0)):
            model.learn(shape, seconds(shape))
    return model


def linear(each: float) -> CostModel:
    """Of a machine where every second of context costs so much, alone or in company."""
    return learned(lambda shape: each * shape.requests * shape.context)


def flat(seconds: float) -> CostModel:
    """Of a machine where a batch costs the same whatever is in it."""
    return learned(lambda shape: seconds)


def test_kinds_go_in_order_of_urgency():
    schedule = Schedule(1)
    for kind in reversed(Kind):
        schedule.add(make_request(kind.name, kind), KEY, 0.0)
    assert order_of(schedule) == ["FINAL", "SPECULATIVE", "PIECE", "PARTIAL", "BULK"]


def test_within_a_kind_the_earliest_deadline_goes_first():
    schedule = Schedule(1)
    schedule.add(make_request("patient", due=6.0), KEY, 0.0)
    schedule.add(make_request("hurried", due=0.5), KEY, 1.0)
    schedule.add(make_request("late", due=6.0), KEY, 2.0)
    assert order_of(schedule, 2.0) == ["hurried", "patient", "late"]


def test_among_equals_the_dear_one_goes_last():
    schedule = Schedule(1, linear(0.02))
    schedule.add(make_request("dear", Kind.PIECE), (30.0, 1.0), 0.0)
    schedule.add(make_request("cheap", Kind.PIECE), KEY, 0.1)
    schedule.add(make_request("later", Kind.PIECE), KEY, 1.0)
    assert order_of(schedule) == ["cheap", "dear", "later"]


def test_what_is_late_moves_up_but_never_before_a_final():
    schedule = Schedule(1)
    schedule.add(make_request("file", Kind.BULK), KEY, 0.0)
    schedule.add(make_request("partial", Kind.PARTIAL), KEY, 2.0)
    schedule.add(make_request("piece", Kind.PIECE), KEY, 6.0)
    schedule.add(make_request("maybe", Kind.SPECULATIVE), KEY, 6.0)
    schedule.add(make_request("final", Kind.FINAL), KEY, 6.0)
    assert order_of(schedule, 6.0) == ["final", "file", "maybe", "partial", "piece"]


def test_a_file_of_many_parts_gets_a_turn_now_and_then():
    schedule = Schedule(1)
    for part in range(3):
        schedule.add(make_request(f"part {part}", Kind.BULK), KEY, 0.0)
    for number in range(3):
        schedule.add(make_request(str(number), Kind.SPECULATIVE), KEY, 6.0)
    assert order_of(schedule, 6.0) == ["part 0", "0", "1", "2", "part 1", "part 2"]


def test_a_newer_partial_replaces_its_satellites_older_one():
    schedule = Schedule(8)
    older = make_request("1", Kind.PARTIAL, satellite="kitchen")
    schedule.add(older, KEY, 0.0)
    schedule.add(make_request("2", Kind.PARTIAL, satellite="hall"), KEY, 0.0)
    assert schedule.add(make_request("3", Kind.PARTIAL, satellite="kitchen"), KEY, 1.0) == [older]
    assert ids(schedule.next(0.0)) == ["2", "3"]


def test_only_partials_are_replaced_and_only_by_partials():
    schedule = Schedule(1)
    for number, kind in enumerate([Kind.FINAL, Kind.PIECE, Kind.PARTIAL, Kind.FINAL]):
        assert not schedule.add(make_request(str(number), kind, satellite="kitchen"), KEY, 0.0)
    assert len(schedule) == 4


def test_a_batch_has_one_key():
    schedule = Schedule(8)
    for number, key in enumerate([(3.0, 1.0), (5.0, 1.0), (3.0, 1.0), (3.0, 5.0)]):
        schedule.add(make_request(str(number)), key, float(number))
    assert [ids(batch) for batch in batches(schedule)] == [
        ["0", "2"],
        ["1"],
        ["3"],
    ]


def test_a_final_does_not_wait_for_partials_in_its_batch():
    schedule = Schedule(8)
    schedule.add(make_request("partial", Kind.PARTIAL), KEY, 0.0)
    schedule.add(make_request("file", Kind.BULK), KEY, 0.0)
    schedule.add(make_request("piece", Kind.PIECE), KEY, 0.0)
    schedule.add(make_request("final", Kind.FINAL), KEY, 9.0)
    assert [ids(b) for b in batches(schedule)] == [
        ["final", "piece"],
        ["partial"],
        ["file"],
    ]


def test_a_batch_is_bounded_and_takes_the_most_urgent():
    schedule = Schedule(2)
    for number in range(5):
        schedule.add(make_request(str(number), due=60.0 - number), KEY, 0.0)
    assert [ids(b) for b in batches(schedule)] == [["4", "3"], ["2", "1"], ["0"]]


@pytest.mark.parametrize("kind", [Kind.FINAL, Kind.SPECULATIVE, Kind.PARTIAL])
def test_where_batches_save_nothing_the_first_does_not_wait_for_the_rest(kind):
    schedule = Schedule(8, linear(0.02))
    for number in range(4):
        schedule.add(make_request(str(number), kind), KEY, 0.0)
    assert [ids(b) for b in batches(schedule)] == [["0"], ["1"], ["2"], ["3"]]


@pytest.mark.parametrize("kind", [Kind.FINAL, Kind.SPECULATIVE, Kind.PARTIAL])
def test_where_batches_cost_nothing_all_go_together(kind):
    schedule = Schedule(8, flat(0.02))
    for number in range(8):
        schedule.add(make_request(str(number), kind), KEY, 0.0)
    assert len(schedule.next(0.0)) == 8


@pytest.mark.parametrize("kind", [Kind.SPECULATIVE, Kind.PIECE, Kind.PARTIAL, Kind.BULK])
def test_a_batch_that_nobody_waits_for_is_kept_short(kind):
    # Eight would take 0.2 s and be cheaper by the piece.
    model = learned(lambda shape: 0.04 + 0.02 * shape.requests)
    schedule = Schedule(8, model)
    for number in range(8):
        schedule.add(make_request(str(number), kind), KEY, 0.0)
    assert 1 < len(schedule.next(0.0)) <= (BOUND - 0.04) / 0.02 + 1


def test_lateness_is_foreseen():
    schedule = Schedule(8, linear(0.1))  # 0.3 s each
    assert schedule.pressure(0.0).finals == 0.0
    for number in range(3):
        schedule.add(make_request(str(number), Kind.SPECULATIVE), KEY, 0.0)
    # The third is done after 0.9 s, and would be late after 0.5 s.
    assert schedule.pressure(0.0).finals == pytest.approx(0.4, abs=0.02)
    schedule.add(make_request("words", Kind.PARTIAL), KEY, 0.0)
    assert schedule.pressure(0.0).finals == pytest.approx(0.4, abs=0.02)
    assert schedule.pressure(0.0).everything == pytest.approx(0.95, abs=0.02)
    schedule.next(0.0)
    assert schedule.pressure(0.0).finals == pytest.approx(0.4, abs=0.02)


def test_who_speaks_goes_before_a_burst_and_a_burst_before_what_can_wait_longer():
    schedule = Schedule(1)
    schedule.add(make_request("burst", Kind.FINAL, ahead=2.0), KEY, 0.0)
    schedule.add(make_request("longer burst", Kind.FINAL, ahead=9.0), KEY, 0.0)
    schedule.add(make_request("piece", Kind.PIECE), KEY, 0.0)
    schedule.add(make_request("maybe", Kind.SPECULATIVE), KEY, 0.0)
    schedule.add(make_request("final", Kind.FINAL), KEY, 0.5)
    assert order_of(schedule, 0.5) == ["final", "maybe", "burst", "longer burst", "piece"]


def test_a_burst_that_is_late_goes_first_among_what_may_become_a_final():
    schedule = Schedule(1)
    schedule.add(make_request("maybe", Kind.SPECULATIVE), KEY, 1.7)
    schedule.add(make_request("burst", Kind.FINAL, ahead=2.0), KEY, 0.0)
    schedule.add(make_request("final", Kind.FINAL), KEY, 2.1)
    assert order_of(schedule, 2.1) == ["final", "burst", "maybe"]


def test_bursts_are_no_load_but_for_who_speaks():
    schedule = Schedule(8, linear(0.1))  # 0.3 s each
    for number in range(9):
        schedule.add(make_request(str(number), Kind.FINAL, ahead=1.0), KEY, 0.0)
    assert schedule.pressure(0.0).finals == schedule.pressure(9.0).finals == 0.0
    schedule.add(make_request("maybe", Kind.SPECULATIVE), KEY, 9.0)
    assert schedule.pressure(9.0).finals == pytest.approx(2.5, abs=0.02)


def test_promotion_keeps_what_a_burst_is_ahead():
    schedule = Schedule(1)
    schedule.add(make_request("burst", Kind.SPECULATIVE, ahead=2.0), KEY, 0.0)
    schedule.promote("burst", Kind.FINAL, 0.1)
    assert schedule.next(0.1)[0].due == 2.0


def test_promotion_makes_more_urgent_and_never_less():
    schedule = Schedule(1)
    schedule.add(make_request("a", Kind.PIECE), KEY, 0.0)
    schedule.add(make_request("b", Kind.SPECULATIVE), KEY, 1.0)
    schedule.promote("b", Kind.FINAL, 0.0)
    schedule.promote("b", Kind.BULK, 0.0)
    schedule.promote("unknown", Kind.FINAL, 0.0)
    first = schedule.next(0.0)
    assert ids(first) == ["b"]
    assert first[0].request.kind is Kind.FINAL


def test_what_was_removed_does_not_come():
    schedule = Schedule(8)
    schedule.add(make_request("a"), KEY, 0.0)
    assert schedule.remove("a")
    assert not schedule.remove("a")
    assert schedule.next(0.0) == []


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

    @rule(kind=KINDS, who=st.integers(0, 3), key=st.integers(0, 1), due=st.integers(0, 9))
    def add(self, kind, who, key, due):
        self.now += 1.0
        request = make_request(
            str(next(self.numbers)), kind, 0.01, satellite=str(who), due=float(due)
        )
        replaced = self.schedule.add(request, (float(key),), self.now)
        assert kind is Kind.PARTIAL or not replaced
        self.leave(replaced)
        self.inside[request.id] = request

    @rule()
    def take(self):
        batch = self.schedule.next(self.now)
        if batch:
            assert not self.schedule.next(self.now)
            self.schedule.done(batch)
        assert len(batch) <= 3
        assert bool(batch) == bool(self.inside)
        assert len({waiting.key for waiting in batch}) <= 1
        self.leave(waiting.request for waiting in batch)
        if batch:
            finals = any(request.kind is Kind.FINAL for request in self.inside.values())
            assert batch[0].request.kind is Kind.FINAL or not finals

    @rule(number=st.integers(0, 30))
    def remove(self, number):
        known = self.inside.pop(str(number), None)
        assert self.schedule.remove(str(number)) == (known is not None)

    # To be promoted means to be waited for: nothing is ever promoted to a partial.
    @rule(number=st.integers(0, 30), kind=st.sampled_from([Kind.FINAL, Kind.SPECULATIVE]))
    def promote(self, number, kind):
        self.schedule.promote(str(number), kind, self.now)
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


def test_where_no_request_is_urgent_batches_are_full():
    schedule = Schedule(8, bound=None)
    for part in range(20):
        schedule.add(make_request(f"part {part}", Kind.BULK), KEY, 0.0)
    assert [len(batch) for batch in batches(schedule)] == [8, 8, 4]


def with_replicas(count: int, cost: CostModel | None = None) -> Schedule:
    schedule = Schedule(8, cost)
    schedule.fit(replace(INFO, replicas=count))
    return schedule


def test_as_many_batches_run_as_there_are_replicas():
    schedule = with_replicas(2, linear(0.02))
    for number in range(3):
        schedule.add(make_request(str(number)), KEY, 0.0)
    first, second = schedule.next(0.0), schedule.next(0.0)
    assert ids(first) + ids(second) == ["0", "1"]
    assert not schedule.next(0.0)
    schedule.done(second)
    assert ids(schedule.next(0.0)) == ["2"]


def test_another_attempt_may_run_before_the_first_is_done_with():
    schedule = with_replicas(2)
    schedule.add(make_request("doubtful"), KEY, 0.0)
    first = schedule.next(0.0)
    schedule.add(make_request("doubtful", attempt=1), KEY, 0.0)
    assert schedule.next(0.0)
    schedule.done(first)
    for number in range(2):
        schedule.add(make_request(str(number)), (9.0 + number, 1.0), 0.0)
    assert schedule.next(0.0)
    assert not schedule.next(0.0)


def test_where_only_files_are_decoded_they_have_all_replicas():
    schedule = Schedule(2, bound=None)
    schedule.fit(replace(INFO, replicas=2))
    for number in range(8):
        schedule.add(make_request(str(number), Kind.BULK), KEY, 0.0)
    assert [len(schedule.next(0.0)) for _ in range(3)] == [2, 2, 0]


def test_lateness_is_foreseen_on_all_replicas():
    schedule = with_replicas(2, linear(0.1))  # 0.3 s each
    for number in range(3):
        schedule.add(make_request(str(number)), KEY, 0.0)
    assert schedule.pressure(0.0).finals == pytest.approx(0.6, abs=0.02)
    schedule.next(0.0)
    assert schedule.pressure(0.0).finals == pytest.approx(0.6, abs=0.02)
    schedule.add(make_request("fourth"), KEY, 0.0)
    schedule.add(make_request("fifth"), KEY, 0.0)
    assert schedule.pressure(0.0).finals == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(("context", "sizes"), [(3.0, [8, 4]), (15.0, [4, 4, 4]), (30.0, [1] * 12)])
def test_long_contexts_share_a_batch_as_far_as_memory_goes(context, sizes):
    schedule = Schedule(8, bound=None)
    schedule.fit(replace(INFO, square=900.0))
    for part in range(12):
        schedule.add(make_request(f"part {part}", Kind.BULK), (context, 1.0), 0.0)
    assert [len(batch) for batch in batches(schedule)] == sizes
