"""How utterances begin: profiles, languages, names, admission, and what satellites remember."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.doubles import INFO, LoudnessVad, ScriptedEngine
from tests.session.test_context import Clock
from tests.session.test_utterance import FORMAT, LOOSE, loud, outcome, quiet
from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.languages import LANGUAGES
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.api import Capacity, Request
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.session.asked import Asked, Refused
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.events import Failed, Final
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session


def within(scenario: Callable[..., object], *args: object, **options: object) -> None:
    """Run a scenario with a session whose engine answers "hello"."""

    async def run() -> None:
        clock = Clock()
        engine = ScriptedEngine(lambda request: "hello")
        service = VadService(LoudnessVad())
        session = Session(engine, service, [LOOSE], ContextOptions(**options), clock=clock)
        try:
            await scenario(session, engine, clock, *args)
        finally:
            await service.close()

    asyncio.run(run())


async def say(session: Session, profile: Profile, asked: Asked) -> tuple[Final | Failed, Request]:
    """Speak for a second; returns the outcome and the last request."""
    utterance = session.begin(profile, asked)
    utterance.feed(loud(1.0), FORMAT)
    utterance.end()
    last = await outcome(utterance)
    await utterance.close()
    return last, session._engine.seen[-1]


# Languages

EVERY = tuple(code for code in LANGUAGES if code != "yue")


@pytest.mark.parametrize(
    ("known", "profile", "asked", "decoded"),
    [
        (("en", "de"), Profile(), "en", ("en",)),
        (("en", "de"), Profile(), "en-US", ("en",)),
        (("en", "de"), Profile(), "de_AT", ("de",)),
        (("en", "de"), Profile(), "", ("en", "de")),
        (("en", "de"), Profile(), "auto", ("en", "de")),
        (("en", "de"), Profile(language="de"), "", ("de",)),
        (("en", "de"), Profile(language="de"), "en", ("en",)),
        (("en", "de"), Profile(language="de"), "auto", ("en", "de")),
        (("en", "de"), Profile(languages=("de", "en")), "en", ("de", "en")),
        (("en", "de"), Profile(languages=("de", "en")), "fr", ("de", "en")),
        (("en",), Profile(), "", ("en",)),
        (EVERY, Profile(), "", ()),
        (EVERY, Profile(), "zh-Hans-CN", ("zh",)),
    ],
)
def test_the_language_is_the_clients_unless_the_profile_allows_several(
    known, profile, asked, decoded
):
    async def scenario(session, engine, clock):
        engine.info = replace(INFO, languages=known)
        _, request = await say(session, profile, Asked("kitchen", language=asked))
        assert request.languages == decoded

    within(scenario)


@pytest.mark.parametrize("asked", ["fr", "fr-CA", "xx", "klingon", "-", "en;de", "d" * 1000])
def test_a_language_that_the_model_lacks_is_refused(asked):
    async def scenario(session, engine, clock):
        with pytest.raises(Refused) as refused:
            session.begin(LOOSE, Asked(language=asked))
        assert refused.value.code == "unsupported-language"
        assert session.running == 0

    within(scenario)


# Admission and urgency


@pytest.mark.parametrize(("endpointing", "due"), [("off", None), ("early", 0.0)])
def test_where_we_find_the_end_the_speculative_final_is_waited_for(endpointing, due):
    profile = Profile(streaming=Streaming(endpointing=endpointing))

    async def scenario(session, engine, clock):
        utterance = session.begin(profile, Asked("kitchen"))
        utterance.feed(loud(1.0) + quiet(0.4), FORMAT)
        while not any(r.kind is Kind.SPECULATIVE for r in engine.seen):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert engine.seen[-1].due == due
        await utterance.close()

    within(scenario)


@pytest.mark.parametrize(("lasted", "ahead"), [(0.0, 2.0), (1.0, 1.0), (2.0, 0.0), (9.0, 0.0)])
def test_audio_that_comes_faster_than_it_is_spoken_may_wait_so_much_longer(lasted, ahead):
    async def scenario(session, engine, clock):
        utterance = session.begin(LOOSE, Asked("kitchen"))
        utterance.feed(loud(0.032), FORMAT)
        clock.now += lasted
        utterance.feed(loud(3.0 - 0.032), FORMAT)
        utterance.end()
        await outcome(utterance)
        await utterance.close()
        assert engine.seen[-1].kind is Kind.FINAL
        assert engine.seen[-1].ahead == pytest.approx(ahead, abs=0.05)

    within(scenario)


def test_who_listens_on_without_speaking_keeps_nothing_waiting():
    async def scenario(session, engine, clock):
        utterance = session.begin(LOOSE, Asked("kitchen"))
        waiting = asyncio.create_task(session.quiet())
        utterance.feed(loud(0.5) + quiet(4.0), FORMAT)
        await asyncio.sleep(0)
        assert not waiting.done()
        utterance.feed(quiet(2.0), FORMAT)
        await waiting
        assert session.running == 1
        utterance.feed(loud(0.5), FORMAT)
        while not session.speaking:  # noqa: ASYNC110 - until it is judged
            await asyncio.sleep(0)
        again = asyncio.create_task(session.quiet())
        await asyncio.sleep(0)
        assert not again.done()
        await utterance.close()
        await again

    within(scenario)


def test_too_many_at_once_are_refused_at_their_begin():
    async def scenario(session, engine, clock):
        first, _ = (session.begin(LOOSE, Asked(name)) for name in ("kitchen", "hall"))
        with pytest.raises(Refused) as refused:
            session.begin(LOOSE, Asked("bath"))
        assert refused.value.code == "overloaded"
        await first.close()
        third = session.begin(LOOSE, Asked("bath"))
        assert session.running == 2
        await third.close()

    within(scenario, max_utterances=2)


@pytest.mark.parametrize("options", [{"max_speakers": 1}, {}])
def test_more_speakers_than_the_machine_carries_are_refused(options):
    async def scenario(session, engine, clock):
        if not options:
            engine.capacity = Capacity(with_partials=1, finals=1)
        first = session.begin(LOOSE, Asked("kitchen"))
        with pytest.raises(Refused) as refused:
            session.begin(LOOSE, Asked("hall"))
        assert refused.value.code == "overloaded"
        # Who has long been silent does not speak.
        first.feed(loud(1.0) + quiet(10.0), FORMAT)
        while first.speaking:  # noqa: ASYNC110 - soon, and it tells nobody
            await asyncio.sleep(0)
        second = session.begin(LOOSE, Asked("hall"))
        await first.close()
        await second.close()

    within(scenario, **options)


def test_on_the_last_rung_nobody_begins_and_who_speaks_is_answered():
    async def scenario(session, engine, clock):
        first = session.begin(LOOSE, Asked("kitchen"))
        engine.rung = Rung.REFUSING
        with pytest.raises(Refused) as refused:
            session.begin(LOOSE, Asked("hall"))
        assert refused.value.code == "overloaded"
        first.feed(loud(1.0), FORMAT)
        first.end()
        assert (await outcome(first)).text == "hello"
        await first.close()

    within(scenario)


def test_after_stop_nobody_begins_and_the_rest_finish():
    async def scenario(session, engine, clock):
        utterance = session.begin(LOOSE, Asked("kitchen"))
        session.stop()
        with pytest.raises(Refused) as refused:
            session.begin(LOOSE, Asked("hall"))
        assert refused.value.code == "shutting-down"
        idle = asyncio.create_task(session.idle())
        utterance.feed(loud(1.0), FORMAT)
        utterance.end()
        assert (await outcome(utterance)).text == "hello"
        assert not idle.done()
        await utterance.close()
        await idle

    within(scenario)


def test_the_engine_says_whether_the_session_is_ready():
    async def scenario(session, engine, clock):
        engine.ready = False
        assert not session.ready
        assert session.info is engine.info

    within(scenario)


# What a profile means for the decodes


def test_a_profile_reaches_every_request():
    async def scenario(session, engine, clock):
        profile = replace(
            LOOSE,
            task="translate",
            beam_size=5,
            initial_prompt="Titles of jazz records.",
            names=("Coltrane",),
        )
        utterance = session.begin(profile, Asked("kitchen", names=("Monk",)))
        utterance.feed(loud(1.0), FORMAT)
        while not engine.seen:  # noqa: ASYNC110 - soon, and it tells nobody
            await asyncio.sleep(0)
        utterance.end()
        await outcome(utterance)
        await utterance.close()
        partial, final = engine.seen[0], engine.seen[-1]
        assert (partial.kind, partial.beam_size) == (Kind.PARTIAL, 1)
        assert (final.kind, final.beam_size) == (Kind.FINAL, 5)
        for request in (partial, final):
            assert request.task == "translate"
            assert request.prompt.pinned == "Monk, Coltrane. Titles of jazz records."
            assert request.satellite == "kitchen"

    within(scenario)


def test_who_wants_no_partials_gets_none_and_costs_none():
    async def scenario(session, engine, clock):
        utterance = session.begin(LOOSE, Asked("kitchen", partials=False))
        utterance.feed(loud(3.0) + quiet(0.5), FORMAT)
        utterance.end()
        events = [event async for event in utterance.events()]
        await utterance.close()
        assert [type(event) for event in events] == [Final]
        assert all(request.kind is not Kind.PARTIAL for request in engine.seen)

    within(scenario)


def test_request_names_are_unique_over_all_utterances():
    async def scenario(session, engine, clock):
        for name in ("kitchen", "hall", "kitchen"):
            await say(session, LOOSE, Asked(name))
        names = [request.id for request in engine.seen]
        assert len(names) == len(set(names))

    within(scenario)


# Memory


def test_a_dictation_goes_on_from_its_last_text():
    async def scenario(session, engine, clock):
        asked = Asked("kitchen")
        _, first = await say(session, LOOSE, asked)
        _, second = await say(session, LOOSE, asked)
        clock.now += 11
        _, third = await say(session, LOOSE, asked)
        assert [r.prompt.recent for r in (first, second, third)] == ["", "hello", ""]

    within(scenario)


def test_languages_heard_become_likely_for_that_satellite_only():
    async def scenario(session, engine, clock):
        await say(session, LOOSE, Asked("kitchen"))
        _, again = await say(session, LOOSE, Asked("kitchen"))
        _, other = await say(session, LOOSE, Asked("hall"))
        assert dict(again.likely)["en"] > 0
        assert other.likely == ()
        assert other.prompt.recent == ""

    within(scenario)


def test_somebody_without_a_name_is_not_remembered():
    async def scenario(session, engine, clock):
        await say(session, LOOSE, Asked())
        _, again = await say(session, LOOSE, Asked())
        assert again.likely == ()
        assert again.prompt.recent == ""
        assert len(session._contexts) == 0

    within(scenario)


def test_who_is_forgotten_while_speaking_leaves_nothing():
    async def scenario(session, engine, clock):
        utterance = session.begin(LOOSE, Asked("kitchen"))
        utterance.feed(loud(1.0), FORMAT)
        session.forget("kitchen")
        utterance.end()
        await outcome(utterance)
        await utterance.close()
        assert len(session._contexts) == 0

    within(scenario)


def test_an_utterance_without_an_answer_leaves_the_memory_as_it_was():
    async def scenario(session, engine, clock):
        await say(session, LOOSE, Asked("kitchen"))
        utterance = session.begin(LOOSE, Asked("kitchen"))
        utterance.feed(loud(1.0), FORMAT)
        await utterance.close()
        _, again = await say(session, LOOSE, Asked("kitchen"))
        assert again.prompt.recent == "hello"

    within(scenario)


def test_no_words_are_logged(caplog):
    async def scenario(session, engine, clock):
        await say(session, LOOSE, Asked("kitchen"))

    with caplog.at_level("DEBUG"):
        within(scenario)
    assert "kitchen" in caplog.text
    assert "hello" not in caplog.text


# What is counted


def test_utterances_are_counted_by_what_became_of_them():
    def counted() -> list[float]:
        return [
            metrics.REGISTRY.get_sample_value(f"streamwhisper_{name}", labels) or 0.0
            for name, labels in (
                ("utterances_total", {"outcome": "answered"}),
                ("utterances_total", {"outcome": "dropped"}),
                ("utterances_total", {"outcome": "some-code"}),
                ("refused_total", {"code": "overloaded"}),
                ("answer_seconds_count", {}),
                ("words_total", {}),
            )
        ]

    async def scenario(session, engine, clock):
        before = counted()
        await say(session, LOOSE, Asked("kitchen"))
        dropped, failed = (session.begin(LOOSE, Asked(name)) for name in ("hall", "bath"))
        with pytest.raises(Refused):
            session.begin(LOOSE, Asked("attic"))
        failed.fail("some-code", "as the script says")
        for utterance in (dropped, failed):
            await utterance.close()
        assert [b - a for a, b in zip(before, counted(), strict=True)] == [1, 1, 1, 1, 1, 1]
        assert metrics.REGISTRY.get_sample_value("streamwhisper_utterances_running") == 0

    within(scenario, max_utterances=2)
