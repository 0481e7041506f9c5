"""How many satellites this machine carries: batches are timed at the start, and then in use.

At the first start with a model a few batches of the bundled clip are timed, in about a second; what
they showed is kept and read again at the next start. From then on the cost model learns from every
batch, so that a machine which has become slower, or was busy at its first start, is noticed.
"""

import logging
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.engine import clip, cost
from wyoming_streamwhisper.engine.api import Backend, Capacity, Request
from wyoming_streamwhisper.engine.cache import Findings
from wyoming_streamwhisper.engine.cost import CostModel, Observation, Shape
from wyoming_streamwhisper.engine.schedule import BOUND, sizes

_LOG = logging.getLogger(__name__)

_BUDGET = 1.0
"""Seconds after which no further batch is timed."""
_SIZES = (1, 1, 2, 1, 4, 8, 16, 32, 64)
_VERSION = 2

# What one satellite is taken to do that gives commands without end: 120 of `benchmarks.evaluate`
SPEECH, SILENCE = 2.5, 0.8
"""Seconds of each command, and of the silence behind it."""
_FREE = 1.1
"""Free decodes of a command: its final, and speculative ones in pauses that were not the end; fewer
of these under load, because those that still wait are withdrawn when somebody speaks on."""
_PARTIALS = 5.0
"""Partials of a command."""
_PARTIAL = 1.6
"""Mean seconds of audio of a partial."""
_SHARE = 0.8
"""Share of the time that the model may be at work: the rest is for voice activity, the event loop,
and for speakers who stop at the same moment."""
_LEAST = 4
"""Speakers who are admitted on any machine: where a model is slow, one rather waits than is sent
away."""


def calibrate(
    backend: Backend, model: CostModel, *, max_batch: int, findings: Findings, machine: str
) -> None:
    """Teach the cost model what batches take here: from what was kept, or by timing some.

    It blocks for about a second, longer where a single decode does.
    """
    info = backend.info
    key = f"{_VERSION} {info.fingerprint} {info.context} {machine}"
    seen = _recall(findings, key)
    if not seen:
        seen = _time_batches(backend, max_batch)
        if info.fingerprint:  # else another model would be taken for this one
            findings.write(key, {"batches": [[*shape, seconds] for shape, seconds in seen]})
    for shape, seconds in seen:
        model.learn(shape, seconds)


@dataclass(frozen=True, slots=True)
class Typical:
    """A final and a partial as commands bring them about, alone in their batches."""

    final: Shape
    partial: Shape

    @classmethod
    def of(cls, backend: Backend) -> "Typical":
        """Return what they are for this model."""
        final, partial = _requests()
        return cls(_shape(backend, final, 1), _shape(backend, partial, 1))


def carried(model: CostModel, typical: Typical, max_batch: int) -> Capacity:
    """Return how many can speak at once, by what the cost model has learned so far."""
    final = _FREE * _each(model, typical.final, max_batch)
    partials = _PARTIALS * _each(model, typical.partial, max_batch)
    free = _SHARE * (SPEECH + SILENCE)
    return Capacity(
        with_partials=max(int(free / (final + partials)), 1),
        finals=max(int(free / final), _LEAST),
    )


def machine(threads: int) -> str:
    """Describe what decides the speed besides model and device."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(names, platform.processor())} {platform.machine()} {os.cpu_count()} {threads}"


def _requests() -> tuple[Request, Request]:
    """Return a typical final and a typical partial."""
    speech = clip.read()
    return (
        Request("", "", Kind.FINAL, np.resize(speech, int(SPEECH * RATE))),
        Request("", "", Kind.PARTIAL, np.resize(speech, int(_PARTIAL * RATE))),
    )


def _each(model: CostModel, alone: Shape, max_batch: int) -> float:
    """Return the seconds that each request costs, in batches as large as others can bear."""
    times = {size: model.predict(alone._replace(requests=size)) for size in sizes(max_batch)}
    bound = max(times[1], BOUND)
    return min(seconds / size for size, seconds in times.items() if seconds <= bound)


def _shape(backend: Backend, request: Request, size: int) -> Shape:
    context = backend.key(request)[0]
    return Shape(size, context, cost.steps(request.seconds, 0, request.beam_size))


def _time_batches(backend: Backend, max_batch: int) -> list[Observation]:
    seen: list[Observation] = []
    begun = time.perf_counter()
    for size in [size for size in _SIZES if size <= max_batch]:
        for request in _requests():
            before = time.perf_counter()
            if seen and before - begun > _BUDGET:
                return seen
            try:
                backend.decode([request] * size)
            except RuntimeError as error:  # a GPU has no memory for that many
                _LOG.warning("a batch of %d could not be decoded: %s", size, error)
                return seen
            took = time.perf_counter() - before
            seen.append(Observation(_shape(backend, request, size), took))
    return seen


def _recall(findings: Findings, key: str) -> Sequence[Observation]:
    kept = findings.read(key) or {}
    try:
        return [
            Observation(Shape(int(size), float(context), float(steps)), float(seconds))
            for size, context, steps, seconds in kept.get("batches", ())
        ]
    except (TypeError, ValueError):  # another program's, or damaged
        return []
