"""What every engine promises, and what the one in this process does when its model fails."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.doubles import INFO, Gate, ScriptedBackend, echo, hypothesis, make_request
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.api import Backend, Engine, EngineError, Request, Result
from wyoming_streamwhisper.engine.cost import CostModel, Shape
from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.options import EngineOptions


@functools.cache
def demo_backend() -> CTranslate2Backend:
    return CTranslate2Backend(resolve(ModelOptions()), EngineOptions(cpu_threads=1))


LOADERS: dict[str, Callable[[], Backend]] = {"scripted": ScriptedBackend, "demo": demo_backend}
"""Every engine comes from one of these; a new kind of engine joins here."""


@asynccontextmanager
async def running(load: Callable[[], Backend], **options: object) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(load, INFO, **options)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


def soon(engine: Engine, *requests: Request) -> list[asyncio.Task[Result]]:
    return [asyncio.create_task(engine.decode(request)) for request in requests]


async def outcomes(tasks: Sequence[asyncio.Task[Result]]) -> list[str]:
    """Wait for all; text or code of each."""
    done = await asyncio.gather(*tasks, return_exceptions=True)
    return [
        one.code if isinstance(one, EngineError) else one.hypothesis.words[0].text.strip()
        for one in done
    ]


class Guarded:
    """A scripted back end that waits at a gate before each decode."""

    def __init__(self, answer: Callable[[Request], Result] = echo) -> None:
        self.gate = Gate()
        self.inner = ScriptedBackend(answer)
        self.info, self.key = self.inner.info, self.inner.key

    def decode(self, requests: Sequence[Request]) -> list[Result]:
        self.gate()
        return self.inner.decode(requests)

    @property
    def batches(self) -> list[list[str]]:
        return [[request.id for request in batch] for batch in self.inner.batches]


# Every engine


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_answers_each_request_once_and_keeps_nothing(load):
    async def scenario():
        async with running(load) as engine:
            requests = [make_request(str(i), kind) for i, kind in enumerate(Kind)]
            results = await asyncio.gather(*map(engine.decode, requests))
            assert all(isinstance(result, Result) for result in results)
            assert all(result.timing.batch >= 1 and result.attempts >= 1 for result in results)
            assert not engine.waiting
            assert not engine._callers

    asyncio.run(scenario())


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_requests_made_while_the_model_loads_wait_for_it(load):
    gate = Gate()

    def slow() -> Backend:
        gate()
        return load()

    async def scenario():
        engine = LocalEngine(slow, INFO)
        starting = asyncio.create_task(engine.start())
        tasks = soon(engine, make_request("a"), make_request("b"))
        await gate.reached()
        assert not engine.ready
        assert engine.info is INFO
        assert engine.waiting == 2
        gate.open()
        await starting
        await asyncio.gather(*tasks)
        assert engine.ready
        await engine.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_close_refuses_what_comes_and_may_be_repeated(load):
    async def scenario():
        async with running(load) as engine:
            await engine.close()
            await engine.close()
            assert await outcomes(soon(engine, make_request())) == ["shutting-down"]

    asyncio.run(scenario())


# Batches and order


def test_batches_form_while_the_model_works():
    async def scenario():
        backend = Guarded()
        async with running(lambda: backend) as engine:
            tasks = soon(engine, make_request("first"))
            await backend.gate.reached()
            tasks += soon(
                engine,
                make_request("partial", Kind.PARTIAL),
                make_request("long", seconds=2.0),
                make_request("a"),
                make_request("b"),
            )
            await asyncio.sleep(0)
            backend.gate.open()
            assert await outcomes(tasks) == ["first", "partial", "long", "a", "b"]
        assert backend.batches == [["first"], ["a", "b"], ["long"], ["partial"]]

    asyncio.run(scenario())


def test_promotion_overtakes():
    async def scenario():
        backend = Guarded()
        async with running(lambda: backend, max_batch=1) as engine:
            tasks = soon(engine, make_request("first"))
            await backend.gate.reached()
            tasks += soon(engine, *(make_request(i, Kind.SPECULATIVE) for i in "ab"))
            await asyncio.sleep(0)
            engine.promote("b", Kind.FINAL)
            backend.gate.open()
            await outcomes(tasks)
        assert backend.batches == [["first"], ["b"], ["a"]]

    asyncio.run(scenario())


def test_a_newer_partial_of_a_satellite_replaces_the_older():
    async def scenario():
        backend = Guarded()
        async with running(lambda: backend) as engine:
            tasks = soon(engine, make_request("first"))
            await backend.gate.reached()
            tasks += soon(
                engine,
                *(make_request(i, Kind.PARTIAL, satellite="kitchen") for i in ("old", "new")),
            )
            await asyncio.sleep(0)
            backend.gate.open()
            assert await outcomes(tasks) == ["first", "replaced", "new"]

    asyncio.run(scenario())


def test_cancelling_drops_what_has_not_begun_and_forgets_what_has():
    async def scenario():
        backend = Guarded()
        async with running(lambda: backend) as engine:
            (begun,) = soon(engine, make_request("begun"))
            await backend.gate.reached()
            waiting, kept, unborn = soon(engine, *map(make_request, ["waiting", "kept", "unborn"]))
            unborn.cancel()
            await asyncio.sleep(0)
            assert engine.waiting == 2
            begun.cancel()
            waiting.cancel()
            await asyncio.gather(begun, waiting, unborn, return_exceptions=True)
            assert engine.waiting == len(engine._callers) == 1
            backend.gate.open()
            assert await outcomes([kept]) == ["kept"]
            assert not engine._callers
            assert not engine.waiting
        assert backend.batches == [["begun"], ["kept"]]

    asyncio.run(scenario())


def test_who_waits_too_long_is_told():
    async def scenario():
        backend = Guarded()
        async with running(lambda: backend) as engine:
            tasks = soon(engine, make_request("begun", timeout=0.01))
            await backend.gate.reached()
            tasks += soon(engine, make_request("late", timeout=0.01), make_request("patient"))
            assert await outcomes(tasks[1:2]) == ["timeout"]
            backend.gate.open()
            assert await outcomes(tasks) == ["begun", "timeout", "patient"]

    asyncio.run(scenario())


def test_who_waits_too_long_for_the_model_to_load_is_told_too():
    async def scenario():
        gate = Gate()
        engine = LocalEngine(lambda: gate() or ScriptedBackend(), INFO)
        starting = asyncio.create_task(engine.start())
        assert await outcomes(soon(engine, make_request(timeout=0.01))) == ["timeout"]
        gate.open()
        await starting
        await engine.close()

    asyncio.run(scenario())


# Load


def test_late_finals_move_the_rung_and_each_move_is_told_once(caplog):
    caplog.set_level("INFO")
    now = 0.0

    async def scenario():
        nonlocal now
        backend = Guarded()
        async with running(lambda: backend, clock=lambda: now) as engine:
            tasks = soon(engine, make_request("first"))
            await backend.gate.reached()
            tasks += soon(engine, *(make_request(str(i)) for i in range(3)))
            await asyncio.sleep(0)
            rungs = []
            for _ in range(40):
                now += 0.1
                rungs.append(engine.rung)
            assert list(dict.fromkeys(rungs)) == list(Rung)
            backend.gate.open()
            assert await outcomes(tasks) == ["first", "0", "1", "2"]
            now += 60.0
            assert engine.rung is Rung.ALL

    asyncio.run(scenario())
    told = [record.getMessage() for record in caplog.records if "load:" in record.getMessage()]
    assert len(told) == len(Rung) + 1  # four up, off the last one at once, and down in one


def test_a_model_that_loads_is_no_load():
    now = 0.0

    async def scenario():
        nonlocal now
        gate = Gate()
        engine = LocalEngine(lambda: gate() or ScriptedBackend(), INFO, clock=lambda: now)
        starting = asyncio.create_task(engine.start())
        tasks = soon(engine, make_request("early"))
        await gate.reached()
        for _ in range(100):
            now += 0.1
            assert engine.rung is Rung.ALL
        assert engine.capacity is None
        gate.open()
        await starting
        assert await outcomes(tasks) == ["early"]
        await engine.close()

    asyncio.run(scenario())


def test_a_model_is_timed_where_it_is_loaded():
    threads = []

    def calibrate(backend: Backend, model: CostModel) -> None:
        threads.append(threading.current_thread())
        model.learn(Shape(1, 2.0, 5.0), 0.1)

    async def scenario():
        async with running(ScriptedBackend, calibrate=calibrate) as engine:
            assert engine.capacity.finals >= engine.capacity.with_partials >= 1

    asyncio.run(scenario())
    assert threads[0] is not threading.main_thread()


# Failures of the model


def poisoned(request: Request) -> Result:
    if request.id == "poison":
        raise RuntimeError("as the script says")
    return echo(request)


def test_a_poisoned_request_fails_alone():
    async def scenario():
        backend = Guarded(poisoned)
        async with running(lambda: backend) as engine:
            tasks = soon(engine, make_request("first"))
            await backend.gate.reached()
            tasks += soon(engine, *map(make_request, ["a", "poison", "b"]))
            await asyncio.sleep(0)
            backend.gate.open()
            assert await outcomes(tasks) == ["first", "a", "engine-failed", "b"]
            assert await outcomes(soon(engine, make_request("next"))) == ["next"]

    asyncio.run(scenario())


def test_a_back_end_that_loses_results_fails_its_batch_only():
    class Forgetful(ScriptedBackend):
        def decode(self, requests):
            return super().decode(requests)[1:]

    async def scenario():
        async with running(Forgetful) as engine:
            for _ in range(2):
                assert await outcomes(soon(engine, make_request())) == ["engine-failed"]

    asyncio.run(scenario())


class Paired(Guarded):
    """A model of two replicas: the gate holds all who come."""

    def __init__(self) -> None:
        super().__init__()
        self.info = replace(INFO, replicas=2)


def test_a_hang_of_one_replica_is_told_to_those_who_wait_for_the_other():
    async def scenario():
        hanging = Paired()
        async with running(Flaky(hanging, ScriptedBackend()), hang=0.05) as engine:
            tasks = soon(engine, *map(make_request, ["first", "second", "third"]))
            assert await outcomes(tasks) == ["engine-failed"] * 3
            assert await outcomes(soon(engine, make_request("next"))) == ["next"]
        hanging.gate.open()

    asyncio.run(scenario())


class Flaky:
    """Loads one prepared back end after the other; an exception is raised instead."""

    def __init__(self, *loads: Backend | Exception) -> None:
        self._loads = iter(loads)
        self.loaded = 0

    def __call__(self) -> Backend:
        load = next(self._loads)
        self.loaded += 1
        if isinstance(load, Exception):
            raise load
        return load


def test_a_hang_is_told_to_everybody_and_the_model_loaded_anew():
    async def scenario():
        hanging = Guarded()
        load = Flaky(hanging, ScriptedBackend())
        async with running(load, hang=0.05) as engine:
            tasks = soon(engine, make_request("first"))
            await hanging.gate.reached()
            tasks += soon(engine, make_request("second"), make_request("file", Kind.BULK))
            assert await outcomes(tasks) == ["engine-failed"] * 3
            assert await outcomes(soon(engine, make_request("next"))) == ["next"]
            assert load.loaded == 2
        hanging.gate.open()

    asyncio.run(scenario())


def test_replicas_decode_side_by_side_and_each_hands_out_what_is_done():
    async def scenario():
        slow = Gate()

        def answer(request: Request) -> Result:
            if request.id == "slow":
                slow()
            return echo(request)

        backend = ScriptedBackend(answer)
        backend.info = replace(INFO, replicas=2)
        async with running(lambda: backend, bound=None) as engine:
            (held,) = soon(engine, make_request("slow", Kind.BULK))
            await slow.reached()
            assert await outcomes(soon(engine, make_request("quick", Kind.BULK))) == ["quick"]
            assert not held.done()
            slow.open()
            assert await outcomes([held]) == ["slow"]

    asyncio.run(scenario())


def test_a_hang_in_a_mate_of_a_poisoned_request_is_a_hang_too():
    async def scenario():
        gate, never = Gate(), Gate()

        def answer(request: Request) -> Result:
            if request.id == "first":
                gate()
            if request.id == "hang":
                never()
            return poisoned(request)

        load = Flaky(ScriptedBackend(answer), ScriptedBackend())
        async with running(load, hang=0.2) as engine:
            tasks = soon(engine, make_request("first"))
            await gate.reached()
            tasks += soon(engine, *map(make_request, ["poison", "hang", "mate"]))
            await asyncio.sleep(0)
            gate.open()
            assert await outcomes(tasks) == ["first"] + ["engine-failed"] * 3
            assert await outcomes(soon(engine, make_request("next"))) == ["next"]
        never.open()

    asyncio.run(scenario())


def test_loading_anew_is_tried_until_it_succeeds():
    async def scenario():
        hanging, again = Guarded(), Gate()

        def last_load() -> Backend:
            again()
            return ScriptedBackend()

        flaky = Flaky(hanging, RuntimeError("no device"), RuntimeError("still none"))
        load = [flaky, flaky, flaky, last_load]
        async with running(lambda: load.pop(0)(), hang=0.05, pause=0.01) as engine:
            assert await outcomes(soon(engine, make_request("first"))) == ["engine-failed"]
            # While it cannot be loaded nobody is kept waiting in vain.
            await again.reached()
            assert not engine.ready
            assert await outcomes(soon(engine, make_request("refused"))) == ["engine-failed"]
            again.open()
            while not engine.ready:  # noqa: ASYNC110 - soon, and it tells nobody
                await asyncio.sleep(0)
            assert await outcomes(soon(engine, make_request("next"))) == ["next"]
        hanging.gate.open()

    asyncio.run(scenario())


def test_who_waited_for_the_new_model_is_told_when_it_cannot_be_loaded():
    async def scenario():
        hanging, broken = Guarded(), Gate()

        def fail() -> Backend:
            broken()
            raise RuntimeError("no device")

        load = [lambda: hanging, fail]
        async with running(lambda: load.pop(0)(), hang=0.05, pause=60.0) as engine:
            assert await outcomes(soon(engine, make_request("first"))) == ["engine-failed"]
            await broken.reached()
            waiting = soon(engine, make_request("second"))
            await asyncio.sleep(0)
            broken.open()
            assert await outcomes(waiting) == ["engine-failed"]
        hanging.gate.open()

    asyncio.run(scenario())


def test_a_first_load_that_fails_is_raised_and_answered():
    async def scenario():
        gate = Gate()

        def fail() -> Backend:
            gate()
            raise RuntimeError("no device")

        engine = LocalEngine(fail, INFO)
        starting = asyncio.create_task(engine.start())
        waiting = soon(engine, make_request("early"))
        await gate.reached()
        gate.open()
        with pytest.raises(RuntimeError, match="no device"):
            await starting
        assert await outcomes(waiting) == ["engine-failed"]
        assert await outcomes(soon(engine, make_request("late"))) == ["engine-failed"]
        assert not engine.ready
        await engine.close()

    asyncio.run(scenario())


# Closing


def test_closing_answers_who_waits_and_who_is_decoded():
    async def scenario():
        backend = Guarded()
        async with running(lambda: backend) as engine:
            tasks = soon(engine, make_request("begun"))
            await backend.gate.reached()
            tasks += soon(engine, make_request("waiting"))
            await asyncio.sleep(0)
            closing = asyncio.create_task(engine.close())
            assert await outcomes(tasks) == ["shutting-down"] * 2
            assert not closing.done()  # the decode is let finish
            backend.gate.open()
            await closing
        assert backend.batches == [["begun"]]

    asyncio.run(scenario())


def test_closing_does_not_wait_long_for_a_model_that_loads():
    gate = Gate()

    async def scenario():
        engine = LocalEngine(lambda: gate() or ScriptedBackend(), INFO, patience=0.01)
        starting = asyncio.create_task(engine.start())
        waiting = soon(engine, make_request())
        await gate.reached()
        await engine.close()
        assert await outcomes(waiting) == ["shutting-down"]
        gate.open()
        with pytest.raises(EngineError):
            await starting
        assert await outcomes(soon(engine, make_request())) == ["shutting-down"]

    asyncio.run(scenario())


def test_a_load_that_is_soon_done_is_waited_for(caplog):
    gate = Gate()

    async def scenario():
        engine = LocalEngine(lambda: gate() or ScriptedBackend(), INFO)
        starting = asyncio.create_task(engine.start())
        await gate.reached()
        starting.cancel()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        assert not closing.done()
        gate.open()
        await closing
        assert not caplog.records

    asyncio.run(scenario())


def test_a_load_given_up_does_not_disturb_when_it_ends(caplog):
    gate, threads = Gate(), []

    def load() -> Backend:
        threads.append(threading.current_thread())
        gate()
        return ScriptedBackend()

    async def scenario():
        engine = LocalEngine(load, INFO, patience=0.01)
        starting = asyncio.create_task(engine.start())
        await gate.reached()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await engine.close()

    asyncio.run(scenario())
    gate.open()
    threads[0].join(60)
    assert not threads[0].is_alive()
    assert [record.message for record in caplog.records] == [
        "stopped while the model was still at work"
    ]


# Attempts


def doubtful(request: Request) -> Result:
    return Result(hypothesis(f"{request.id}-{request.attempt}", plausible=False))


def test_a_doubtful_answer_is_tried_again_with_more_care():
    async def scenario():
        backend = ScriptedBackend(doubtful)
        async with running(lambda: backend) as engine:
            request = make_request("a", prompt=Prompt("names", "before"), prefix=(1, 2))
            result = await engine.decode(request)
        assert result.attempts == 3
        assert result.hypothesis.words[0].text == " a-2"
        first, second, third = (batch[0] for batch in backend.batches)
        assert (first.prompt, first.beam_size) == (Prompt("names", "before"), 1)
        assert (second.prompt, second.beam_size) == (Prompt(), 1)
        assert (third.prompt, third.beam_size) == (Prompt(), 5)
        assert {one.prefix for one in (first, second, third)} == {(1, 2)}

    asyncio.run(scenario())


def test_an_attempt_that_is_believed_is_the_last():
    def better(request: Request) -> Result:
        return Result(hypothesis("a", plausible=request.attempt == 1))

    async def scenario():
        async with running(lambda: ScriptedBackend(better)) as engine:
            assert (await engine.decode(make_request())).attempts == 2

    asyncio.run(scenario())


def test_a_doubtful_partial_is_not_worth_another_attempt():
    async def scenario():
        async with running(lambda: ScriptedBackend(doubtful)) as engine:
            assert (await engine.decode(make_request(kind=Kind.PARTIAL))).attempts == 1

    asyncio.run(scenario())


def test_an_attempt_keeps_its_place_and_its_deadline():
    async def scenario():
        backend = Guarded(lambda r: doubtful(r) if r.id == "a" else echo(r))
        async with running(lambda: backend, max_batch=1) as engine:
            tasks = soon(engine, make_request("a"))
            await backend.gate.reached()
            tasks += soon(engine, make_request("b"))
            await asyncio.sleep(0)
            backend.gate.open()
            await outcomes(tasks)
        assert backend.batches == [["a"], ["a"], ["a"], ["b"]]

    asyncio.run(scenario())
