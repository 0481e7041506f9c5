"""The same clips through faster-whisper, openai-whisper and transformers: errors must agree."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import whisper
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from .evaluation import Pairs
from .hearing import FULL_S, LONGEST, Hearing
from .sound import RATE, Audio


class OpenAI:
    """openai-whisper, greedy, one window."""

    def __init__(self, path: Path, longest: int) -> None:
        self._longest = longest
        self._model = whisper.load_model(str(path), device="cpu")

    def hear(self, audio: Audio, language: str) -> str:
        """Write what is heard without timestamps."""
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(audio))
        options = whisper.DecodingOptions(
            language=language,
            without_timestamps=True,
            fp16=False,
            temperature=0.0,
            sample_len=self._longest,
        )
        return str(whisper.decode(self._model, mel, options).text)


class Transformers:
    """Hugging Face's implementation, greedy, one window."""

    def __init__(self, folder: Path, longest: int) -> None:
        self._longest = longest
        self._model = WhisperForConditionalGeneration.from_pretrained(folder)
        self._tokenizer = WhisperTokenizer.from_pretrained(folder)
        self._features = WhisperFeatureExtractor.from_pretrained(folder)

    def hear(self, audio: Audio, language: str) -> str:
        """Write what is heard without timestamps."""
        features = self._features(audio, sampling_rate=RATE, return_tensors="pt").input_features
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tokens = self._model.generate(
                features,
                language=language,
                task="transcribe",
                num_beams=1,
                do_sample=False,
                max_new_tokens=self._longest,
            )[0]
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


def compare(
    export: Path,
    evaluation_set: Path,
    sets: tuple[str, ...],
    limit: int,
    longest: int = LONGEST,
) -> dict[str, Any]:
    """Give each implementation's word error rate on the first `limit` clips of some sets."""
    lines = (evaluation_set / "manifest.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    int8 = Hearing(export / "ct2-int8", 2, longest=longest)
    float32 = Hearing(export / "ct2-float32", 2, "float32", longest)
    openai = OpenAI(export / "openai" / "demo.pt", longest)
    transformers = Transformers(export / "hf", longest)
    pairs = {
        name: Pairs()
        for name in ("faster-whisper int8", "faster-whisper", "openai-whisper", "transformers")
    }
    for lang in ("en", "de"):
        for name in sets:
            chosen = [row for row in rows if row["set"] == name and row["lang"] == lang]
            for row in chosen[:limit]:
                audio, _ = soundfile.read(evaluation_set / row["file"], dtype="float32")
                audio = np.asarray(audio[: FULL_S * RATE], np.float32)
                text = row["text"]
                pairs["faster-whisper int8"].add(text, int8.decode(audio, lang, None)[0])
                pairs["faster-whisper"].add(text, float32.decode(audio, lang, None)[0])
                pairs["openai-whisper"].add(text, openai.hear(audio, lang))
                pairs["transformers"].add(text, transformers.hear(audio, lang))
    return {name: {"wer": p.error(), "clips": len(p.heard)} for name, p in pairs.items()}
