"""A Whisper's weights out of a CTranslate2 folder and back into one, with numpy alone.

Names and shapes between the two are those of openai-whisper, whose arithmetic `widening` does.
CTranslate2 keeps the projections of an attention together and weights of int8 as codes and a scale
for each row.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from numpy.typing import NDArray

from tools.demo_model.sizes import Size
from tools.demo_model.widening import State
from wyoming_streamwhisper.engine.binary import variables

_EMBEDDING = "decoder/embeddings/weight"
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
_COPIED = ("tokenizer.json", "preprocessor_config.json", "streamwhisper.json")

_LAYER = (
    ("self_attention/layer_norm", ("attn_ln",)),
    ("self_attention/linear_0", ("attn.query", "attn.key", "attn.value")),
    ("self_attention/linear_1", ("attn.out",)),
    ("ffn/layer_norm", ("mlp_ln",)),
    ("ffn/linear_0", ("mlp.0",)),
    ("ffn/linear_1", ("mlp.2",)),
)
_CROSS = (
    ("attention/layer_norm", ("cross_attn_ln",)),
    ("attention/linear_0", ("cross_attn.query",)),
    ("attention/linear_1", ("cross_attn.key", "cross_attn.value")),
    ("attention/linear_2", ("cross_attn.out",)),
)


def layout(encoder_layers: int, decoder_layers: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Pair each module of CTranslate2 with those of openai-whisper that it joins."""
    yield "encoder/conv1", ("encoder.conv1",)
    yield "encoder/conv2", ("encoder.conv2",)
    yield "encoder/layer_norm", ("encoder.ln_post",)
    yield "decoder/layer_norm", ("decoder.ln",)
    for part, layers, modules in (
        ("encoder", encoder_layers, _LAYER),
        ("decoder", decoder_layers, (*_LAYER, *_CROSS)),
    ):
        for layer in range(layers):
            for theirs, ours in modules:
                begin = f"{part}.blocks.{layer}."
                yield f"{part}/layer_{layer}/{theirs}", tuple(begin + name for name in ours)


_TABLES = (
    ("encoder/position_encodings/encodings", "encoder.positional_embedding"),
    ("decoder/position_encodings/encodings", "decoder.positional_embedding"),
    (_EMBEDDING, "decoder.token_embedding.weight"),
)


def read_state(folder: Path, size: Size) -> State:
    """Read the weights of a model of a known size; codes of int8 become what they stand for."""
    file = folder / "model.bin"
    content = np.memmap(file, np.uint8, "r")
    with file.open("rb") as stream:
        raw = {
            v.name: content[v.offset : v.offset + v.length].view(_TYPES[v.type_id]).reshape(v.shape)
            for v in variables(stream, file.name)
        }
    state: State = {ours: _plain(raw, theirs) for theirs, ours in _TABLES}
    for theirs, modules in layout(size.encoder_layers, size.decoder_layers):
        is_norm = theirs.endswith("layer_norm")
        weight = _plain(raw, f"{theirs}/{'gamma' if is_norm else 'weight'}")
        bias = _plain(raw, f"{theirs}/{'beta' if is_norm else 'bias'}")
        weights, biases = np.split(weight, len(modules)), np.split(bias, len(modules))
        for module, own_weight, own_bias in zip(modules, weights, biases, strict=True):
            state[f"{module}.weight"] = own_weight
            if not module.endswith(".key"):  # Whisper's keys have none.
                state[f"{module}.bias"] = own_bias
    return state


def _plain(raw: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    """Return a variable in float32, codes divided by the scale of their row."""
    value = raw[name].astype(np.float32)
    scale = raw.get(f"{name}_scale")
    if scale is None:
        return value
    rows = np.asarray(scale).reshape(-1, *[1] * (value.ndim - 1))
    return np.asarray(value / rows, np.float32)


class _Whole(WhisperSpec):  # type: ignore[misc]
    """Keeps equal layers apart: shared weights would be cheaper in memory than a real model's."""

    def _alias_variables(self) -> None:
        self.decoder.projection.weight = _EMBEDDING


def write_folder(state: State, size: Size, source: Path, folder: Path, quantization: str) -> None:
    """Write a folder that CTranslate2, faster-whisper and our daemon load.

    What is no weight (vocabulary, tokenizer, rules, alignment heads: repeated heads keep their
    numbers) is that of the folder `source`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec = _Whole(size.encoder_layers, size.heads, size.decoder_layers, size.heads)
    for theirs, ours in _TABLES:
        _set(spec, theirs, state[ours])
    _set(spec, "decoder/projection/weight", state["decoder.token_embedding.weight"])
    for theirs, modules in layout(size.encoder_layers, size.decoder_layers):
        is_norm = theirs.endswith("layer_norm")
        weights = [state[f"{module}.weight"] for module in modules]
        none = np.zeros(len(weights[0]), np.float32)
        biases = [state.get(f"{module}.bias", none) for module in modules]
        _set(spec, f"{theirs}/{'gamma' if is_norm else 'weight'}", np.concatenate(weights))
        _set(spec, f"{theirs}/{'beta' if is_norm else 'bias'}", np.concatenate(biases))
    for key, value in json.loads((source / "config.json").read_text()).items():
        setattr(spec.config, key, value)
    spec.register_vocabulary(json.loads((source / "vocabulary.json").read_text()))
    spec.validate()
    spec.optimize(quantization)
    spec.save(str(folder))
    for name in _COPIED:
        shutil.copyfile(source / name, folder / name)


def _set(spec: Any, path: str, value: NDArray[np.float32]) -> None:
    *way, last = path.split("/")
    for name in way:
        # `layer_3` is the fourth of a list; `layer_norm`, and `linear_0` of ffn, are names.
        stem, _, number = name.rpartition("_")
        spec = getattr(spec, name) if hasattr(spec, name) else getattr(spec, stem)[int(number)]
    # A copy: the specification quantizes in place.
    setattr(spec, last, np.array(value, np.float32))
