"""How loaded the engine is: looks at its schedule now and then, moves the rung and tells of it."""

import logging
import time
from collections.abc import Callable

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.ladder import Ladder
from wyoming_streamwhisper.engine.schedule import Schedule

_LOG = logging.getLogger(__name__)

_LOOK = 0.05
"""Seconds between two looks at the pressure: with hundreds who wait one costs a millisecond."""


class Watch:
    """The ladder of one schedule."""

    def __init__(self, schedule: Schedule, clock: Callable[[], float] = time.monotonic) -> None:
        self._schedule = schedule
        self._clock = clock
        self._ladder = Ladder()
        self._looked = float("-inf")

    @property
    def rung(self) -> Rung:
        """What is to be left out, as of the last look."""
        return self._ladder.rung

    def look(self) -> None:
        """Move the rung as the pressure demands, unless the last look was just now."""
        now = self._clock()
        # The last look before nothing happens any more must see that it is calm.
        if now - self._looked < _LOOK and len(self._schedule):
            return
        self._looked = now
        pressure, before = self._schedule.pressure(now), self._ladder.rung
        rung = self._ladder.update(now, pressure)
        metrics.LATENESS.set(pressure.finals)
        if rung is before:
            return
        metrics.RUNG.set(rung)
        _LOG.log(
            logging.WARNING if rung > before else logging.INFO,
            "load: %s instead of %s; finals would be %.2f s late, partials %.2f s",
            rung.label,
            before.label,
            pressure.finals,
            pressure.everything,
        )
