"""Free sentences of a large vocabulary: WordNet's examples (English) and fortunes (German).

Both come with Debian (`wordnet-base`, `fortunes-de`).  Only sentences that a synthesizer reads as
they are written are taken: letters, commas, and a full stop, question or exclamation mark.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

WORDNET = Path("/usr/share/wordnet")
FORTUNES_DE = Path("/usr/share/games/fortunes/de")
TONGUE_TWISTERS = {"asciiart", "woerterbuch", "namen", "vornamen", "translations", "tips", "debian"}
PLAIN = {"en": r"[A-Za-z' ,-]+", "de": r"[A-Za-zÄÖÜäöüß ,-]+"}
LONGEST_LETTERS, FEWEST_WORDS = 80, 3


def tidy(text: str, language: str) -> str | None:
    """`text` as Whisper would write it, or None where it cannot be read as it is written."""
    text = " ".join(text.split()).strip(" -")
    end = text[-1] if text and text[-1] in ".?!" else "."
    body = text.rstrip(".?!")
    plain = re.fullmatch(PLAIN[language], body) and not re.search(r"[A-ZÄÖÜ]{2}|--|(^| )[-']", body)
    if not plain or len(body) > LONGEST_LETTERS or len(body.split()) < FEWEST_WORDS:
        return None
    return body[0].upper() + body[1:] + ("." if end == "!" else end)


def _english(folder: Path) -> Iterable[str]:
    for path in sorted(folder.glob("data.*")):
        yield from re.findall(r'"([^"]{12,90})"', path.read_text(errors="replace"))


def _german(folder: Path) -> Iterable[str]:
    for path in sorted(folder.iterdir()):
        if path.suffix or path.name in TONGUE_TWISTERS:
            continue
        for item in path.read_text(errors="replace").split("\n%\n"):
            body = item.split("--")[0].replace("\n", " ")
            yield from re.split(r"(?<=[.?!]) +", body)


def sentences(language: str) -> list[str]:
    """All free sentences of a language, in a fixed order; empty where the package is missing."""
    folder, read = (WORDNET, _english) if language == "en" else (FORTUNES_DE, _german)
    if not folder.is_dir():
        return []
    tidied = (tidy(text, language) for text in read(folder))
    return sorted({text for text in tidied if text})


def held_out(text: str) -> bool:
    """Whether a free sentence belongs to the evaluation set alone."""
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % 40 == 0
