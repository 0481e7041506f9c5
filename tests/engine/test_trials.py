"""Trials: made when nobody needs the model, with the real one; what they find is kept."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.doubles import INFO, Gate, ScriptedBackend, hypothesis, make_request
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import Backend, Request, Result
from wyoming_streamwhisper.engine.cache import Findings
from wyoming_streamwhisper.engine.clip import Spoken
from wyoming_streamwhisper.engine.context import FLOOR, FULL, SHORT
from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend
from wyoming_streamwhisper.engine.evidence import Evidence, Standing
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.options import EngineOptions
from wyoming_streamwhisper.engine.trials import Trials

SAID = "Turn on the light in the kitchen."


def speech(languages: Sequence[str]) -> list[Spoken]:
    return [Spoken("en", SAID, np.zeros(16_000, np.float32))] * 8


async def at_once() -> None:
    """Nobody speaks."""


@dataclass
class Home:
    """An engine with trials, and how long its trials rested."""

    engine: LocalEngine
    trials: Trials
    backend: ScriptedBackend
    rests: asyncio.Queue[float]
    rested: float = 0.0

    @property
    def asked(self) -> list[Request]:
        return [request for batch in self.backend.batches for request in batch]

    @property
    def finals(self) -> float:
        return self.trials.rule(self.engine).finals

    async def watch(self) -> None:
        await self.trials.test(self.engine, at_once)
        self.trials.start(self.engine, at_once)

    async def say(self, id: str, **more: object) -> Result:
        """Say something, and wait until it has been compared."""
        result = await self.engine.decode(make_request(id, **more))
        self.rested = await asyncio.wait_for(self.rests.get(), 20)
        return result


def answering(answer: Callable[[Request], str]) -> Callable[[Request], Result]:
    return lambda request: Result(hypothesis(answer(request), request.seconds))


@asynccontextmanager
async def home(
    answer: Callable[[Request], Result] | None = None,
    findings: Findings | None = None,
    backend: ScriptedBackend | None = None,
) -> AsyncIterator[Home]:
    backend = backend or ScriptedBackend(answer or answering(lambda request: SAID))
    rests: asyncio.Queue[float] = asyncio.Queue()

    trials = Trials(findings or Findings("test", None), speech=speech, sleep=rests.put)
    engine = LocalEngine(lambda: backend, INFO, trials=trials)
    try:
        await engine.start()
        trials.open(engine)
        yield Home(engine, trials, backend, rests)
    finally:
        await trials.close()
        await engine.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for is set in another thread
            await asyncio.sleep(0.001)


def test_a_self_test_decodes_each_clip_in_both_contexts_and_as_the_last_of_all():
    async def scenario():
        async with home() as at:
            await at.trials.test(at.engine, at_once)
            assert [request.context for request in at.asked] == [FULL, FLOOR] * 8
            assert {request.kind for request in at.asked} == {Kind.BULK}
            assert "0 of 56 words differ in 8 pairs" in at.trials.rule(at.engine).why
            # A second one has nothing to find.
            await at.trials.test(at.engine, at_once)
            assert len(at.asked) == 16

    asyncio.run(scenario())


def test_a_model_that_declares_what_it_stands_is_not_tried():
    async def scenario():
        backend = ScriptedBackend()
        backend.info = replace(INFO, context=SHORT)
        async with home(backend=backend) as at:
            at.trials.start(at.engine, at_once)
            await at.engine.decode(make_request("a"))
            assert [(request.id, request.context) for request in at.asked] == [("a", None)]

    asyncio.run(scenario())


def test_finals_become_short_once_enough_of_them_agree_and_full_again_when_they_differ():
    said = {"short": SAID}

    def answer(request: Request) -> str:
        return said["short"] if request.context == FLOOR else SAID

    async def scenario():
        async with home(answering(answer)) as at:
            await at.watch()
            for number in range(40):
                assert at.finals == FULL
                await at.say(f"u{number}")
            assert at.finals == FLOOR
            said["short"] = "Burn down the night in the chicken."
            for number in range(9):
                assert (await at.say(f"v{number}")).hypothesis.words[0].text == " Burn"
                if at.finals == FULL:
                    break
            assert at.finals == FULL
            assert (await at.say("w")).hypothesis.words[0].text == " Turn"

    asyncio.run(scenario())


def test_what_is_compared_differs_in_nothing_but_its_context():
    async def scenario():
        async with home() as at:
            await at.watch()
            samples = np.ones(8000, np.float32)
            await at.say("a", kind=Kind.PIECE, samples=samples, languages=("de",), beam_size=3)
            for partial in (Kind.PARTIAL, Kind.BULK):
                await at.engine.decode(make_request("p", partial))
            real, again = [request for request in at.asked if request.samples is samples]
            assert (real.context, again.context) == (FULL, FLOOR)
            assert (again.languages, again.beam_size) == (("de",), 3)
            assert (again.kind, again.satellite) == (Kind.BULK, "")

    asyncio.run(scenario())


def test_audio_that_needs_the_full_context_is_not_compared():
    async def scenario():
        async with home() as at:
            await at.watch()
            await at.engine.decode(make_request("long", seconds=29.0))
            await at.say("short")
            assert [r.context for r in at.asked if r.seconds == 29.0] == [FULL]

    asyncio.run(scenario())


def test_a_short_answer_that_was_not_believed_counts_and_is_not_asked_for_a_third_time():
    async def scenario():
        def doubtful(request: Request) -> Result:
            believed = request.context != FLOOR or request.attempt > 0
            return Result(hypothesis(SAID, plausible=believed))

        async with home(doubtful) as at:
            at.trials._evidence = evidence = Evidence(Standing.SAFE)
            await at.watch()
            result = await at.say("a")
            assert (result.attempts, evidence.watched.rejected) == (2, 1)
            assert [request.id for request in at.asked] == ["a", "a"]

    asyncio.run(scenario())


def test_a_full_answer_that_was_not_believed_is_not_compared():
    async def scenario():
        def doubtful(request: Request) -> Result:
            return Result(hypothesis(SAID, plausible=request.attempt > 0))

        async with home(doubtful) as at:
            at.trials._evidence = evidence = Evidence(Standing.WATCHED)
            at.trials.start(at.engine, at_once)
            await at.say("a")
            assert evidence.watched.pairs == 0
            assert [request.id for request in at.asked] == ["a", "a"]

    asyncio.run(scenario())


def test_what_was_asked_before_the_model_was_known_is_not_compared():
    async def scenario():
        async with home() as at:
            at.trials._evidence = None
            early = at.trials.prepare(make_request("early"))
            at.trials._evidence = Evidence(Standing.WATCHED)
            at.trials.answered(early, Result(hypothesis(SAID)))
            assert early.context is None
            assert at.trials._heard is None

    asyncio.run(scenario())


def test_nothing_begins_while_somebody_speaks_or_waits():
    async def scenario():
        gate, silence = Gate(), asyncio.Event()

        class Held(ScriptedBackend):
            def decode(self, requests: Sequence[Request]) -> list[Result]:
                if requests[0].id == "real":
                    gate()
                return super().decode(requests)

        async with home(backend=Held(answering(lambda request: SAID))) as at:
            at.trials.start(at.engine, silence.wait)
            await asyncio.sleep(0.01)
            assert at.asked == []
            waiting = asyncio.create_task(at.engine.decode(make_request("real")))
            await gate.reached()
            silence.set()
            await asyncio.sleep(0.01)
            assert at.asked == []
            gate.open()
            await waiting
            await until(lambda: len(at.asked) >= 17)
            assert at.asked[0].id == "real"

    asyncio.run(scenario())


def test_comparisons_rest_for_nineteen_times_as_long_as_they_take():
    async def scenario():
        now = iter(range(0, 10_000, 2))
        async with home() as at:
            at.trials._clock = lambda: float(next(now))
            await at.watch()
            await at.say("a")
            assert at.rested == pytest.approx(19 * 2.0)

    asyncio.run(scenario())


def test_an_utterance_is_let_go_after_a_while(monkeypatch):
    monkeypatch.setattr("wyoming_streamwhisper.engine.trials._KEPT", 0.0)

    async def scenario():
        async with home() as at:
            at.trials._evidence = Evidence(Standing.WATCHED)
            await at.engine.decode(make_request("a"))
            assert at.trials._heard is not None
            await until(lambda: at.trials._heard is None)

    asyncio.run(scenario())


def test_a_failing_engine_ends_a_self_test_and_no_watch():
    async def scenario():
        failing = True

        def answer(request: Request) -> Result:
            if failing and request.kind is Kind.BULK:
                raise ValueError
            return Result(hypothesis(SAID))

        async with home(answer) as at:
            await at.trials.test(at.engine, at_once)
            assert at.trials.rule(at.engine).why == Standing.UNTRIED.value
            at.trials._evidence = evidence = Evidence(Standing.WATCHED)
            await at.watch()
            await at.say("a")
            assert evidence.watched.pairs == 0
            failing = False
            await at.say("b")
            assert evidence.watched.pairs == 1

    asyncio.run(scenario())


def test_what_was_found_is_found_again_and_holds_no_word(tmp_path: Path):
    findings = Findings("audio-context", tmp_path)

    async def why(fingerprint: str) -> str:
        backend = ScriptedBackend()
        backend.info = replace(INFO, fingerprint=fingerprint)
        async with home(findings=findings, backend=backend) as at:
            return at.trials.rule(at.engine).why

    async def watch():
        async with home(findings=findings) as at:
            await at.watch()
            await at.say("a")

    asyncio.run(watch())
    assert "0 of 7 words differ in 1 pairs" in asyncio.run(why(INFO.fingerprint))
    assert asyncio.run(why("of another model")) == Standing.UNTRIED.value
    (file,) = tmp_path.iterdir()
    kept = file.read_text()
    assert not any(word in kept.lower() for word in ("turn", "light", "kitchen"))
    file.write_text(kept.replace("WATCHED", "NONSENSE"))
    assert asyncio.run(why(INFO.fingerprint)) == Standing.UNTRIED.value


# With the real model


@pytest.fixture(scope="module")
def undeclared(tmp_path_factory) -> CTranslate2Backend:
    """Load the demo model as if nobody knew what it stands."""
    folder = tmp_path_factory.mktemp("undeclared")
    shutil.copytree(resolve(ModelOptions()).path, folder, dirs_exist_ok=True)
    (folder / "streamwhisper.json").unlink()
    found = resolve(ModelOptions(model=str(folder)))
    return CTranslate2Backend(found, EngineOptions(cpu_threads=1))


def found_of(backend: Backend) -> tuple[Evidence, list[Request]]:
    """Make the self-test with the bundled speech; the demo model knows two languages only."""

    async def scenario():
        spoken = clip.read_trial(("en", "de"))[:12:2]
        trials = Trials(Findings("test", None), speech=lambda languages: spoken)
        engine = LocalEngine(lambda: backend, INFO, trials=trials)
        await engine.start()
        trials.open(engine)
        await trials.test(engine, at_once)
        await engine.close()
        return trials._evidence

    return asyncio.run(scenario())


def test_the_demo_model_without_its_card_passes_and_is_watched(undeclared):
    evidence = found_of(undeclared)
    assert evidence.standing is Standing.WATCHED
    assert evidence.tested.wrong == 0
    assert evidence.doublings == 0


@pytest.mark.parametrize(
    ("from_frame", "standing"), [(100, Standing.BROKEN), (190, Standing.UNSAFE)]
)
def test_a_model_that_needs_its_padding_fails(undeclared, monkeypatch, from_frame, standing):
    right = undeclared._features

    def deaf_in_short(batch, frames):
        features = right(batch, frames)
        if frames < 3000:
            features[:, :, from_frame:] = 0.0
        return features

    monkeypatch.setattr(undeclared, "_features", deaf_in_short)
    assert found_of(undeclared).standing is standing
