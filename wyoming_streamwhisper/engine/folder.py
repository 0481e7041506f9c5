"""Judges a model's folder before anything is loaded: is it whole, and what does it know.

CTranslate2 and faster-whisper find such faults late, in words for programmers, or ask the network
in secret (for a missing tokenizer). Here each is one sentence, found in milliseconds.
"""

import hashlib
import json
import logging
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from wyoming_streamwhisper.engine.binary import BrokenBinary, read_summary

_log = logging.getLogger(__name__)

CARD = "streamwhisper.json"
"""File in a model's folder that says what the model is known to stand."""
TOKENIZER = "tokenizer.json"

_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")
_MULTILINGUAL_VOCABULARY = 51865
"""Tokens from which CTranslate2 takes a Whisper for multilingual; English ones have one less."""
_SAMPLES, _SAMPLE = 64, 16_384
"""How many parts of the weights a fingerprint is made from, and how many bytes of each."""
_DEFAULT_MELS = 80
"""What faster-whisper computes where preprocessor_config.json says nothing."""


class ModelError(Exception):
    """No model can be had; the text is one sentence that names what to do."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model says of itself in `streamwhisper.json`; empty values say nothing."""

    audio_context: str = ""
    """`short` if the encoder may see the audio alone, `full` if it must have 30 s."""
    piece_min: float = 0.0
    """Seconds from which an utterance should be closed piece by piece."""
    carry_text: bool = True
    """Whether it hears better when it reads the text before; `false` if that leads it astray."""
    languages: tuple[str, ...] = ()
    """Languages that it really knows, as Whisper's codes."""
    description: str = ""
    """A line for people."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder from which a Whisper can be loaded without asking any network."""

    path: Path
    name: str
    """As it was asked for."""
    declared: ModelCard
    multilingual: bool
    """Whether the decoder expects a language token."""
    languages: tuple[str, ...]
    """Languages that it knows, as Whisper's codes; never empty."""
    mels: int
    """Mel bands of the features: 80, or 128 from large-v3 on."""
    tokenizer: Path
    """The `tokenizer.json` to use; in another folder where the model's own has none."""
    fingerprint: str = ""
    """Tells this model from others, whatever their names are."""


def find_fault(path: Path) -> str | None:
    """Say in a few words why no model can be loaded from a folder; None if one can.

    A missing tokenizer is no fault here, since it can be had elsewhere.
    """
    try:
        _read_json(path / "config.json")
        summary = read_summary(path / "model.bin")
        _read_vocabulary(path)
        # The tokenizers' own message for half a file is about a column in millions.
        if (tokenizer := path / TOKENIZER).exists():
            _read_json(tokenizer)
        mels = _mels(path)
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, BrokenBinary) as error:
        return str(error)
    # faster-whisper computes the features by that file; CTranslate2 then fails at the first audio.
    if summary.mels and summary.mels != mels:
        return f"preprocessor_config.json does not say the {summary.mels} mel bands of model.bin"
    return None


def inspect(path: Path, name: str, tokenizer: Path | None = None) -> ModelFolder:
    """Describe the model in a folder that has no fault.

    `tokenizer` is the one to use where the folder has none. Raises ModelError for a broken card.
    """
    vocabulary = _read_vocabulary(path)
    multilingual = len(vocabulary) >= _MULTILINGUAL_VOCABULARY
    card = read_card(path)
    if not card.audio_context and _is_adapted(name):
        card = replace(card, audio_context="short")
    known = _languages(path, vocabulary) if multilingual and not _is_distilled(name) else ()
    return ModelFolder(
        path=path,
        name=name,
        declared=card,
        multilingual=multilingual,
        languages=card.languages or known or ("en",),
        mels=_mels(path),
        tokenizer=tokenizer or path / TOKENIZER,
        fingerprint=_fingerprint(path),
    )


def tokenizer_repository(path: Path) -> str:
    """Name the hub's repository whose tokenizer fits a model that came without one."""
    size = len(_read_vocabulary(path))
    if size > _MULTILINGUAL_VOCABULARY:  # one more since large-v3, for Cantonese
        return "openai/whisper-large-v3"
    return "openai/whisper-tiny" if size == _MULTILINGUAL_VOCABULARY else "openai/whisper-tiny.en"


def read_card(path: Path) -> ModelCard:
    """Read a folder's card; an empty one if there is none. Raises ModelError if it is broken."""
    file = path / CARD
    try:
        card = _read_json(file)
    except FileNotFoundError:
        return ModelCard()
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({error}); mend or delete it.") from error
    known = {field.name for field in fields(ModelCard)}
    for key in sorted(card.keys() - known):
        _log.warning("%s: unknown key %r is ignored", file, key)
    wrong = [key for key in sorted(known & card.keys()) if not _is_legal(key, card[key])]
    if wrong:
        raise ModelError(f"{file} has no legal value for {wrong[0]}; mend or delete it.")
    values = {key: card[key] for key in known & card.keys()}
    values["languages"] = tuple(values.get("languages", ()))
    return ModelCard(**values)


def _is_legal(key: str, value: Any) -> bool:
    if key == "audio_context":
        return value in ("", "short", "full")
    if key == "piece_min":
        return type(value) in (int, float) and 0 <= value <= 30
    if key == "carry_text":
        return isinstance(value, bool)
    if key == "languages":
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return isinstance(value, str)


def _is_adapted(name: str) -> bool:
    """Tell the models that were taught short audio contexts (ACFT), which have no card."""
    return "acft" in Path(name).name.lower()


def _is_distilled(name: str) -> bool:
    """Tell the Distil-Whispers: they have all language tokens but learned only English."""
    return "distil" in Path(name).name.lower()


def _languages(path: Path, vocabulary: list[str]) -> tuple[str, ...]:
    """Name the languages of a multilingual model, in the order of its tokens."""
    # Old conversions list no language ids; their tokens tell all the same.
    ids = _read_json(path / "config.json").get("lang_ids") or range(len(vocabulary))
    tokens = [vocabulary[i] for i in ids if isinstance(i, int) and 0 <= i < len(vocabulary)]
    return tuple(match[1] for token in tokens if (match := _LANGUAGE.fullmatch(token)))


def _fingerprint(path: Path) -> str:
    """Return 16 hex digits made from samples of the weights: to read gigabytes takes seconds."""
    digest = hashlib.sha256()
    file = path / "model.bin"
    size = file.stat().st_size
    digest.update(str(size).encode())
    with file.open("rb") as weights:
        for part in range(_SAMPLES):
            weights.seek(part * size // _SAMPLES)
            digest.update(weights.read(_SAMPLE))
    return digest.hexdigest()[:16]


def _mels(path: Path) -> int:
    try:
        bands = _read_json(path / "preprocessor_config.json").get("feature_size")
    except FileNotFoundError:
        return _DEFAULT_MELS
    return bands if isinstance(bands, int) else _DEFAULT_MELS


def _read_vocabulary(path: Path) -> list[str]:
    """List the tokens by id, from the list or the lines that CTranslate2 writes."""
    file = path / "vocabulary.json"
    if not file.exists() and (lines := path / "vocabulary.txt").exists():
        return lines.read_text("utf-8").split("\n")[:-1]
    tokens = json.loads(file.read_bytes())
    if not isinstance(tokens, list) or not all(isinstance(t, str) for t in tokens):
        raise ValueError(f"{file.name} is no list of tokens")
    return tokens


def _read_json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file.name} is no JSON") from error
    if not isinstance(value, dict):
        raise ValueError(f"{file.name} is no JSON object")
    return value
