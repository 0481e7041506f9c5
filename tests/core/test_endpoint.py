"""When the speaker has finished, by mode and sensitivity."""

import pytest

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.endpoint import Endpoint
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.voice import FRAME, Voice


def spoken(silence: float, *, words: bool = True) -> Voice:
    voice = Voice(0.5)
    voice.feed([0.9 if words else 0.0] * 20)
    voice.feed([0.0] * round(silence * RATE / FRAME))
    return voice


@pytest.mark.parametrize(
    ("mode", "sensitivity", "silence", "answered", "over"),
    [
        ("off", "default", 9.0, True, False),
        ("early", "default", 0.6, True, False),
        ("early", "default", 0.8, True, True),
        ("early", "default", 0.8, False, False),
        ("early", "aggressive", 0.5, True, True),
        ("own", "relaxed", 1.0, True, False),
        ("own", "relaxed", 1.4, True, True),
        ("own", "never heard of", 0.8, True, True),
    ],
)
def test_behind_speech(
    mode: str, sensitivity: str, silence: float, answered: bool, over: bool
) -> None:
    endpoint = Endpoint.of(Streaming(endpointing=mode), sensitivity)
    assert endpoint.reached(spoken(silence), answered=answered, spoken=True) is over


@pytest.mark.parametrize(("mode", "over"), [("off", False), ("early", False), ("own", True)])
def test_nobody_speaks(mode: str, over: bool) -> None:
    endpoint = Endpoint.of(Streaming(endpointing=mode, no_speech_timeout=2.0), "default")
    assert not endpoint.reached(spoken(1.0, words=False), answered=True, spoken=False)
    assert endpoint.reached(spoken(2.0, words=False), answered=True, spoken=False) is over
