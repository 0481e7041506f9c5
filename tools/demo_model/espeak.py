"""espeak-ng in this process, by ctypes: thousands of clips a minute, with the words' marks."""

from __future__ import annotations

import ctypes as C
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RETRIEVE_AUDIO, POSITION_CHARACTER, CHARS_UTF8 = 2, 1, 1
RATE_WPM, PITCH, PITCH_RANGE = 1, 3, 4  # espeak_SetParameter's numbers
EVENT_END, EVENT_WORD = 0, 1
SEPARATOR = ord("_") << 8  # between the phonemes of espeak_TextToPhonemes
STRESS = "',%=|"


class _Event(C.Structure):
    _fields_ = (
        ("type", C.c_int),
        ("unique", C.c_uint),
        ("text_position", C.c_int),
        ("length", C.c_int),
        ("audio_position", C.c_int),
        ("sample", C.c_int),
        ("user", C.c_void_p),
        ("id", C.c_int64),
    )


@dataclass(frozen=True, slots=True)
class Manner:
    """How a voice speaks: words a minute, pitch and its range (0 to 100)."""

    rate_wpm: int
    pitch: int
    pitch_range: int


class Espeak:
    """One synthesizer; the library holds its state globally, so one a process: `shared`."""

    def __init__(self) -> None:
        self._library = C.CDLL("libespeak-ng.so.1")
        self.rate: int = self._library.espeak_Initialize(RETRIEVE_AUDIO, 0, None, 0)
        self._library.espeak_TextToPhonemes.restype = C.c_char_p
        self._chunks: list[NDArray[np.int16]] = []
        self._words: list[tuple[int, int]] = []
        prototype = C.CFUNCTYPE(C.c_int, C.POINTER(C.c_short), C.c_int, C.POINTER(_Event))
        self._callback = prototype(self._on_audio)  # kept: C holds no reference
        self._library.espeak_SetSynthCallback(self._callback)

    def _on_audio(self, wav: Any, n: int, events: Any) -> int:
        if wav and n > 0:
            self._chunks.append(np.ctypeslib.as_array(wav, shape=(n,)).copy())
        i = 0
        while events[i].type != EVENT_END:
            if events[i].type == EVENT_WORD:
                self._words.append((events[i].text_position - 1, events[i].audio_position))
            i += 1
        return 0

    def say(
        self, text: str, voice: str, manner: Manner
    ) -> tuple[NDArray[np.int16], list[tuple[int, int]]]:
        """Speak: the audio at `self.rate`, and (character, milliseconds) of each word's start."""
        self._chunks, self._words = [], []
        self._choose(voice)
        settings = (
            (RATE_WPM, manner.rate_wpm),
            (PITCH, manner.pitch),
            (PITCH_RANGE, manner.pitch_range),
        )
        for parameter, value in settings:
            self._library.espeak_SetParameter(parameter, value, 0)
        raw = text.encode()
        self._library.espeak_Synth(
            raw, len(raw) + 1, 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None
        )
        self._library.espeak_Synchronize()
        silence = np.zeros(0, np.int16)
        return np.concatenate(self._chunks) if self._chunks else silence, self._words

    def sounds(self, text: str, voice: str) -> list[list[str]]:
        """Give the phonemes of each word (of "in the", said as one, together), without stress."""
        self._choose(voice)
        rest, words = C.c_char_p(text.encode()), list[list[str]]()
        while rest.value is not None:
            clause = self._library.espeak_TextToPhonemes(C.byref(rest), CHARS_UTF8, SEPARATOR)
            parts = (word.split("_") for word in clause.decode().split())
            bare = ([part.strip(STRESS) for part in word] for word in parts)
            words += [[sound for sound in word if sound] for word in bare]
        return words

    def _choose(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")


@functools.cache
def shared() -> Espeak:
    """Give this process's synthesizer; a second would take the first one's audio."""
    return Espeak()
