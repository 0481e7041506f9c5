"""Voice activity: both networks as their makers use them, in batches, and as a service."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path

import faster_whisper
import numpy as np
import pytest
import soundfile
from faster_whisper.vad import SileroVADModel
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import Gate, LoudnessVad
from wyoming_streamwhisper.core.voice import FRAME, Voice
from wyoming_streamwhisper.engine.api import Vad
from wyoming_streamwhisper.engine.vad import VadService, make_vad

AUDIO = Path(__file__).parent / "audio"
CLIPS = sorted(path.stem for path in AUDIO.glob("*.flac"))
NETWORKS = ["onnx", "torch"]

# The package loads its network in a way that torch has begun to advise against.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@cache
def network(name: str) -> Vad:
    if name == "torch":
        pytest.importorskip("silero_vad", reason="the extra torch is not installed")
    return make_vad(name)


@cache
def frames_of(clip: str) -> np.ndarray:
    """Return [n, 512] of half a second of silence, the clip, and a second of silence."""
    speech = soundfile.read(AUDIO / f"{clip}.flac", dtype="float32")[0]
    audio = np.concatenate([np.zeros(8000, np.float32), speech, np.zeros(16000, np.float32)])
    return audio[: len(audio) - len(audio) % FRAME].reshape(-1, FRAME)


def alone(vad: Vad, frames: np.ndarray) -> np.ndarray:
    state, chances = vad.new_state(), []
    for frame in frames:
        (state,), chance = vad.step([state], frame[None])
        chances.append(chance[0])
    return np.array(chances)


# The networks


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("clip", CLIPS[:2])
def test_a_recording_is_judged_as_a_stream_is(name, clip):
    vad, frames = network(name), frames_of(clip)
    state, parts = vad.new_state(), []
    for part in (frames[:0], frames[:1], frames[1:40], frames[40:]):
        state, chances = vad.follow(state, part)
        parts.append(chances)
    assert np.allclose(np.concatenate(parts), alone(vad, frames), atol=1e-4)


@pytest.mark.parametrize("clip", CLIPS)
def test_onnx_is_what_faster_whisper_computes(clip):
    path = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
    # It sets the end of the last frame to zero in place, so it gets one more and a copy.
    frames = np.concatenate([frames_of(clip), np.zeros((1, FRAME), np.float32)])
    expected = SileroVADModel(str(path))(frames.reshape(-1).copy()).reshape(-1)
    assert np.abs(alone(network("onnx"), frames) - expected).max() < 1e-5


@pytest.mark.parametrize("clip", CLIPS)
def test_torch_is_what_its_package_computes(clip):
    vad = network("torch")
    import torch
    from silero_vad import load_silero_vad

    model = load_silero_vad()
    expected = [model(torch.from_numpy(frame), 16_000).item() for frame in frames_of(clip)]
    assert alone(vad, frames_of(clip)).tolist() == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_streams_in_company_are_judged_as_alone(name):
    vad = network(name)
    streams = [frames_of(clip) for clip in CLIPS * 3]
    # Each begins later than the one before, so that all are elsewhere.
    ends = [3 * i + len(frames) for i, frames in enumerate(streams)]
    states = [vad.new_state() for _ in streams]
    found: list[list[float]] = [[] for _ in streams]
    for step in range(max(ends)):
        active = [i for i, end in enumerate(ends) if 3 * i <= step < end]
        batch = np.stack([streams[i][step - 3 * i] for i in active])
        after, chances = vad.step([states[i] for i in active], batch)
        for i, state, chance in zip(active, after, chances, strict=True):
            states[i] = state
            found[i].append(chance)
    for frames, chances in zip(streams, found, strict=True):
        assert np.abs(alone(vad, frames) - chances).max() < 1e-5


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_leaves_the_states_it_got(name):
    vad = network(name)
    before = vad.new_state()
    frame = frames_of(CLIPS[0])[20][None]
    first = vad.step([before], frame)[1]
    assert all((part == 0).all() for part in before)
    assert vad.step([before], frame)[1] == first


def voiced(chances: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return for each frame whether somebody speaks, and where stretches begin, in frames."""
    voice, speaking = Voice(0.5), []
    for chance in chances:
        voice.feed([float(chance)])
        speaking.append(voice.speaking)
    return np.array(speaking), [stretch.start // FRAME for stretch in voice.stretches]


@pytest.mark.parametrize("clip", CLIPS)
def test_both_networks_hear_the_same_speech(clip):
    # Of different ages and trained anew, so they differ in numbers but not in what they decide.
    (a, begins_a), (b, begins_b) = (
        voiced(alone(network(name), frames_of(clip))) for name in NETWORKS
    )
    assert (a == b).mean() >= 0.95
    assert abs(begins_a[0] - begins_b[0]) <= 2
    assert a.any()
    assert not a[:10].any()
    assert not a[-5:].any()


def test_an_unknown_extra_is_an_import_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "silero_vad", None)
    with pytest.raises(ImportError):
        make_vad("torch")


# The service


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


@pytest.mark.parametrize("name", NETWORKS)
def test_a_burst_is_handed_out_piece_by_piece(name):
    handed: list[int] = []
    network(name)

    async def scenario(service: VadService) -> None:
        stream = service.stream(lambda chances: handed.append(len(chances)), lambda: None)
        stream.feed(np.zeros(15 * 16_000, np.float32))
        await settled(service)

    serving(network(name), scenario)
    assert sum(handed) == 15 * 16_000 // FRAME
    assert max(handed) <= 32
