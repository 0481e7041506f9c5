"""One utterance over a scripted speaker and model: what holds however the time passes."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.scripted import Run, Script, Spoken, check, scripts
from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.events import Closed, Failed, Final, Partial
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.core.utterance import Utterance
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.core.words import Hypothesis, Word

options = st.builds(
    Streaming,
    partials=st.booleans(),
    policy=st.sampled_from(["both", "alignatt", "local_agreement"]),
    piece_min=st.sampled_from([0.5, 3.0, 8.0]),
    piece_max=st.sampled_from([6.0, 24.0, 28.0]),
    piece_pause=st.sampled_from([0.3, 0.8]),
    settle=st.sampled_from([0.1, 0.2, 0.5]),
    carry_text=st.booleans(),
)


def said(*words: tuple[str, float, float], total: float) -> Script:
    spoken = tuple(
        Spoken(text.rstrip("."), int(a * RATE), int(b * RATE), text.endswith("."))
        for text, a, b in words
    )
    return Script(spoken, int(total * RATE))


def pieces(run: Run) -> list[str]:
    return [event.text for event in run.events if isinstance(event, Closed) and event.text]


COMMAND = said(
    ("turn", 0.5, 0.8), ("on", 0.8, 1.0), ("the", 1.0, 1.2), ("light.", 1.2, 1.8), total=2.6
)


@settings(max_examples=250)
@given(scripts, options, st.integers())
def test_final_does_not_depend_on_chunks_and_delays(
    script: Script, options: Streaming, seed: int
) -> None:
    prompt = Run(script, options).go()
    check(prompt)
    late = Run(script, options, random.Random(seed)).go()
    check(late)
    assert late.text == prompt.text
    assert pieces(late) == pieces(prompt)


@settings(max_examples=150)
@given(scripts, options, st.integers())
def test_final_does_not_depend_on_the_load(script: Script, options: Streaming, seed: int) -> None:
    calm = Run(script, options).go()
    loaded = Run(script, options, random.Random(seed), loaded=True).go()
    check(loaded)
    assert loaded.text == calm.text
    assert pieces(loaded) == pieces(calm)


@pytest.mark.parametrize("rung", Rung)
def test_each_rung_leaves_out_what_it_says(rung: Rung) -> None:
    utterance = Utterance(Streaming(piece_min=8.0))
    utterance.heed(rung)
    wished: list[tuple[Kind, int]] = []
    for frame in range(120):
        utterance.audio(np.zeros(512, np.float32))
        utterance.speech([0.99 if frame < 90 else 0.01])
        for wish in utterance.take().wishes:
            wished.append((wish.kind, wish.end))
            utterance.failed(wish.number, "engine-failed", "no")
    partials = [end for kind, end in wished if kind is Kind.PARTIAL]
    assert bool(partials) == (rung < Rung.NO_PARTIALS)
    if partials:
        assert (partials[1] - partials[0]) / RATE == pytest.approx(0.4 * rung.stretch, abs=0.04)
    assert (Kind.SPECULATIVE in dict(wished)) == (rung < Rung.NO_SPECULATION)


@settings(max_examples=150)
@given(scripts, options, st.integers())
def test_no_word_is_lost_or_doubled(script: Script, options: Streaming, seed: int) -> None:
    text = Run(script, options, random.Random(seed)).go().text
    heard = [word.rstrip("x") for word in text.replace(".", "").split() if word != "mm"]
    assert heard == script.whole_words()


@settings(max_examples=150)
@given(scripts, options, st.integers())
def test_consistent_never_takes_back(script: Script, options: Streaming, seed: int) -> None:
    run = Run(script, replace(options, final="consistent"), random.Random(seed)).go()
    check(run)
    assert isinstance(run.last, Final)
    assert run.last.revision == 0


@settings(max_examples=40)
@given(scripts, options, st.sets(st.sampled_from(list(Kind))), st.integers())
def test_failed_wishes(script: Script, options: Streaming, fails: set[Kind], seed: int) -> None:
    run = Run(script, options, random.Random(seed), frozenset(fails)).go()
    check(run)
    if isinstance(run.last, Failed):
        assert fails & {Kind.FINAL, Kind.PIECE}, "others can be done without"
        assert run.last.code == "engine-failed"
    elif not fails & {Kind.FINAL, Kind.PIECE, Kind.SPECULATIVE}:
        assert run.text == Run(script, options).go().text


@pytest.mark.parametrize("seconds", [0, 0.01, 1, 45])
def test_silence_is_empty_and_costs_nothing(seconds: float) -> None:
    run = Run(said(total=seconds), Streaming()).go()
    check(run)
    assert run.text == ""
    assert not run.wished
    assert not any(isinstance(event, Partial) for event in run.events)


def test_words_come_while_they_are_spoken_and_the_final_before_the_end() -> None:
    run = Run(COMMAND, Streaming()).go()
    shown = [(event.text, event.tail) for event in run.events if isinstance(event, Partial)]
    assert shown == [
        ("", "turn"),
        ("turn", " on the"),
        ("turn on the", " mm"),
        ("turn on the", " light."),
        ("turn on the light.", ""),
    ]
    assert [wish.kind for wish in run.wished].count(Kind.SPECULATIVE) == 1
    assert not any(wish.kind is Kind.FINAL for wish in run.wished)
    assert run.last == Final("turn on the light.", 0, "en", 1.0)


class Inventive(Script):
    """A model that hears a word too many while somebody speaks."""

    def decode(self, wish: Wish) -> Hypothesis:
        heard = (Word(" yes", 0.0, 0.5, 0.99, (1,)), Word(" uh", 0.5, 0.9, 0.99, (2,)))
        count = 2 if wish.kind is Kind.PARTIAL else 1
        return Hypothesis(heard[len(wish.prefix) : count], "en")


def test_what_was_sent_too_much_is_taken_back() -> None:
    run = Run(Inventive((Spoken("yes", 8000, 60_000, False),), 80_000), Streaming()).go()
    check(run)
    shown = [(e.text, e.tail, e.revision) for e in run.events if isinstance(e, Partial)]
    assert shown == [("", "yes uh", 0), ("yes", " uh", 0), ("yes uh", "", 0), ("yes", "", 1)]
    assert run.text == "yes"


def test_speculation_under_way_becomes_the_final() -> None:
    utterance = Utterance(Streaming(partials=False))
    utterance.audio(np.zeros(COMMAND.total, np.float32))
    utterance.speech(COMMAND.probabilities()[:-2])
    (wish,) = utterance.take().wishes
    assert wish.kind is Kind.SPECULATIVE
    utterance.stop()
    utterance.speech(COMMAND.probabilities()[-2:])
    effects = utterance.take()
    assert effects.urgent == (wish.number,)
    assert not effects.wishes
    utterance.result(wish.number, COMMAND.decode(wish))
    assert isinstance(utterance.take().events[-1], Final)


def test_voice_activity_has_time_but_in_pauses_and_before_partials() -> None:
    utterance = Utterance(Streaming(settle=0.2, step=0.4))
    assert utterance.leeway == 1600
    utterance.audio(np.zeros(4 * FRAME, np.float32))
    utterance.speech([1.0] * 4)
    assert utterance.leeway == 1600
    utterance.audio(np.zeros(8 * FRAME, np.float32))
    assert utterance.leeway == 6400 - 12 * FRAME
    utterance.audio(np.zeros(FRAME, np.float32))
    assert utterance.leeway == 0
    utterance.speech([1.0] * 9)
    assert [wish.kind for wish in utterance.take().wishes] == [Kind.PARTIAL]
    assert utterance.leeway == 1600
    utterance.audio(np.zeros(FRAME, np.float32))
    utterance.speech([0.0])
    assert utterance.leeway == 0


def test_a_sentence_ends_a_piece_and_what_goes_on_does_not() -> None:
    two = said(("stop.", 0.5, 2.0), ("play", 2.3, 2.8), ("jazz.", 2.8, 3.4), total=4.2)
    run = Run(two, Streaming(piece_min=1.0)).go()
    assert pieces(run) == ["stop.", "play jazz."]
    one = said(("stop", 0.5, 2.0), ("it", 2.3, 2.8), ("now.", 2.8, 3.4), total=4.2)
    run = Run(one, Streaming(piece_min=1.0)).go()
    assert pieces(run) == ["stop it now."]


def test_memory_does_not_grow_with_length() -> None:
    words = tuple(Spoken(f"w{i}", 8000 * i, 8000 * i + 6000, i % 7 == 6) for i in range(400))
    run = Run(Script(words, 8000 * 400), Streaming()).go()
    check(run)
    assert run.text.replace(".", "").split() == [word.text for word in words]
    assert len(run.utterance._hearing.voice.stretches) < 100


@pytest.mark.parametrize(("mode", "ends"), [("off", False), ("early", True), ("own", True)])
def test_endpointing(mode: str, ends: bool) -> None:
    script = Script(COMMAND.words, 10 * RATE)
    run = Run(script, Streaming(endpointing=mode)).go()
    closed = [event for event in run.events if isinstance(event, Closed)][-1].end
    assert run.text == "turn on the light."
    assert (closed < 3 * RATE) is ends


@pytest.mark.parametrize(
    ("last", "silence"), [("light.", 0.35), ("light", 1.15)], ids=["whole", "unfinished"]
)
def test_the_text_decides_how_much_silence_ends_it(last: str, silence: float) -> None:
    script = said(("a", 0.5, 0.8), ("b", 0.8, 1.2), (last, 1.2, 1.8), total=9)
    run = Run(script, Streaming(endpointing="own")).go()
    closed = [event for event in run.events if isinstance(event, Closed)][-1].end
    assert closed / RATE == pytest.approx(1.8 + silence, abs=0.06)


def test_pauses_do_not_add_up() -> None:
    words = [(f"w{n}", 1.5 * n + 0.5, 1.5 * n + 1.1) for n in range(6)]
    run = Run(said(*words, total=15), Streaming(endpointing="own")).go()
    assert run.text == "w0 w1 w2 w3 w4 w5"


def test_an_answer_that_does_not_come_keeps_nobody_waiting() -> None:
    script = Script(COMMAND.words, 20 * RATE)
    fails = frozenset((Kind.SPECULATIVE, Kind.PARTIAL))
    run = Run(script, Streaming(endpointing="own"), fails=fails).go()
    assert run.text == "turn on the light."
    assert [event for event in run.events if isinstance(event, Closed)][-1].end < 4 * RATE


def test_a_cough_is_no_utterance() -> None:
    cough, word = Spoken("", 8_000, 12_000, False), Spoken("stop", 64_000, 70_000, True)
    script = Script((cough, word), 10 * RATE)
    run = Run(script, Streaming(endpointing="own")).go()
    assert run.text == "stop."
    assert [event for event in run.events if isinstance(event, Closed)][-1].end < 6 * RATE


@pytest.mark.parametrize(("mode", "ends"), [("off", False), ("early", False), ("own", True)])
def test_nobody_speaks(mode: str, ends: bool) -> None:
    run = Run(said(total=20), Streaming(endpointing=mode, no_speech_timeout=5)).go()
    closed = [event for event in run.events if isinstance(event, Closed)][-1].end
    assert run.text == ""
    assert (closed < 6 * RATE) is ends
