"""The files of a model that is whole in form and knows nothing."""

import json
import struct

LANGUAGES = ("en", "zh", "de")


def model_files(tokens: int = 51865, mels: int = 80) -> dict[str, bytes]:
    """Make the files of a Whisper with so many tokens and mel bands."""
    vocabulary = [f"t{i}" for i in range(tokens)]
    vocabulary[50259 : 50259 + len(LANGUAGES)] = [f"<|{code}|>" for code in LANGUAGES]
    lang_ids = list(range(50259, 50259 + len(LANGUAGES)))
    return {
        "config.json": json.dumps({"lang_ids": lang_ids}).encode(),
        "preprocessor_config.json": json.dumps({"feature_size": mels}).encode(),
        "model.bin": model_binary(mels),
        "tokenizer.json": b"{}",
        "vocabulary.json": json.dumps(vocabulary).encode(),
    }


def model_binary(mels: int = 80, kind: str = "WhisperSpec") -> bytes:
    """Write a CTranslate2 file with the first layer and one more variable."""
    weights = bytes(2 * mels * 3 * 4)
    return b"".join(
        [
            struct.pack("<I", 6) + _string(kind) + struct.pack("<II", 3, 2),
            _string("encoder/conv1/weight") + struct.pack("<B3IBI", 3, 2, mels, 3, 0, len(weights)),
            weights,
            _string("decoder/scale") + struct.pack("<BBI", 0, 0, 4) + bytes(4),
            struct.pack("<I", 0),
        ]
    )


def _string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"
