"""The service: every frame judged once, in order, in company, and each stream for itself."""

import asyncio
import gc
import weakref
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import Gate, LoudnessVad
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine.api import Vad
from wyoming_streamwhisper.engine.vad import VadService


class Ear:
    """What one stream was told."""

    def __init__(self, service: VadService) -> None:
        self.heard: list[float] = []
        self.failed = 0
        self.stream = service.stream(self.heard.extend, self._fail)

    def _fail(self) -> None:
        self.failed += 1


def serving(vad: Vad, scenario: Callable[[VadService], object]) -> None:
    async def run() -> None:
        service = VadService(vad)
        try:
            await scenario(service)
        finally:
            await service.close()

    asyncio.run(run())


async def settled(service: VadService) -> None:
    """Wait until everything that was fed is judged."""
    while not service.idle:  # noqa: ASYNC110 - the turns of the loop are waited for
        await asyncio.sleep(0)


class CountingVad:
    """Answers with a number made of the stream's first sample and how many frames came before."""

    def __init__(self, most: float = float("inf")) -> None:
        self.most = most
        self.sizes: list[int] = []

    def new_state(self):
        return (np.zeros(1, np.float32),)

    def step(self, states, frames):
        self.sizes.append(len(frames))
        if frames.max() > self.most:
            raise RuntimeError("as the script says")
        chances = np.array([s[0][0] for s in states]) + frames[:, 0]
        return [(state[0] + 1,) for state in states], chances.astype(np.float32)


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 90), max_size=4), min_size=1, max_size=5),
    st.integers(1, 700),
)
def test_every_frame_is_judged_once_and_in_order(bursts, chunk):
    async def scenario(service: VadService) -> None:
        ears = [Ear(service) for _ in bursts]
        for ear, sizes in zip(ears, bursts, strict=True):
            for size in sizes:
                for _ in range(size):
                    ear.stream.feed(np.zeros(chunk, np.float32))
                await asyncio.sleep(0)
        await settled(service)
        for ear, sizes in zip(ears, bursts, strict=True):
            whole, rest = divmod(sum(sizes) * chunk, FRAME)
            assert ear.heard == list(range(whole))
            ear.stream.flush()
            await settled(service)
            assert ear.heard == list(range(whole + bool(rest)))
            ear.stream.flush()
            assert not ear.failed

    serving(CountingVad(), scenario)


def test_streams_share_their_calls():
    async def scenario(service: VadService) -> None:
        ears = [Ear(service) for _ in range(5)]
        for number, ear in enumerate(ears):
            ear.stream.feed(np.zeros((number + 1) * FRAME, np.float32))
        await settled(service)
        assert [len(ear.heard) for ear in ears] == [1, 2, 3, 4, 5]

    vad = CountingVad()
    serving(vad, scenario)
    assert vad.sizes == [5, 4, 3, 2, 1]


def test_a_closed_stream_hears_nothing_more():
    gate = Gate()

    class Held(LoudnessVad):
        def step(self, states, frames):
            gate()
            return super().step(states, frames)

    async def scenario(service: VadService) -> None:
        closed, kept = Ear(service), Ear(service)
        for ear in (closed, kept):  # so much that it is judged beside the loop
            ear.stream.feed(np.zeros(30 * FRAME, np.float32))
        await gate.reached()
        closed.stream.close()
        closed.stream.feed(np.zeros(FRAME, np.float32))
        gate.open()
        await settled(service)
        assert (len(closed.heard), len(kept.heard)) == (0, 30)

    serving(Held(), scenario)


def test_a_closed_stream_is_kept_by_nobody():
    async def scenario(service: VadService) -> None:
        ear = Ear(service)
        ear.stream.feed(np.zeros(FRAME, np.float32), 4 * FRAME)  # in vain
        ear.stream.close()
        left = weakref.ref(ear)
        del ear
        gc.collect()
        assert left() is None

    serving(CountingVad(), scenario)


def test_a_failing_network_is_told_to_the_stream_that_it_fails_for():
    async def scenario(service: VadService) -> None:
        poisoned, mate = Ear(service), Ear(service)
        poisoned.stream.feed(np.full(50 * FRAME, 9, np.float32))
        mate.stream.feed(np.zeros(50 * FRAME, np.float32))
        await settled(service)
        assert (poisoned.failed, mate.failed) == (1, 0)
        assert poisoned.heard == []
        assert mate.heard == list(range(50))
        poisoned.stream.feed(np.zeros(FRAME, np.float32))
        mate.stream.feed(np.zeros(FRAME, np.float32))
        await settled(service)
        assert (poisoned.failed, len(mate.heard)) == (1, 51)

    serving(CountingVad(most=1.0), scenario)


def test_a_listener_that_raises_fails_alone():
    async def scenario(service: VadService) -> None:
        failed: list[bool] = []

        def raising(chances: list[float]) -> None:
            raise ValueError("as the script says")

        bad = service.stream(raising, lambda: failed.append(True))
        good = Ear(service)
        for stream in (bad, good.stream):
            stream.feed(np.zeros(40 * FRAME, np.float32))
        await settled(service)
        assert failed == [True]
        assert len(good.heard) == 40

    serving(LoudnessVad(), scenario)


def test_frames_with_leeway_wait_for_company_or_for_more_of_them():
    async def scenario(service: VadService) -> None:
        patient, urgent = Ear(service), Ear(service)
        for _ in range(3):
            patient.stream.feed(np.zeros(FRAME, np.float32), 4 * FRAME)
            await settled(service)
        assert patient.heard == []
        urgent.stream.feed(np.zeros(FRAME, np.float32))
        await settled(service)
        assert (patient.heard, urgent.heard) == ([0, 1, 2], [0])
        patient.stream.feed(np.zeros(4 * FRAME + 1, np.float32), 4 * FRAME)
        await settled(service)
        assert len(patient.heard) == 7
        patient.stream.feed(np.zeros(FRAME - 1, np.float32), 4 * FRAME)
        patient.stream.flush()
        await settled(service)
        assert len(patient.heard) == 8

    serving(CountingVad(), scenario)


def test_a_burst_is_handed_out_piece_by_piece():
    handed: list[int] = []

    async def scenario(service: VadService) -> None:
        stream = service.stream(lambda chances: handed.append(len(chances)), lambda: None)
        stream.feed(np.zeros(15 * 16_000, np.float32))
        await settled(service)

    serving(LoudnessVad(), scenario)
    assert sum(handed) == 15 * 16_000 // FRAME
    assert max(handed) <= 32
