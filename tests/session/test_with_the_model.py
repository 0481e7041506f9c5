"""Sessions on the real engine, the demo model and the real voice activity detection."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from tests.doubles import INFO
from tests.engine.test_contract import demo_backend
from tests.engine.test_ctranslate2 import SAID, speech
from tests.session.test_utterance import FORMAT, everything
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.silero import OnnxVad
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.events import Event, Final, Partial
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

CHUNK = 2 * 1024


def pcm(clip: str) -> bytes:
    return (speech(clip) * 32767).astype(np.int16).tobytes()


async def hear(session: Session, clips: Sequence[str], profile: Profile) -> list[list[Event]]:
    """Let one satellite a clip speak, a chunk each in turn; returns what each was told."""
    utterances = [session.begin(profile, Asked(f"{clip} {i}")) for i, clip in enumerate(clips)]
    told = [asyncio.create_task(everything(utterance)) for utterance in utterances]
    sound = [pcm(clip) for clip in clips]
    for at in range(0, max(map(len, sound)), CHUNK):
        for utterance, data in zip(utterances, sound, strict=True):
            utterance.feed(data[at : at + CHUNK], FORMAT)
            if at + CHUNK >= len(data):
                utterance.end()
        await asyncio.sleep(0.01)  # what is fed at once leaves no time for partials
    events = await asyncio.gather(*told)
    for utterance in utterances:
        await utterance.close()
    return events


@pytest.mark.parametrize("rung", [Rung.LONGER_STEP, Rung.NO_PARTIALS, Rung.NO_SPECULATION])
def test_the_text_is_the_same_on_every_rung(rung):
    class Loaded(LocalEngine):
        rung = property(lambda self: rung)

    profile = Profile()

    async def scenario() -> None:
        engine = Loaded(demo_backend, INFO)
        service = VadService(OnnxVad())
        await engine.start()
        session = Session(engine, service, [profile], ContextOptions())
        try:
            told = await hear(session, list(SAID), profile)
        finally:
            await engine.close()
            await service.close()
        assert [events[-1].text for events in told] == list(SAID.values())

    asyncio.run(scenario())


@pytest.mark.parametrize("final", ["free", "consistent"])
def test_satellites_at_once_get_what_each_gets_alone(final):
    profile = Profile(streaming=Streaming(final=final))

    async def scenario() -> None:
        engine = LocalEngine(demo_backend, INFO)
        service = VadService(OnnxVad())
        await engine.start()
        session = Session(engine, service, [profile], ContextOptions())
        try:
            told = await hear(session, [*SAID, *SAID], profile)
        finally:
            await engine.close()
            await service.close()
        assert not engine._callers
        for clip, events in zip([*SAID, *SAID], told, strict=True):
            *partials, last = events
            assert all(isinstance(event, Partial) for event in partials)
            assert isinstance(last, Final)
            assert last.language == clip[8:10]
            if final == "free":
                assert last.text == SAID[clip]
            else:
                # Then it depends on what was sent, and on when; but it keeps to that.
                assert last.revision == 0
                assert all(last.text.startswith(event.text) for event in partials)

    asyncio.run(scenario())
