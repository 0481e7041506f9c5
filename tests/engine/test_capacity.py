"""What this machine carries: timed once, kept, and corrected by what comes."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles import INFO, ScriptedBackend
from wyoming_streamwhisper.engine.cache import Findings
from wyoming_streamwhisper.engine.capacity import Typical, calibrate, carried, machine
from wyoming_streamwhisper.engine.cost import CostModel, Shape


class Marked(ScriptedBackend):
    """A back end whose model can be told from others."""

    def __init__(self, fingerprint: str = "this one") -> None:
        super().__init__()
        self.info = replace(INFO, fingerprint=fingerprint)


def calibrated(backend: Marked, folder: Path, machine: str = "here") -> CostModel:
    model = CostModel()
    findings = Findings("batches", folder)
    calibrate(backend, model, max_batch=4, findings=findings, machine=machine)
    return model


def test_batches_are_timed_once_for_each_model_and_machine(tmp_path):
    first, again = Marked(), Marked()
    shape = Typical.of(first).final
    assert calibrated(first, tmp_path).predict(shape) == calibrated(again, tmp_path).predict(shape)
    assert max(map(len, first.batches)) == 4
    assert not again.batches
    for backend, place in ((Marked("another"), "here"), (Marked(), "elsewhere")):
        calibrated(backend, tmp_path, place)
        assert backend.batches


def test_a_model_that_cannot_be_told_from_others_is_timed_each_time(tmp_path):
    for backend in (Marked(""), Marked("")):
        calibrated(backend, tmp_path)
        assert backend.batches


def test_a_batch_that_has_no_room_ends_the_timing(tmp_path):
    class Small(Marked):
        def decode(self, requests):
            if len(requests) > 2:
                raise RuntimeError("out of memory")
            return super().decode(requests)

    backend = Small()
    assert calibrated(backend, tmp_path).predict(Typical.of(backend).final) > 0
    assert max(map(len, backend.batches)) == 2


@pytest.mark.parametrize("damaged", ["{}", '{"batches": [[1]]}', '{"batches": 3}', "no json"])
def test_what_was_kept_may_be_damaged(tmp_path, damaged):
    calibrated(Marked(), tmp_path)
    (file,) = tmp_path.iterdir()
    text = file.read_text()
    file.write_text(text[: text.index('"finding"')] + f'"finding": {damaged}}}')
    backend = Marked()
    calibrated(backend, tmp_path)
    assert backend.batches


def learned(each: float, once: float = 0.0) -> CostModel:
    model = CostModel()
    for _ in range(3):
        for size in (1, 2, 4, 8):
            for context in (2.0, 6.0):
                model.learn(Shape(size, context, 8.0), once + each * size * context)
    return model


TYPICAL = Typical(Shape(1, 6.0, 11.0), Shape(1, 2.0, 7.0))


def test_a_faster_machine_carries_more_and_batches_count():
    slow, fast = (carried(learned(each), TYPICAL, 8) for each in (0.1, 0.01))
    batches = carried(learned(0.0002, 0.02), TYPICAL, 64)
    assert slow.with_partials <= slow.finals < fast.with_partials < fast.finals < batches.finals
    assert batches.with_partials > 5 * fast.with_partials


def test_the_slowest_machine_still_carries_somebody():
    capacity = carried(learned(10.0), TYPICAL, 8)
    assert (capacity.with_partials, capacity.finals) == (1, 4)


def test_a_machine_is_described_with_its_threads():
    assert machine(1) != machine(2)
