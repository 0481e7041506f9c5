"""From Whisper's tokens to words: where one begins, and what is only punctuation behind it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from wyoming_streamwhisper.core.words import is_unspaced

_BROKEN = "\ufffd"
"""What stands for bytes that are no character."""


class Unicode(Protocol):
    """The part of faster-whisper's tokenizer that is needed here."""

    def split_tokens_on_unicode(self, tokens: Sequence[int]) -> tuple[list[str], list[list[int]]]:
        """Split tokens so that each part is whole characters; returns texts and their tokens."""
        ...


Part = tuple[str, tuple[int, ...]]


def split_words(tokens: Sequence[int], tokenizer: Unicode) -> Iterator[Part]:
    """Yield each word's text, leading space included, and its tokens.

    Punctuation behind a word comes as a part of its own. Half a character at the end, whose other
    tokens have not been generated, is left out; a broken one before it leaves its tokens only.
    """
    texts, groups = tokenizer.split_tokens_on_unicode(list(tokens))
    while texts and _BROKEN in texts[-1]:
        texts.pop()
    word: list[Part] = []
    for broken, group in zip(texts, groups, strict=False):
        text = broken.replace(_BROKEN, "")
        if word and _begins(text, word[-1][0]):
            yield from _without_tail(word)
            word = []
        word.append((text, tuple(group)))
    if word:
        yield from _without_tail(word)


def _begins(text: str, before: str) -> bool:
    """Whether a word begins with this text: at a space, or where a script writes none."""
    if not text:
        return False
    if text[0] == " " or is_unspaced(text[0]):
        return True
    return text[0].isalnum() and is_unspaced(before[-1:] or " ")


def _without_tail(parts: list[Part]) -> Iterator[Part]:
    """Yield a word, and the punctuation behind it by itself."""
    end = len(parts)
    while end > 1 and not any(c.isalnum() for c in parts[end - 1][0]):
        end -= 1
    for some in (parts[:end], parts[end:]):
        if some:
            yield "".join(text for text, _ in some), tuple(t for _, group in some for t in group)
