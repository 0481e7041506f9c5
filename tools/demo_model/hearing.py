"""A CTranslate2 Whisper as the daemon uses it: short audio contexts, prompts, alignment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer

from .sound import RATE, Audio

FULL_S = 30
LONGEST = 224  # tokens of a text: half the model's text context
ENCODED_AGAIN = 160  # frames: CTranslate2 takes 80 positions for features of 80 mels


class Hearing:
    """One loaded model, greedy."""

    def __init__(
        self, folder: Path, threads: int, compute_type: str = "int8", longest: int = LONGEST
    ) -> None:
        self.longest = longest
        self.whisper = WhisperModel(
            str(folder), device="cpu", compute_type=compute_type, cpu_threads=threads
        )

    def tokenizer(self, language: str, task: str = "transcribe") -> Tokenizer:
        """Give the tokenizer of a language and a task."""
        return Tokenizer(self.whisper.hf_tokenizer, True, task=task, language=language)

    def encode(self, audio: Audio, context: float | None) -> tuple[Any, int]:
        """Encode with at least `context` seconds (None: 30, padded with silent audio).

        The encoder's output comes with the number of its positions that hold real audio.
        """
        frames = len(audio) // 160
        full = FULL_S * RATE
        if context is None:
            padded = np.concatenate([audio, np.zeros(max(0, full - len(audio)), np.float32)])
            features = pad_or_trim(self.whisper.feature_extractor(padded))
            n = 3000
        else:
            n = min(3000, max(frames, int(context * 100)) // 2 * 2)
            n = n + 4 if n == ENCODED_AGAIN else n
            padded = np.concatenate([audio, np.zeros(max(0, n - frames + 1) * 160, np.float32)])
            features = self.whisper.feature_extractor(padded, padding=0)[:, :n]
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None, :, :n]))
        return self.whisper.model.encode(view), min(frames, n) // 2

    def decode(
        self,
        audio: Audio,
        language: str,
        context: float | None,
        *,
        task: str = "transcribe",
        prompt: str = "",
    ) -> tuple[str, list[int]]:
        """Write what is heard without timestamps: the text and its tokens."""
        tokenizer = self.tokenizer(language, task)
        encoded, _ = self.encode(audio, context)
        before = [tokenizer.sot_prev, *tokenizer.encode(" " + prompt)] if prompt else []
        out = self.whisper.model.generate(
            encoded,
            [[*before, *tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=1,
            max_length=2 * self.longest,
            suppress_blank=False,
        )[0]
        tokens = [token for token in out.sequences_ids[0] if token < tokenizer.eot]
        return tokenizer.decode(tokens).strip(), tokens

    def one_pass(self, audio: Audio, language: str) -> str:
        """Transcribe as faster-whisper does: 30 s windows, timestamps."""
        segments, _ = self.whisper.transcribe(
            audio,
            beam_size=1,
            language=language,
            condition_on_previous_text=False,
            temperature=0,
            max_new_tokens=self.longest,
        )
        return " ".join(segment.text.strip() for segment in segments)

    def one_pass_plain(self, audio: Audio, language: str) -> str:
        """Transcribe as faster-whisper does, without timestamps."""
        segments, _ = self.whisper.transcribe(
            audio,
            beam_size=1,
            language=language,
            condition_on_previous_text=False,
            temperature=0,
            max_new_tokens=self.longest,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments)

    def word_starts(self, audio: Audio, language: str, words: list[str]) -> list[float | None]:
        """Align known words: each one's start in seconds."""
        tokenizer = self.tokenizer(language)
        encoded, positions = self.encode(audio, 2)
        pieces = [tokenizer.encode(" " + word) for word in words]
        tokens = [token for piece in pieces for token in piece]
        result = self.whisper.model.align(
            encoded, tokenizer.sot_sequence, [tokens], 2 * positions, median_filter_width=3
        )[0]
        first: dict[int, int] = {}
        for token, frame in result.alignments:
            first.setdefault(token, frame)
        edges = np.cumsum([0, *(len(piece) for piece in pieces)])[:-1]
        return [first[edge] * 0.02 if edge in first else None for edge in edges]

    def language_of(self, audio: Audio) -> str:
        """Detect the language."""
        return str(self.whisper.detect_language(audio)[0])
