"""A checkpoint in the formats that Whisper's tools load.

OUT/ct2-int8 and OUT/ct2-float32 (faster-whisper, CTranslate2), OUT/hf (transformers) and
OUT/openai/demo.pt (openai-whisper), at the demo model's own size or at the cost of a real one.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import ctranslate2
from transformers import (  # type: ignore[attr-defined]
    GenerationConfig,
    WhisperConfig,
    WhisperForConditionalGeneration,
    WhisperTokenizerFast,
)

from .network import ALIGNMENT_HEADS
from .sizes import AUDIO_CONTEXT, MELS, N_VOCAB, TEXT_CONTEXT, Size
from .tokenizer_file import fast_tokenizer
from .vocabulary import (
    EOT,
    NO_SPEECH,
    NO_TIMESTAMPS,
    PREV,
    SOT,
    TOKENIZER,
    TRANSCRIBE,
    TRANSLATE,
)
from .weights import full_state, tensors, write_openai
from .widening import State, resized

RENAMED = (  # openai-whisper's part of a name, transformers' part
    ("blocks", "layers"), ("mlp.0", "fc1"), ("mlp.2", "fc2"), ("mlp_ln", "final_layer_norm"),
    ("cross_attn_ln", "encoder_attn_layer_norm"), ("cross_attn.", "encoder_attn."),
    ("attn_ln", "self_attn_layer_norm"), (".attn.", ".self_attn."), (".query.", ".q_proj."),
    (".key.", ".k_proj."), (".value.", ".v_proj."), (".out.", ".out_proj."),
    ("decoder.ln.", "decoder.layer_norm."), ("encoder.ln_post.", "encoder.layer_norm."),
    ("token_embedding", "embed_tokens"),
    ("encoder.positional_embedding", "encoder.embed_positions.weight"),
    ("decoder.positional_embedding", "decoder.embed_positions.weight"),
    ("encoder_encoder_attn", "encoder_attn"),
)  # fmt: skip
PREPROCESSOR = {
    "chunk_length": 30,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": MELS,
    "hop_length": 160,
    "n_fft": 400,
    "n_samples": 480000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
    "sampling_rate": 16000,
    "processor_class": "WhisperProcessor",
}


def renamed(name: str) -> str:
    """Give transformers' name of a weight."""
    for ours, theirs in RENAMED:
        name = name.replace(ours, theirs)
    return "model." + name


def _config(size: Size) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=N_VOCAB,
        num_mel_bins=MELS,
        encoder_layers=size.encoder_layers,
        encoder_attention_heads=size.heads,
        decoder_layers=size.decoder_layers,
        decoder_attention_heads=size.heads,
        encoder_ffn_dim=4 * size.width,
        decoder_ffn_dim=4 * size.width,
        d_model=size.width,
        max_source_positions=AUDIO_CONTEXT,
        max_target_positions=TEXT_CONTEXT,
        bos_token_id=EOT,
        eos_token_id=EOT,
        pad_token_id=EOT,
        decoder_start_token_id=SOT,
        begin_suppress_tokens=None,
        suppress_tokens=None,
    )


def _generation_config() -> GenerationConfig:
    never = {*TOKENIZER.non_speech_tokens, TRANSCRIBE, TRANSLATE, SOT, PREV, NO_SPEECH}
    special = TOKENIZER.special_tokens.items()
    return GenerationConfig(  # type: ignore[no-untyped-call]
        alignment_heads=[list(head) for head in ALIGNMENT_HEADS],
        suppress_tokens=sorted({*never, TOKENIZER.sot_lm}),
        begin_suppress_tokens=[TOKENIZER.encode(" ")[0], EOT],
        lang_to_id={text: number for text, number in special if SOT < number < TRANSLATE},
        is_multilingual=True,
        task_to_id={"transcribe": TRANSCRIBE, "translate": TRANSLATE},
        no_timestamps_token_id=NO_TIMESTAMPS,
        prev_sot_token_id=PREV,
        decoder_start_token_id=SOT,
        bos_token_id=EOT,
        eos_token_id=EOT,
        pad_token_id=EOT,
        max_length=TEXT_CONTEXT,
        max_initial_timestamp_index=50,
        return_timestamps=False,
    )


def write_hugging_face(state: State, size: Size, folder: Path) -> None:
    """Write the model, its tokenizer and its settings as transformers loads them."""
    model = WhisperForConditionalGeneration(_config(size))
    mapped = {renamed(name): w for name, w in tensors(state).items()}
    mapped["proj_out.weight"] = mapped["model.decoder.embed_tokens.weight"]
    model.load_state_dict(mapped)
    model.generation_config = _generation_config()
    model.save_pretrained(folder)
    end = "<|endoftext|>"
    tokenizer = WhisperTokenizerFast(
        tokenizer_object=fast_tokenizer(),
        bos_token=end,
        eos_token=end,
        unk_token=end,
        pad_token=end,
    )
    tokenizer.save_pretrained(folder)
    settings = json.dumps(PREPROCESSOR, indent=1)
    (folder / "preprocessor_config.json").write_text(settings)


def write_ctranslate2(hugging_face: Path, folder: Path, quantization: str) -> None:
    """Convert what `write_hugging_face` wrote."""
    converter = ctranslate2.converters.TransformersConverter(
        str(hugging_face), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter's use of transformers is its own affair
        converter.convert(str(folder), quantization=quantization, force=True)


def export(
    checkpoint: Path, out: Path, size: Size, kinds: tuple[str, ...] = ("int8", "float32")
) -> None:
    """Write a checkpoint in every format below `out`."""
    state = resized(full_state(checkpoint), size)
    out.mkdir(parents=True, exist_ok=True)
    write_openai(state, size, out / "openai" / "demo.pt")
    write_hugging_face(state, size, out / "hf")
    for kind in kinds:
        write_ctranslate2(out / "hf", out / f"ct2-{kind}", kind)
