"""Many satellites on machines that are invented: who waits, who is left out, who is refused."""

import pytest

from tests.engine.crowd import CPU, GPU, Machine, Outcome, World, speak
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.schedule import BOUND

MACHINES = {"cpu": CPU, "gpu": GPU}
SPARE = 1.3
"""A prediction may be wrong by so much: the invented machines waver by a tenth."""


def all_answered(outcome: Outcome, satellites: int) -> bool:
    """Whether nobody is missing but those who still speak or have just stopped."""
    answers = len(outcome.delays) + len(outcome.bursts)
    return outcome.begun - satellites <= answers <= outcome.begun


@pytest.mark.parametrize("satellites", [1, 10, 30, 100])
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_what_is_accepted_is_answered_and_soon(machine, satellites):
    outcome = speak(satellites, machine, 60.0)
    assert all_answered(outcome, satellites)
    assert outcome.delay(0.95) < 0.3
    assert outcome.delay(1.0) < 1.0


@pytest.mark.parametrize("satellites", [10, 30, 100])
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_no_final_waits_behind_a_lower_batch_beyond_the_bound(machine, satellites):
    outcome = speak(satellites, machine, 60.0, max_batch=64)
    assert max(outcome.blocked, default=0.0) <= SPARE * BOUND


@pytest.mark.parametrize("senders", [4, 8, 20])
def test_bursts_are_no_overload(senders):
    outcome = speak(0, CPU, 30.0, senders=senders)
    assert outcome.refused == 0
    assert not outcome.rungs
    assert len(outcome.bursts) > 300
    assert max(outcome.bursts) < 0.0


def test_who_speaks_does_not_wait_for_bursts():
    alone, beside = speak(8, CPU, 60.0), speak(8, CPU, 60.0, senders=8)
    assert alone.refused == beside.refused == 0
    assert all_answered(beside, 16)
    assert beside.delay(0.95) < 0.1
    assert len(beside.bursts) > 300


def test_a_capacity_that_promises_too_much_makes_answers_late_and_refuses_nobody(monkeypatch):
    monkeypatch.setattr(World, "full", property(lambda world: world.ladder.rung is Rung.REFUSING))
    outcome = speak(60, CPU, 60.0)
    assert outcome.refused == 0
    assert outcome.delay(0.95) < 2.0


def test_without_admission_everybody_is_answered_all_the_same(monkeypatch):
    monkeypatch.setattr(World, "full", False)
    outcome = speak(100, CPU, 60.0)
    assert outcome.refused == 0
    assert all_answered(outcome, 100)
    assert outcome.rungs[-1][1] is Rung.REFUSING


def test_a_hundred_on_a_gpu_all_see_their_words():
    outcome = speak(100, GPU, 60.0, max_batch=64)
    assert outcome.refused == 0
    assert not outcome.rungs
    assert min(outcome.partials[str(who)] for who in range(100)) >= 10


def test_a_load_that_leaves_no_time_for_partials_takes_them_from_all_alike():
    outcome = speak(20, CPU, 120.0)
    shown = [outcome.partials[str(who)] for who in range(20)]
    assert 0 < max(shown) < 3 * min(shown)


@pytest.mark.parametrize("satellites", [14, 18, 22, 30])
def test_a_steady_load_does_not_make_the_ladder_flap(satellites):
    outcome = speak(satellites, CPU, 120.0)
    assert len(outcome.rungs) <= 10


def feed_on(world: World, who: str, kind: Kind, seconds: float) -> None:
    """Let somebody ask for the next decode as soon as the last one is done, for ever."""
    world.ask(who, kind, seconds, lambda: feed_on(world, who, kind, seconds))


def test_a_fast_sender_of_long_pieces_keeps_nobody_waiting():
    world = World(CPU, 1)
    feed_on(world, "fast", Kind.PIECE, 4.0)
    for who in range(4):
        feed_on(world, str(who), Kind.PARTIAL, 1.0)
    outcome = world.run(60.0)
    assert max(outcome.waited[Kind.PARTIAL]) < 1.0
    assert outcome.decodes[Kind.PIECE] > 20


@pytest.mark.parametrize("kind", [Kind.SPECULATIVE, Kind.PIECE, Kind.PARTIAL])
def test_a_file_gets_something_however_busy_the_machine_is(kind):
    world = World(CPU, 1)
    for _ in range(50):
        world.ask("file", Kind.BULK, 25.0, lambda: None)
    for who in range(30):
        feed_on(world, str(who), kind, 1.0)
    outcome = world.run(120.0)
    assert 10 <= outcome.decodes[Kind.BULK] <= 40
    assert max(outcome.waited[kind]) < 5.0


def test_the_cost_of_batches_decides_their_size():
    for machine, low, high in ((Machine(0.0, 0.012, 0.0), 1.0, 1.2), (GPU, 2.0, 64.0)):
        world = World(machine, 1, max_batch=64)
        for who in range(60):
            feed_on(world, str(who), Kind.SPECULATIVE, 1.0)
        world.run(10.0)
        sizes = [len(world._running)]
        for second in range(11, 20):
            world.run(float(second))
            sizes.append(len(world._running))
        assert low <= sum(sizes) / len(sizes) <= high
