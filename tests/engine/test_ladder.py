"""The ladder: up under pressure, down in calm, and not to and fro."""

import pytest

from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.ladder import Ladder, Pressure

CALM = Pressure(0.0, 0.0, 0.05)
HEAVY = Pressure(5.0, 5.0, 0.05)


def pressed(ladder: Ladder, pressure: Pressure, begin: float, seconds: float) -> list[Rung]:
    """Look twenty times a second; returns the rungs in order, each change once."""
    seen = [ladder.rung]
    for tick in range(int(20 * seconds)):
        rung = ladder.update(begin + tick / 20, pressure)
        if rung is not seen[-1]:
            seen.append(rung)
    return seen


def test_a_moment_of_pressure_changes_nothing():
    ladder = Ladder()
    pressed(ladder, HEAVY, 0.0, 0.25)
    assert pressed(ladder, CALM, 0.25, 1.0) == [Rung.ALL]
    assert pressed(ladder, HEAVY, 1.25, 0.25) == [Rung.ALL]


def test_lasting_pressure_goes_up_rung_by_rung_and_calm_down_again():
    ladder = Ladder()
    assert pressed(ladder, HEAVY, 0.0, 3.0) == list(Rung)
    assert pressed(ladder, CALM, 3.0, 20.0) == list(reversed(Rung))


def test_nobody_is_refused_once_nothing_is_late():
    ladder = Ladder()
    pressed(ladder, HEAVY, 0.0, 3.0)
    assert ladder.rung is Rung.REFUSING
    assert ladder.update(3.0, CALM) is Rung.NO_SPECULATION


def test_nobody_needs_to_look_while_nothing_happens():
    ladder = Ladder()
    pressed(ladder, HEAVY, 0.0, 3.0)
    ladder.update(3.0, CALM)
    assert ladder.update(60.0, CALM) is Rung.ALL


@pytest.mark.parametrize(
    ("late", "rung"),
    [
        (0.1, Rung.ALL),
        (0.2, Rung.LONGER_STEP),
        (0.4, Rung.NO_PARTIALS),
        (0.8, Rung.NO_SPECULATION),
        (1.5, Rung.NO_SPECULATION),
        (3.0, Rung.REFUSING),
    ],
)
def test_each_rung_has_its_pressure(late, rung):
    ladder = Ladder()
    pressed(ladder, Pressure(late, late, 0.05), 0.0, 10.0)
    assert ladder.rung is rung


def test_partials_that_are_late_lengthen_the_step_and_no_more():
    ladder = Ladder()
    pressed(ladder, Pressure(0.0, 9.0, 0.05), 0.0, 10.0)
    assert ladder.rung is Rung.LONGER_STEP


def test_where_one_final_takes_long_more_is_borne():
    ladder = Ladder()
    pressed(ladder, Pressure(1.5, 1.5, 2.0), 0.0, 10.0)
    assert ladder.rung is Rung.ALL


def test_a_load_that_is_just_too_much_does_not_make_it_flap():
    # On each rung the pressure is gone, and as soon as it is left it comes back.
    ladder, changes, before = Ladder(), 0, Rung.ALL
    for tick in range(20 * 600):
        pressure = HEAVY if ladder.rung < Rung.NO_PARTIALS else CALM
        rung = ladder.update(tick / 20, pressure)
        changes, before = changes + (rung is not before), rung
    assert changes < 60
    late = [ladder.update(600 + t / 20, CALM) for t in range(20 * 100)]
    assert late[-1] is Rung.ALL
