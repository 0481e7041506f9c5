"""A crowd of satellites on an invented machine: the real schedule, cost model and ladder, no clock.

Events are calls at invented times, in order of time. Each satellite speaks, pauses now and then,
is silent, stops and soon begins again, and asks for what `core.utterance` would ask for.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.doubles import make_request
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.capacity import Typical, carried
from wyoming_streamwhisper.engine.cost import CostModel, Shape
from wyoming_streamwhisper.engine.ladder import Ladder
from wyoming_streamwhisper.engine.schedule import Schedule, Waiting

STEP, SETTLE, TRAILING = 0.4, 0.2, 0.7
"""Seconds between partials, before the speculative final, and before the client stops."""

TYPICAL = Typical(Shape(1, 6.0, 11.0), Shape(1, 2.0, 7.4))
"""A final and a partial of this crowd."""


@dataclass(frozen=True)
class Machine:
    """Seconds that a batch takes: once, for each second of context, and for each step."""

    once: float
    frames: float
    steps: float
    """For each decoder step, however many requests."""
    jitter: float = 0.1

    def seconds(self, batch: list[Waiting], rng: random.Random) -> float:
        frames = sum(waiting.key[0] for waiting in batch)
        steps = max(4 * waiting.request.seconds for waiting in batch)
        work = self.once + self.frames * frames + self.steps * steps
        return work * rng.uniform(1 - self.jitter, 1 + self.jitter)


CPU = Machine(0.003, 0.012, 0.0)
"""Two cores with a model of base cost: a final 63 ms, a partial 27 to 50, batches save nothing."""
GPU = Machine(0.010, 0.0002, 0.0005)
"""What a batch costs hardly depends on its size."""


@dataclass
class Outcome:
    """What the crowd got."""

    begun: int = 0
    refused: int = 0
    delays: list[float] = field(default_factory=list)
    """From each client's stop to its answer."""
    bursts: list[float] = field(default_factory=list)
    """From when each burst would have been spoken to its answer."""
    partials: Counter[str] = field(default_factory=Counter)
    waited: dict[Kind, list[float]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    blocked: list[float] = field(default_factory=list)
    """How long the batch went on that each final found at work, if nobody waited for that."""
    rungs: list[tuple[float, Rung]] = field(default_factory=list)
    decodes: Counter[Kind] = field(default_factory=Counter)

    def delay(self, share: float) -> float:
        """Return the delay that this share of the answers did not exceed."""
        return sorted(self.delays)[int(share * (len(self.delays) - 1))]


class World:
    """Time, the machine and everybody's requests."""

    def __init__(self, machine: Machine, seed: int, max_batch: int = 8) -> None:
        self.machine, self.rng, self.now = machine, random.Random(seed), 0.0
        self.cost, self.max_batch = CostModel(), max_batch
        self.schedule, self.ladder = Schedule(max_batch, self.cost), Ladder()
        self.speaking = 0
        self.outcome = Outcome()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._running: list[Waiting] = []
        self._until = 0.0
        self._answers: dict[str, Callable[[], None]] = {}

    @property
    def full(self) -> bool:
        """Whether one more would be too many, as `session.session` asks."""
        most = carried(self.cost, TYPICAL, self.max_batch).finals
        return self.speaking >= most or self.ladder.rung is Rung.REFUSING

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), then))

    def ask(
        self, who: str, kind: Kind, seconds: float, then: Callable[[], None], ahead: float = 0.0
    ) -> str:
        number = str(next(self._numbers))
        request = make_request(number, kind, seconds, satellite=who, ahead=ahead)
        context = seconds + (0.0 if kind is Kind.PARTIAL else 3.0)
        key = (next(step for step in (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 33.0) if step >= context), 1.0)
        self._answers[number] = then
        for older in self.schedule.add(request, key, self.now):
            del self._answers[older.id]
        if kind is Kind.FINAL:
            self._found_busy()
        self._work()
        return number

    def promote(self, number: str) -> None:
        self.schedule.promote(number, Kind.FINAL, self.now)
        self._found_busy()

    def drop(self, number: str) -> None:
        self.schedule.remove(number)
        self._answers.pop(number, None)

    def is_asked(self, number: str) -> bool:
        return number in self._answers

    def run(self, seconds: float) -> Outcome:
        """Let everything happen that begins within so many seconds."""
        while self._events and self._events[0][0] <= seconds:
            self.now, _, then = heapq.heappop(self._events)
            then()
            self._look()
        return self.outcome

    def _found_busy(self) -> None:
        if self._running and self._running[0].request.kind is not Kind.FINAL:
            self.outcome.blocked.append(self._until - self.now)

    def _look(self) -> None:
        before = self.ladder.rung
        if self.ladder.update(self.now, self.schedule.pressure(self.now)) is not before:
            self.outcome.rungs.append((self.now, self.ladder.rung))

    def _work(self) -> None:
        if self._running or not (batch := self.schedule.next(self.now)):
            return
        self._running = batch
        begun, seconds = self.now, self.machine.seconds(batch, self.rng)
        self._until = begun + seconds
        for waiting in batch:
            self.outcome.waited[waiting.request.kind].append(begun - waiting.since)
            self.outcome.decodes[waiting.request.kind] += 1
        self.after(seconds, lambda: self._done(batch, seconds))

    def _done(self, batch: list[Waiting], seconds: float) -> None:
        self._running = []
        self.schedule.done(batch)
        self.schedule.learn(batch, seconds)
        for waiting in batch:
            if (then := self._answers.pop(waiting.request.id, None)) is not None:
                then()
        self._work()


class Satellite:
    """Gives one command after the other."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        world.after(world.rng.uniform(0, 4), self.begin)

    def begin(self) -> None:
        rng = self.world.rng
        if self.world.full:
            self.world.outcome.refused += 1
            self.world.after(rng.uniform(0.5, 1.5), self.begin)
            return
        self.world.outcome.begun += 1
        self.world.speaking += 1
        self.spoken, self.heard, self.partial = 0.0, 0.0, ""
        # Parts between pauses, most commands without one.
        self.parts = [rng.uniform(0.8, 3.5)] if rng.random() < 0.7 else [rng.uniform(0.5, 1.5)] * 2
        self.speak()

    def speak(self) -> None:
        length = self.parts.pop(0)
        self.free, self.answered, self.stopped = "", False, None
        for tick in range(1, int(length / 0.1)):
            self.world.after(0.1 * tick, lambda at=self.spoken + 0.1 * tick: self.hear(at))
        self.spoken += length
        self.world.after(length + SETTLE, self.settle)
        if self.parts:
            self.world.after(length + 0.45, self.go_on)
        else:
            self.world.after(length + TRAILING, self.stop)

    def hear(self, at: float) -> None:
        rung = self.world.ladder.rung
        if rung.partials and not self.partial and at - self.heard >= STEP * rung.stretch:
            self.heard = at
            self.partial = self.world.ask(self.name, Kind.PARTIAL, min(at, 4.0), self.shown)

    def shown(self) -> None:
        self.partial = ""
        self.world.outcome.partials[self.name] += 1

    def settle(self) -> None:
        if self.partial:
            self.world.drop(self.partial)
            self.partial = ""
        if self.world.ladder.rung.speculation:
            self.free = self.world.ask(self.name, Kind.SPECULATIVE, self.spoken, self.heard_all)

    def go_on(self) -> None:
        if self.free:
            self.world.drop(self.free)
        self.speak()

    def stop(self) -> None:
        self.stopped = self.world.now
        if self.answered:
            self.finish()
        elif self.free:
            self.world.promote(self.free)
        else:
            self.free = self.world.ask(self.name, Kind.FINAL, self.spoken, self.heard_all)

    def heard_all(self) -> None:
        self.answered = True
        if self.stopped is not None:
            self.finish()

    def finish(self) -> None:
        assert self.stopped is not None
        self.world.speaking -= 1
        self.world.outcome.delays.append(self.world.now - self.stopped)
        self.world.after(self.world.rng.uniform(0, 0.2), self.begin)


class Sender(Satellite):
    """Sends one whole utterance after the other as fast as it can, and waits for each answer."""

    def speak(self) -> None:
        seconds = sum(self.parts)
        self.stopped = self.world.now
        self.ahead = seconds + TRAILING - 1.0
        self.world.ask(self.name, Kind.FINAL, seconds, self.finish, self.ahead)

    def finish(self) -> None:
        self.world.outcome.bursts.append(self.world.now - self.stopped - self.ahead)
        self.world.speaking -= 1
        self.world.after(0.0, self.begin)


def speak(
    satellites: int, machine: Machine, seconds: float, seed: int = 1, senders: int = 0, **more: int
) -> Outcome:
    """Let so many satellites give commands on a machine for a time, and others send bursts."""
    world = World(machine, seed, **more)
    for number in range(satellites):
        Satellite(world, str(number))
    for number in range(senders):
        Sender(world, f"sender {number}")
    return world.run(seconds)
