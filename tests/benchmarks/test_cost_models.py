"""Cost models built from the packaged demo model compute what it computes."""

from pathlib import Path

import ctranslate2
import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from benchmarks.cost_models import DEMO, build, main
from benchmarks.ct2_weights import read_state
from tests.clips import CLIPS, TURN_ON, Clip
from tools.demo_model.sizes import SIZES
from tools.demo_model.widening import resized

SIZE = "base"
LONGEST = 64
"""Tokens; no clip has as many."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the demo model in float32 from the same codes as the cost models."""
    return build(tmp_path_factory.mktemp("demo"), "demo", ["ct2-float32"])[0]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build models of base cost in one folder."""
    out = tmp_path_factory.mktemp(SIZE)
    build(out, SIZE, ["ct2-int8", "ct2-float32"])
    return out


def loaded(folder: Path, kind: str) -> ctranslate2.models.Whisper:
    return ctranslate2.models.Whisper(str(folder), compute_type=kind, intra_threads=1)


def heard(clip: Clip) -> ctranslate2.StorageView:
    audio = np.frombuffer(clip.pcm, "<i2").astype(np.float32) / 32768
    features: NDArray[np.float32] = FeatureExtractor()(audio)
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None]))


def decoded(
    model: ctranslate2.models.Whisper, clip: Clip, *, logits: bool = False
) -> ctranslate2.models.WhisperGenerationResult:
    prompt = ["<|startoftranscript|>", f"<|{clip.language}|>", "<|transcribe|>"]
    return model.generate(
        heard(clip),
        [[*prompt, "<|notimestamps|>"]],
        beam_size=1,
        max_length=LONGEST,
        return_logits_vocab=logits,
    )[0]


def test_wider_and_deeper_float32_logits_are_the_demo_models(demo: Path, base: Path) -> None:
    """At every step, to a ten-thousandth of the largest."""
    small, large = loaded(demo, "float32"), loaded(base / "ct2-float32", "float32")
    for clip in (TURN_ON, *CLIPS[:2]):
        one, other = (decoded(model, clip, logits=True) for model in (small, large))
        assert one.sequences_ids == other.sequences_ids
        assert len(one.sequences_ids[0]) > 3
        for a, b in zip(one.logits[0], other.logits[0], strict=True):
            expected = np.array(a)
            assert np.abs(np.array(b) - expected).max() <= 1e-4 * np.abs(expected).max()


def test_int8_texts_are_the_demo_models(base: Path) -> None:
    small, large = loaded(DEMO, "int8"), loaded(base / "ct2-int8", "int8")
    texts = [[decoded(model, clip).sequences_ids for clip in CLIPS] for model in (small, large)]
    assert texts[0] == texts[1]


def test_int8_codes_are_the_demo_models_repeated(base: Path) -> None:
    """Read, widened and written anew, nothing is rounded a second time."""
    expected = resized(read_state(DEMO, SIZES["demo"]), SIZES[SIZE])
    written = read_state(base / "ct2-int8", SIZES[SIZE])
    assert written.keys() == expected.keys()
    for name, weights in expected.items():
        np.testing.assert_allclose(written[name], weights, rtol=1e-5, atol=1e-9, err_msg=name)


def test_what_was_built_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "ct2-int8"
    kept.mkdir()
    (tmp_path / ".ct2-float16.unfinished").mkdir()  # As an interrupted run leaves it.
    main([str(tmp_path), "--size", "demo", "--formats", "ct2-int8,ct2-float16"])
    assert list(kept.iterdir()) == []
    assert {file.name for file in tmp_path.iterdir()} == {"ct2-int8", "ct2-float16"}
    assert {file.name for file in DEMO.iterdir()} - {"README.md"} == {
        file.name for file in (tmp_path / "ct2-float16").iterdir()
    }
    assert capsys.readouterr().out.split() == [str(kept), str(tmp_path / "ct2-float16")]


def test_openai_format_has_the_same_weights_and_its_sizes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    (folder,) = build(tmp_path, "demo", ["openai"])
    saved = torch.load(folder / "model.pt", weights_only=True)
    assert saved["dims"] == SIZES["demo"].dims()
    state = read_state(DEMO, SIZES["demo"])
    assert saved["model_state_dict"].keys() == state.keys()
    for name, weights in state.items():
        np.testing.assert_array_equal(saved["model_state_dict"][name].numpy(), weights)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--formats", "ggml"])
    assert list(tmp_path.iterdir()) == []
