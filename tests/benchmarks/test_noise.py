"""Noise: what is sent, what is counted, and that the daemon makes nothing of it."""

import numpy as np
import pytest

from benchmarks.noise import KINDS, Row, main, markdown, plan, render


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_has_its_length_and_level(kind: str) -> None:
    sound = render(kind, 1.0, -30.0, np.random.default_rng(1))
    assert len(sound) == 16_000
    loudness = np.sqrt(np.mean(np.square(sound / 32768)))
    assert loudness == pytest.approx(0.0 if kind == "silence" else 10**-1.5, rel=0.1)


def test_a_plan_has_all_kinds_and_its_minutes_and_is_the_same_each_time() -> None:
    sounds = list(plan(2.0, seed=3))
    assert {kind for kind, _ in sounds} == {*KINDS, "stream"}
    assert sum(len(sound) for _, sound in sounds) / 16_000 == pytest.approx(120, abs=30)
    again = list(plan(2.0, seed=3))
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(sounds, again, strict=True))


def test_every_word_is_counted() -> None:
    rows = [Row("white", 1.0, 2, 1, 1, ["Thank you."]), Row("hum", 1.0, 1, 0, 0, [], ["timeout"])]
    assert markdown(rows).splitlines()[-1] == "| all | 2.0 | 3 | 1 | 1 | 2 | 1 |"


def test_the_daemon_makes_nothing_of_noise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "0.5", "--serve", "--model demo --endpointing own"]) == 0
    assert "| all |" in capsys.readouterr().out
