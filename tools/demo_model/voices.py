"""Who speaks: the synthesizers' voices, and those that training never hears."""

from __future__ import annotations

import random
from dataclasses import dataclass

ENGLISH = (
    "gmw/en-US", "gmw/en-US", "gmw/en-US", "gmw/en", "gmw/en", "gmw/en-GB-scotland",
    "gmw/en-GB-x-rp", "gmw/en-GB-x-gbclan", "gmw/en-GB-x-gbcwmd", "gmw/en-029", "gmw/en-US-nyc",
)  # fmt: skip
GERMAN = ("gmw/de",)
VARIANTS = ("",) * 4 + (
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique",
    "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "adam", "anika", "announcer",
    "antonio", "aunty", "belinda", "benjamin", "boris", "david", "ed", "edward", "edward2", "f1",
    "f2", "f3", "f4", "f5", "grandma", "grandpa", "gustave", "iven", "iven2", "iven3", "iven4",
    "john", "kaukovalta", "klatt", "klatt2", "klatt3", "linda", "m1", "m2", "m3", "m4", "m5", "m6",
    "m7", "m8", "marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy",
    "rob", "robert", "sandro", "shelby", "steph", "steph2", "steph3", "travis", "victor", "zac",
)  # fmt: skip
HELD_OUT_VARIANTS = ("Storm", "Nguyen", "caleb", "klatt4", "RicishayMax")
NATURAL = ("flite:rms", "flite:slt", "flite:kal16")
FESTIVAL = ("festival:cmu_us_slt_arctic_hts", "festival:kal_diphone")
HELD_OUT_NATURAL = ("flite:awb", "festival:ked_diphone")


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of one synthesizer."""

    engine: str
    name: str

    def __str__(self) -> str:
        return f"{self.engine}:{self.name}"


def parse(text: str) -> Voice:
    """`engine:name` as a Voice."""
    engine, name = text.split(":", 1)
    return Voice(engine, name)


def espeak_voice(rng: random.Random, language: str, *, held_out: bool) -> Voice:
    """Draw a random espeak-ng voice of a language, seen in training or held out."""
    accent = rng.choice(ENGLISH if language == "en" else GERMAN)
    variant = rng.choice(HELD_OUT_VARIANTS if held_out else VARIANTS)
    return Voice("espeak", f"{accent}+{variant}" if variant else accent)
