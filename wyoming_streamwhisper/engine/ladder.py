"""Which rung the load drives us to: pure, with hysteresis, fed by the work that waits.

Climbing needs pressure for a moment, so that a few finals at once leave no trace. Coming down needs
calm for longer, and for twice as long each time it had to climb again soon after, so that a load
which is just too much does not make it flap.
"""

from dataclasses import dataclass

from wyoming_streamwhisper.core.rung import Rung

_UNIT = 0.15
"""Seconds that are not felt; thresholds are multiples of it, or of one final where that is more."""
_PARTIAL_LIMIT = 4.0
"""Units of all waiting work, partials too, from which the step becomes longer."""
_LIMITS = {
    Rung.LONGER_STEP: 1.0,
    Rung.NO_PARTIALS: 2.0,
    Rung.NO_SPECULATION: 4.0,
    Rung.REFUSING: 16.0,
}
"""Units that a final asked for now would wait, from which a rung is needed."""
_CALM = 0.5
"""Share of a rung's limit below which it is no longer needed."""
_CLIMB = 0.3
"""Seconds of pressure before the next rung."""
_HOLD, _LONGEST_HOLD = 3.0, 48.0
"""Seconds of calm before a rung is left, at first and at most."""
_SOON = 30.0
"""Seconds after leaving a rung in which climbing again shows that it was left too early."""
_REFUSED = 1.0
"""The same for the last rung: who is accepted brings no work for seconds, and meanwhile the machine
would stand still."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """The work that waits, in predicted seconds; what is late counts with its lateness."""

    finals: float
    """How long a final that is asked for now would wait."""
    everything: float
    """The same and all partials."""
    final: float
    """One final, of those that came lately."""


class Ladder:
    """The rung, as pressure and time demand it; times are seconds of the owner's clock."""

    def __init__(self) -> None:
        self.rung = Rung.ALL
        self._pressed: float | None = None
        """Since when a higher rung has been needed."""
        self._calm: float | None = None
        """Since when this rung has not been needed."""
        self._hold = _HOLD
        self._left = float("-inf")
        """When a rung was left last."""

    def update(self, now: float, pressure: Pressure) -> Rung:
        """Move at most one rung up, and down as far as the calm has lasted."""
        needed = _needed(pressure, 1.0)
        if needed > self.rung:
            self._calm = None
            if self._pressed is None:
                self._pressed = now
            elif now - self._pressed >= _CLIMB:
                self._climb(now)
            return self.rung
        self._pressed = None
        if _needed(pressure, _CALM) >= self.rung:
            self._calm = None
        elif self._calm is None:
            self._calm = now
        if self.rung is Rung.REFUSING and not pressure.everything:
            self._step_down(now)  # nothing is late any more: nobody is to be refused
        while self._calm is not None and now - self._calm >= self._patience:
            self._step_down(self._calm + self._patience)
        return self.rung

    @property
    def _patience(self) -> float:
        return _REFUSED if self.rung is Rung.REFUSING else self._hold

    def _climb(self, now: float) -> None:
        self.rung = Rung(self.rung + 1)
        if self.rung is not Rung.REFUSING:
            soon = now - self._left < max(2 * self._hold, _SOON)
            self._hold = min(max(self._hold * (2 if soon else 0.5), _HOLD), _LONGEST_HOLD)
        self._pressed = now

    def _step_down(self, at: float) -> None:
        """Leave this rung at a time from which on the next one has to be calm."""
        if self.rung is not Rung.REFUSING:
            self._left = at
        self.rung = Rung(self.rung - 1)
        self._calm = at if self.rung else None


def _needed(pressure: Pressure, share: float) -> Rung:
    """Return the highest rung whose limit, or this share of it, is passed."""
    unit = share * max(_UNIT, pressure.final)
    passed = [rung for rung, limit in _LIMITS.items() if pressure.finals > limit * unit]
    many = pressure.everything > _PARTIAL_LIMIT * unit
    return max([Rung.ALL, *passed, *([Rung.LONGER_STEP] if many else [])])
