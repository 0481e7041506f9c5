"""What is heard of a sentence: espeak-ng's phonemes, which the encoder learns before any writing.

English letters tell little about sounds, and a network that is asked for them at once learns to
guess the sentence instead of to hear it.  Phonemes are a matter of a few frames.
"""

from __future__ import annotations

SOUNDS = (
    "0", "3", "3:", "?", "@", "@-", "@2", "@5", "@L", "A", "A:", "A@", "C", "D", "E", "E2", "E:",
    "I", "I#", "I2", "IR", "N", "O", "O2", "O:", "O@", "OI", "OY", "R", "S", "T", "U", "U@", "UR",
    "V", "VR", "W", "Y:", "Z", "a", "a#", "aI", "aI2", "aI3", "aI@", "aU", "aa", "b", "d", "dZ",
    "e:", "e@", "eI", "f", "g", "h", "i", "i:", "i@", "i@3", "j", "k", "l", "m", "n", "n-", "o:",
    "o@", "oU", "p", "pF", "r", "r-", "s", "t", "t#", "t2", "tS", "t[", "ts", "u:", "v", "w",
    "w#", "x", "y", "y:", "z",
)  # fmt: skip
"""espeak-ng's names of what its English and German voices say."""

_NUMBER = {sound: number for number, sound in enumerate(SOUNDS, 1)}  # 0 is CTC's blank


def numbers_of(sounds: str) -> list[int]:
    """Give the classes of phonemes written with spaces between; the marks among them have none."""
    bare = (sound.lstrip("!") for sound in sounds.split())
    return [_NUMBER[sound] for sound in bare if sound in _NUMBER]


def by_written_word(said: list[list[str]], known: list[int], words: int) -> list[str]:
    """Give each written word's phonemes, where each word that is `known` was said as one.

    A word that belongs to the one before (espeak-ng says "in the" as one) gets none of its own.
    Elsewhere ("23" is two words) the phonemes of the whole sentence are one item.
    """
    if len(said) != len(known):
        return [" ".join(sound for word in said for sound in word)]
    out = [""] * words
    for index, word in zip(known, said, strict=True):
        out[index] = " ".join(word)
    return out
