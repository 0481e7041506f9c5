"""Our own endpointing on real speech: the demo model, each answer there before the next frame."""

from dataclasses import replace

import numpy as np
import pytest

from tests.clips import CLIPS, Clip
from tests.engine.test_contract import demo_backend
from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.events import Closed, Event, Final
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.utterance import Effects, Utterance
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine.api import Backend, Request
from wyoming_streamwhisper.engine.silero import OnnxVad

SPEECH = [clip for clip in CLIPS if clip.kind != "noise"]
OPTIONS = Streaming(piece_min=1.0, carry_text=False)
"""What the daemon makes of the demo model's card."""


@pytest.fixture(scope="module")
def backend() -> Backend:
    return demo_backend()


def samples(clip: Clip, behind: float) -> Samples:
    """Return the sound with so many seconds of silence behind it."""
    sound = np.frombuffer(clip.pcm, "<i2").astype(np.float32) / 32768
    return np.concatenate([sound, np.zeros(int(behind * RATE), np.float32)])


def hear(backend: Backend, clip: Clip, options: Streaming) -> tuple[str, float]:
    """Return the text, and how many seconds of audio it took."""
    utterance, vad = Utterance(options), OnnxVad()
    state, sound = vad.new_state(), samples(clip, 3.0)
    events: list[Event] = []
    for frame in sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME):
        (state,), chances = vad.step([state], frame[None])
        utterance.audio(frame)
        utterance.speech(chances.tolist())
        while (effects := utterance.take()) != Effects():
            events += effects.events
            for wish in effects.wishes:
                audio = utterance.samples(wish)
                request = Request("", "", wish.kind, audio, (clip.language,), prefix=wish.prefix)
                utterance.result(wish.number, backend.decode([request])[0].hypothesis)
        if utterance.done:
            break
    final, closed = events[-1], [event for event in events if isinstance(event, Closed)]
    assert isinstance(final, Final)
    return final.text, closed[-1].end / RATE


@pytest.mark.parametrize("clip", SPEECH, ids=lambda clip: clip.name)
def test_a_sentence_is_answered_soon_and_a_pause_cuts_none(backend: Backend, clip: Clip) -> None:
    text, end = hear(backend, clip, replace(OPTIONS, endpointing="early"))
    assert text == clip.text
    spoken = len(clip.pcm) / 2 / RATE
    assert spoken + 0.2 < end < spoken + 0.8
