"""A real Whisper of random weights: it says nonsense, but in the form of any published size."""

import json
from pathlib import Path

import numpy as np
import tokenizers
from ctranslate2.specs import whisper_spec
from tokenizers import models

import wyoming_streamwhisper
from wyoming_streamwhisper.core.languages import LANGUAGES

_WIDTH = 32
_DEMO = Path(wyoming_streamwhisper.__file__).parent / "demo_model"


def save_random_model(folder: Path, *, english: bool = False, mels: int = 80) -> Path:
    """Write a folder like those of `base.en` (80 mels), `base` (80) or `large-v3` (128)."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _tokens(english, mels)
    spec = whisper_spec.WhisperSpec(1, 2, 1, 2)
    _fill(spec, len(tokens), mels)
    spec.register_vocabulary(tokens)
    spec.config.alignment_heads = [(0, 0)]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [i for i, token in enumerate(tokens) if token[2:-2] in LANGUAGES]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    ids = {token: number for number, token in enumerate(tokens)}
    tokenizer = tokenizers.Tokenizer(models.WordLevel(ids, unk_token=tokens[0]))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": mels}))
    return folder


def _tokens(english: bool, mels: int) -> list[str]:
    """List the tokens in Whisper's order; English models have one less, large-v3 one more."""
    # CTranslate2 looks at the words too before it takes a model for multilingual.
    words = json.loads((_DEMO / "vocabulary.json").read_text())[: 50256 if english else 50257]
    codes = [code for code in LANGUAGES if code != "yue"] + ["yue"] * (mels == 128)
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["endoftext", "startoftranscript", *codes, *tasks]
    times = [f"<|{0.02 * number:.2f}|>" for number in range(1501)]
    return [*words, *(f"<|{name}|>" for name in special), *times]


def _fill(spec: whisper_spec.WhisperSpec, vocabulary: int, mels: int) -> None:
    rng = np.random.default_rng(1)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.1, shape).astype(np.float32)

    def norm(layer: object) -> None:
        layer.gamma, layer.beta = np.ones(_WIDTH, np.float32), np.zeros(_WIDTH, np.float32)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights(_WIDTH, mels, 3), weights(_WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = weights(_WIDTH, _WIDTH, 3), weights(_WIDTH)
    encoder.position_encodings.encodings = weights(1500, _WIDTH)
    decoder.position_encodings.encodings = weights(448, _WIDTH)
    decoder.embeddings.weight = decoder.projection.weight = weights(vocabulary, _WIDTH)
    for part in (encoder, decoder):
        norm(part.layer_norm)
        (layer,) = part.layer
        attentions = [layer.self_attention]
        if part is decoder:
            attentions.append(layer.attention)
        for attention in (*attentions, layer.ffn):
            norm(attention.layer_norm)
        _fill_linear(layer.self_attention.linear, [3, 1], weights)
        if part is decoder:
            _fill_linear(layer.attention.linear, [1, 2, 1], weights)
        for linear, shape in (
            (layer.ffn.linear_0, (4 * _WIDTH, _WIDTH)),
            (layer.ffn.linear_1, (_WIDTH, 4 * _WIDTH)),
        ):
            linear.weight, linear.bias = weights(*shape), weights(shape[0])


def _fill_linear(layers, rows: list[int], weights) -> None:
    for linear, times in zip(layers, rows, strict=True):
        linear.weight = weights(times * _WIDTH, _WIDTH)
        linear.bias = weights(times * _WIDTH)
