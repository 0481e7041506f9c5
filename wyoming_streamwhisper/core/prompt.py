"""What comes before the text: names and style, the last words, and how much of it fits.

Whisper takes earlier text as a prompt of at most half its text context. Names and the initial
prompt are pinned; the words before the audio fill what is left, the latest ones first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_RECENT = 400  # characters; about a hundred tokens, and two sentences are enough
_MOST_NAMES = 100
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Prompt:
    """Text before the audio: `pinned` is always there, `recent` as far as it fits."""

    pinned: str = ""
    recent: str = ""


def pinned(initial: str, names: Sequence[str]) -> str:
    """Return what a profile and a client want to stand before every utterance."""
    cleaned = [" ".join(name.split())[:_LONGEST_NAME] for name in names[:_MOST_NAMES]]
    listed = ", ".join(name for name in dict.fromkeys(cleaned) if name)
    return " ".join(part for part in (listed and f"{listed}.", initial.strip()) if part)


def recent(text: str) -> str:
    """Return the last words of a text, short enough for a prompt, beginning at a whole word."""
    if len(text) <= _LONGEST_RECENT:
        return text
    tail = text[-_LONGEST_RECENT:]
    return tail[tail.find(" ") + 1 :]


def fit(pinned: Sequence[int], recent: Sequence[int], budget: int, grid: int) -> list[int]:
    """Return the tokens of a prompt within a budget: the pinned ones first, then the latest.

    The length falls on a multiple of `grid` where anything recent can be left out for it, because
    only prompts of one length can be decoded together.
    """
    head = list(pinned[:budget])
    length = min(len(head) + len(recent), budget)
    if length > len(head):
        length = max(length - length % grid, len(head))
    rest = length - len(head)
    return head + (list(recent[-rest:]) if rest else [])
