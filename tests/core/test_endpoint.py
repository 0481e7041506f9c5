"""When the speaker has finished: by mode, text and sensitivity."""

import pytest

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.endpoint import Endpoint, Text, judge
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.voice import FRAME, Voice
from wyoming_streamwhisper.core.words import Hypothesis, Word


def spoken(silence: float, *, words: bool = True) -> Voice:
    voice = Voice(0.5)
    voice.feed([0.9 if words else 0.0] * 20)
    voice.feed([0.0] * round(silence * RATE / FRAME))
    return voice


def heard(text: str, last: float = 0.99, end: float = 0.99, language: str = "en") -> Hypothesis:
    words = [Word(f" {word}", 0.0, 1.0, 0.99, (1,)) for word in text.split()]
    if text[-1:] in ".?!":
        words[-1] = Word(words[-1].text[:-1], 0.0, 1.0, 0.99, (1,))
        words.append(Word(text[-1], 1.0, 1.0, last, (2,)))
    return Hypothesis(tuple(words), language, end=end)


@pytest.mark.parametrize(
    ("hypothesis", "text"),
    [
        (heard("Turn on the light."), Text.COMPLETE),
        (heard("Is it cold?"), Text.COMPLETE),
        (heard("The meeting is on March 25.", end=0.45), Text.UNCLEAR),
        (heard("Turn on the.", last=0.5), Text.UNCLEAR),
        (heard("Stop."), Text.UNCLEAR),
        (Hypothesis(heard("Turn on the light.").words, "en", plausible=False), Text.UNCLEAR),
        (heard("Turn on the"), Text.UNFINISHED),
        (heard("I think,"), Text.UNFINISHED),
        (heard("Die Besprechung ist am 25.", end=0.45, language="de"), Text.UNFINISHED),
        (heard("Weck mich um 8 Uhr 35.", language="de"), Text.UNCLEAR),
    ],
)
def test_what_a_text_says(hypothesis: Hypothesis, text: Text) -> None:
    assert judge(hypothesis) is text


@pytest.mark.parametrize(
    ("sensitivity", "text", "silence"),
    [
        ("default", Text.COMPLETE, 0.3),
        ("default", Text.UNCLEAR, 0.7),
        ("default", Text.UNFINISHED, 1.1),
        ("aggressive", Text.UNCLEAR, 0.42),
        ("relaxed", Text.COMPLETE, 1.26),
        ("relaxed", Text.UNFINISHED, 1.98),
        ("never heard of", Text.UNCLEAR, 0.7),
    ],
)
@pytest.mark.parametrize("mode", ["early", "own"])
def test_behind_speech(mode: str, sensitivity: str, text: Text, silence: float) -> None:
    endpoint = Endpoint.of(Streaming(endpointing=mode), sensitivity)
    assert not endpoint.reached(spoken(silence - 0.05), text, waiting=False)
    assert endpoint.reached(spoken(silence + 0.05), text, waiting=False)
    assert not endpoint.reached(spoken(silence + 0.05), text, waiting=True)


def test_nothing_ends_what_the_client_is_to_end() -> None:
    assert not Endpoint.of(Streaming(), "default").reached(spoken(99), Text.COMPLETE, waiting=False)


def test_who_may_just_begin_to_speak_again_has_not_finished() -> None:
    voice = spoken(1.0)
    voice.feed([0.9])
    endpoint = Endpoint.of(Streaming(endpointing="own"), "default")
    assert not endpoint.reached(voice, Text.COMPLETE, waiting=False)
    voice.feed([0.0])
    assert endpoint.reached(voice, Text.COMPLETE, waiting=False), "it was a click"


@pytest.mark.parametrize("words", [False, True], ids=["silence", "cough"])
@pytest.mark.parametrize(("mode", "over"), [("off", False), ("early", False), ("own", True)])
def test_nobody_speaks(mode: str, over: bool, words: bool) -> None:
    endpoint = Endpoint.of(Streaming(endpointing=mode, no_speech_timeout=3.0), "default")
    assert not endpoint.reached(spoken(2.0, words=words), None, waiting=False)
    assert endpoint.reached(spoken(3.0, words=words), None, waiting=False) is over


@pytest.mark.parametrize(("mode", "over"), [("off", False), ("early", False), ("own", True)])
def test_who_never_stops(mode: str, over: bool) -> None:
    voice = Voice(0.5)
    voice.feed([0.9] * (6 * RATE // FRAME))
    endpoint = Endpoint.of(Streaming(endpointing=mode, end_latest=5.0), "default")
    assert endpoint.reached(voice, None, waiting=True) is over
