"""Voice activity: both networks as their makers use them, and many streams at once."""

from functools import cache
from pathlib import Path

import faster_whisper
import numpy as np
import pytest
import soundfile
from faster_whisper.vad import SileroVADModel

from wyoming_streamwhisper.core.voice import FRAME, Voice
from wyoming_streamwhisper.engine.api import Vad
from wyoming_streamwhisper.engine.silero import make_vad

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
