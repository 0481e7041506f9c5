"""What a batch costs is found out, whatever kind of machine decodes it."""

import random

import pytest

from wyoming_streamwhisper.engine.cost import CostModel, Shape, steps

CONTEXTS = (2.0, 3.0, 4.0, 5.0, 8.0)


def shapes(rng: random.Random, count: int, sizes=(1, 2, 4, 8)) -> list[Shape]:
    return [
        Shape(rng.choice(sizes), rng.choice(CONTEXTS), rng.uniform(5, 30)) for _ in range(count)
    ]


MACHINES = {
    "cpu": lambda s: 0.002 + 0.012 * s.requests * s.context + 0.001 * s.requests * s.steps,
    "gpu": lambda s: 0.01 + 0.0003 * s.requests * s.context + 0.0005 * s.steps,
    "attention": lambda s: s.requests * (0.01 * s.context + 0.002 * s.context**2),
}


@pytest.mark.parametrize("seconds", MACHINES.values(), ids=MACHINES)
def test_costs_are_learned(seconds):
    rng, model = random.Random(1), CostModel()
    for shape in shapes(rng, 200):
        model.learn(shape, seconds(shape) * rng.uniform(0.9, 1.1))
    for shape in shapes(rng, 50, sizes=(1, 2, 3, 5, 8)):
        assert model.predict(shape) == pytest.approx(seconds(shape), rel=0.35)


def test_single_strange_batches_change_little():
    rng, model = random.Random(1), CostModel()
    for number, shape in enumerate(shapes(rng, 200)):
        seconds = MACHINES["cpu"](shape)
        model.learn(shape, 50 * seconds if number % 10 == 0 else seconds)
    shape = Shape(1, 5.0, 12.0)
    assert model.predict(shape) == pytest.approx(MACHINES["cpu"](shape), rel=0.35)


def test_a_machine_that_becomes_slower_is_noticed_soon():
    rng, model = random.Random(1), CostModel()
    for shape in shapes(rng, 200):
        model.learn(shape, MACHINES["cpu"](shape))
    shape = Shape(1, 5.0, 12.0)
    for _ in range(12):
        model.learn(shape, 3 * MACHINES["cpu"](shape))
    assert model.predict(shape) == pytest.approx(3 * MACHINES["cpu"](shape), rel=0.35)


def test_batches_are_tried_before_anything_is_known_of_them():
    model = CostModel()
    for _ in range(20):
        model.learn(Shape(1, 3.0, 9.0), 0.06)
    assert model.predict(Shape(2, 3.0, 9.0)) < 2 * model.predict(Shape(1, 3.0, 9.0))
    for _ in range(3):
        model.learn(Shape(2, 3.0, 9.0), 0.12)
    assert model.predict(Shape(2, 3.0, 9.0)) == pytest.approx(0.12, rel=0.25)


def test_a_time_is_never_negative():
    rng, model = random.Random(1), CostModel()
    for shape in shapes(rng, 30):
        model.learn(shape, rng.choice([0.0, 1e-6, 0.01, 5.0]))
        assert model.predict(Shape(8, 30.0, 100.0)) >= 0.0
        assert model.predict(Shape(1, 0.1, 1.0)) >= 0.0


def test_forced_tokens_and_beams_count():
    assert steps(1.0, 0, 1) < steps(1.0, 20, 1) < steps(1.0, 20, 5)
