"""The network is Whisper's, and the cost models compute what the demo model computes."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("whisper")

import torch
import whisper

from tools.demo_model.blending import blend
from tools.demo_model.joining import fit, join
from tools.demo_model.network import TIMESTAMPS, Decoder, Encoder, Whisper, sinusoids
from tools.demo_model.sizes import SIZES, Size
from tools.demo_model.tokenizer_file import byte_letters, merge_of
from tools.demo_model.training import Phase, Plan, attention_loss, place_loss, sound_loss
from tools.demo_model.vocabulary import Vocabulary
from tools.demo_model.weights import EMBEDDING, full_state, tensors
from tools.demo_model.widening import resized


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Give an untrained checkpoint."""
    torch.manual_seed(0)
    vocabulary = Vocabulary([])
    model = Whisper(vocabulary.rows)
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    state = {name: w.half() for name, w in model.state_dict().items()}
    torch.save({"mean": state, "kept": vocabulary.kept}, path)
    return path


def loaded(state, size: Size) -> whisper.model.Whisper:
    model = whisper.model.Whisper(whisper.model.ModelDimensions(**size.dims()))
    model.load_state_dict(tensors(state))
    return model.eval()


def test_openai_whisper_loads_the_weights_and_agrees(checkpoint):
    """Our network and openai-whisper's give the same hidden audio."""
    state = full_state(checkpoint)
    theirs = loaded(state, Size())
    saved = torch.load(checkpoint, weights_only=False)
    ours = Whisper(len(saved["kept"]) + 1)
    ours.load_state_dict({name: w.float() for name, w in saved["mean"].items()})
    mel = torch.randn(1, 80, 3000)
    with torch.no_grad():
        a, b = ours.encoder(mel), theirs.encoder(mel)
    assert torch.allclose(a, b, atol=1e-3)


def test_a_cost_model_computes_the_same(checkpoint):
    """Twice as wide and a layer deeper, the same logits."""
    state = full_state(checkpoint)
    size = Size(2, 5, 5)
    small, large = loaded(state, Size()), loaded(resized(state, size), size)
    mel = torch.randn(1, 80, 3000)
    tokens = torch.tensor([[50258, 50259, 50359, 50363, 1000]])
    with torch.no_grad():
        a, b = small(mel, tokens), large(mel, tokens)
    assert torch.allclose(a, b, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "width", "layers"),
    [("base", 512, (6, 6)), ("small", 768, (12, 12)), ("turbo", 1280, (32, 4))],
)
def test_sizes_are_those_of_real_models(name, width, layers):
    """The cost models stand for real Whispers."""
    size = SIZES[name]
    assert (size.width, (size.encoder_layers, size.decoder_layers)) == (width, layers)


def test_positions_are_whispers():
    """The encoder's fixed positions equal openai-whisper's."""
    assert torch.allclose(sinusoids(1500, 256), whisper.model.sinusoids(1500, 256), atol=1e-4)


def test_attention_inside_the_words_costs_nothing():
    """All attention inside a word's frames: no loss; all outside: much."""
    weights = torch.zeros(1, 2, 10)
    weights[0, 0, 3], weights[0, 1, 9] = 1.0, 1.0
    late = weights.roll(1, dims=1)
    heads = [late, late, weights, weights]
    assert attention_loss(heads, torch.tensor([[0, 0, 2, 5]])).item() < 0.01
    assert attention_loss([weights] * 4, torch.tensor([[0, 0, 2, 5]])).item() > 3


def test_windows_without_phonemes_cost_nothing():
    """Windows without speech have no sounds to learn."""
    assert sound_loss(torch.randn(2, 20, 44), [[], []]).item() == 0


def test_the_place_said_right_costs_nothing():
    """Positions are those behind a window's first."""
    positions, first = torch.randn(30, 8), torch.tensor([0, 20])
    right = torch.stack([positions[:10], positions[20:30]])
    assert place_loss(right, positions, first).item() == 0
    assert place_loss(right.roll(1, dims=1), positions, first).item() > 0.1


def test_the_encoder_learns_first_then_the_decoder_then_both():
    """Each phase begins with a low rate of its own."""
    plan = Plan(steps=1000, rate=1.0, warm_up=10, hear=0.2, write=0.3)
    phases = [plan.phase_at(step) for step in (0, 199, 200, 499, 500, 999)]
    assert [phase for phase, _ in phases] == [
        Phase.HEAR, Phase.HEAR, Phase.WRITE, Phase.WRITE, Phase.BOTH, Phase.BOTH
    ]  # fmt: skip
    assert [since for _, since in phases] == [0, 0, 200, 200, 500, 500]
    assert plan.rate_at(199) > 0.9 > 0.2 > plan.rate_at(200)


def test_the_rate_rises_stays_and_falls():
    """The learning rate is a matter of steps alone."""
    plan = Plan(steps=1000, hear=0, write=0, rate=1.0, warm_up=100, fall_from=0.5)
    assert plan.rate_at(0) == pytest.approx(0.01)
    assert plan.rate_at(400) == 1.0
    assert plan.rate_at(750) == pytest.approx(0.5)
    assert plan.rate_at(1000) == pytest.approx(0.01)


def test_a_token_is_the_merge_of_two():
    """The parts of a token are those that its rank was made from."""
    ranks = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b"abc": 4}
    assert merge_of(b"abc", ranks) == (b"ab", b"c")
    with pytest.raises(ValueError, match="not a merge"):
        merge_of(b"abc", {b"a": 0, b"b": 1, b"c": 2, b"abc": 4})


def test_every_byte_has_a_printable_letter():
    """GPT-2's letters are 256 different ones."""
    letters = byte_letters()
    assert len(set(letters.values())) == 256
    assert letters[ord(" ")] == "Ġ"


def test_timestamps_rows_are_fitted_to_those_of_an_earlier_run():
    """Rows that were a linear map of the positions come out as they were."""
    decoder = Decoder(20 + TIMESTAMPS + 1)
    truth = decoder.times @ (torch.randn_like(decoder.stamp_map) * 0.1)
    with torch.no_grad():
        decoder.token_embedding.weight[20:-1] = truth
    decoder.fit_stamps(TIMESTAMPS)
    assert torch.allclose(decoder.rows()[20:-1], truth, atol=0.02)
    assert torch.equal(decoder.rows()[:20], decoder.token_embedding.weight[:20])
    assert torch.equal(decoder.rows()[-1], decoder.token_embedding.weight[-1])


def test_a_window_may_begin_at_any_position():
    """The encoder adds the positions from the given one on."""
    encoder = Encoder().eval()
    mel = torch.randn(2, 80, 40)
    with torch.no_grad():
        plain, moved = encoder(mel), encoder(mel, torch.tensor([0, 700]))
    assert torch.allclose(plain[0], moved[0], atol=1e-5)
    assert not torch.allclose(plain[1], moved[1], atol=1e-2)


def test_a_writing_is_learnt_from_the_window_that_it_is_written_for():
    """Rows of tokens attend to the windows that `heard` names, as if each had its own."""
    rows = Vocabulary([]).rows
    model = Whisper(rows).eval()
    audio, tokens = torch.randn(2, 40, 256), torch.randint(0, rows, (3, 7))
    heard = torch.tensor([0, 0, 1])
    shared, _ = model.decoder(tokens, audio, heard)
    apart, _ = model.decoder(tokens, audio[heard])
    assert torch.allclose(shared, apart, atol=1e-5)


def test_a_blend_lies_between_two_runs(checkpoint, tmp_path: Path):
    """Weights are meant by share; a token that only the later run knows keeps its row."""
    saved = torch.load(checkpoint, weights_only=False)
    vocabulary = Vocabulary([*saved["kept"], 40_000])
    later = {name: w.float() + 1 for name, w in saved["mean"].items()}
    rows = vocabulary.carry(later[EMBEDDING], saved["kept"])
    rows[vocabulary.row[40_000]] = 7.0
    later[EMBEDDING] = rows
    torch.save({"mean": later, "kept": vocabulary.kept}, tmp_path / "later.pt")
    blend(checkpoint, tmp_path / "later.pt", 0.25, tmp_path / "out.pt")
    out = torch.load(tmp_path / "out.pt", weights_only=False)
    name = "encoder.conv1.weight"
    assert torch.allclose(out["mean"][name].float(), saved["mean"][name].float() + 0.25, atol=2e-3)
    assert (out["mean"][EMBEDDING][vocabulary.row[40_000]] == 7).all()
    old = out["mean"][EMBEDDING][vocabulary.row[saved["kept"][5]]].float()
    assert torch.allclose(old, saved["mean"][EMBEDDING][5].float() + 0.25, atol=2e-3)


def test_a_decoder_joined_to_a_changed_encoder_writes_what_it_wrote():
    """What is undone by a linear map costs the decoder nothing."""
    torch.manual_seed(2)
    before, decoder = Encoder().eval(), Decoder(TIMESTAMPS + 20).eval()
    now = copy.deepcopy(before)
    with torch.no_grad():
        now.ln_post.weight.uniform_(0.5, 2)
        now.ln_post.bias.uniform_(-1, 1)
    windows = [(torch.randn(4, 80, 400), torch.tensor([0, 5, 90, 700])) for _ in range(8)]
    mel, first = windows[0]
    tokens = torch.tensor([[3, 1, 4, 1, 5]] * 4)
    with torch.no_grad():
        wanted = decoder(tokens, before(mel, first))[0]
        parted = decoder(tokens, now(mel, first))[0]
        join(decoder, fit(before, now, windows))
        joined = decoder(tokens, now(mel, first))[0]
    assert (joined - wanted).norm() < 0.1 * (parted - wanted).norm()
