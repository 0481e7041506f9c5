"""What happens to speech on its way: speed, room, microphone, noise, level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Audio = NDArray[np.float32]
FAST = 4000  # Fourier transforms of its multiples are quick


def _fast_size(n: int) -> int:
    return -(-n // FAST) * FAST


def _coloured(rng: np.random.Generator, n: int, power: float) -> Audio:
    spectrum = np.fft.rfft(rng.standard_normal(_fast_size(n)))
    shaped = spectrum / np.arange(1, len(spectrum) + 1, dtype=np.float64) ** power
    return np.array(np.fft.irfft(shaped)[:n], dtype=np.float32)


def _hum(rng: np.random.Generator, n: int) -> Audio:
    t, mains = np.arange(n) / RATE, rng.choice([50, 60])
    tones = [
        rng.random() / k * np.sin(2 * np.pi * mains * k * t + rng.random() * 6) for k in range(1, 8)
    ]
    return np.asarray(np.sum(tones, axis=0), np.float32)


def _clicks(rng: np.random.Generator, n: int) -> Audio:
    clicks = np.where(rng.random(n) < 4 / RATE, rng.standard_normal(n), 0)
    return np.asarray(np.convolve(clicks, np.exp(-np.arange(400) / 40))[:n], np.float32)


def _melody(rng: np.random.Generator, n: int) -> Audio:
    """Two wandering voices with overtones: a sound like music."""
    t, out = np.arange(n) / RATE, np.zeros(n)
    pace = rng.uniform(0.15, 0.6)
    steps = np.arange(0, n / RATE + pace, pace)
    overtones = rng.integers(1, 5)
    for _ in range(2):
        notes = np.round(np.interp(t, steps, rng.integers(0, 24, len(steps))))
        phase = np.cumsum(220 * 2 ** (notes / 12) / RATE)
        for k in range(1, overtones + 1):
            out += rng.random() / k * np.sin(2 * np.pi * k * phase)
    return out.astype(np.float32)


def noise(rng: np.random.Generator, n: int) -> Audio:
    """White, pink or brown noise, hum, clicks or music-like tones, with unit peak."""
    kind = int(rng.integers(6))
    if kind <= 2:
        sound = _coloured(rng, n, kind * 0.5)
    else:
        sound = (_hum, _clicks, _melody)[kind - 3](rng, n)
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), np.float32)


def reverberate(audio: Audio, rng: np.random.Generator) -> Audio:
    """`audio` in a room with a tail of 50 to 350 ms."""
    n, tail = len(audio), int(rng.uniform(0.05, 0.35) * RATE)
    room = rng.standard_normal(tail) * np.exp(-np.arange(tail) / (tail / 5))
    room *= rng.uniform(0.02, 0.15)
    room[0] = 1
    size = _fast_size(n + tail)
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(room, size), size)
    return np.asarray(wet[:n], np.float32)


def colour(audio: Audio, rng: np.random.Generator) -> Audio:
    """`audio` through a microphone: a random frequency response, sometimes a telephone's."""
    size = _fast_size(len(audio))
    spectrum, f = np.fft.rfft(audio, size), np.fft.rfftfreq(size, 1 / RATE)
    gain = np.interp(f, [0, 300, 1000, 3000, 8000], 10 ** (rng.uniform(-10, 5, 5) / 20))
    if rng.random() < 0.3:
        gain = gain * (f < 3600) * (f > 150)
    return np.asarray(np.fft.irfft(spectrum * gain)[: len(audio)], np.float32)


def spoil(audio: Audio, rng: np.random.Generator, hard: float) -> Audio:
    """Room, microphone, level and noise; `hard` (0 to 1) scales how often."""
    if rng.random() < 0.3 * hard:
        audio = reverberate(audio, rng)
    if rng.random() < 0.35 * hard:
        audio = colour(audio, rng)
    level = rng.uniform(0.03, 0.9)
    audio = audio / (np.abs(audio).max() + 1e-6) * level
    if rng.random() < 0.5 * hard + 0.1:
        audio = audio + noise(rng, len(audio)) * level * 10 ** (-rng.uniform(10, 45) / 20)
    return np.array(np.clip(audio, -1, 1), dtype=np.float32)


def stretch(audio: Audio, factor: float) -> Audio:
    """`audio` played `factor` times as fast (pitch and formants move with it)."""
    n = int(len(audio) / factor)
    return np.asarray(np.interp(np.arange(n) * factor, np.arange(len(audio)), audio), np.float32)
