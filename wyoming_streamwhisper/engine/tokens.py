"""From Whisper's tokens to words: where one begins, and what is only punctuation behind it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from wyoming_streamwhisper.core.words import is_unspaced

_UNSPACED_LANGUAGES = frozenset(("zh", "ja", "th", "lo", "my", "yue", "km", "bo"))


class Unicode(Protocol):
    """The part of faster-whisper's tokenizer that is needed here."""

    def split_tokens_on_unicode(self, tokens: Sequence[int]) -> tuple[list[str], list[list[int]]]:
        """Split tokens so that each part is whole characters; returns texts and their tokens."""
        ...


Part = tuple[str, tuple[int, ...]]


def split_words(tokens: Sequence[int], tokenizer: Unicode, language: str) -> Iterator[Part]:
    """Yield each word's text, leading space included, and its tokens.

    Punctuation behind a word comes as a part of its own. Half a character at the end, whose other
    tokens have not been generated, is left out.
    """
    texts, groups = tokenizer.split_tokens_on_unicode(list(tokens))
    word: list[Part] = []
    for text, group in zip(texts, groups, strict=True):
        if "\ufffd" in text:
            break
        alone = language in _UNSPACED_LANGUAGES or is_unspaced(text[:1] or " ")
        if word and (alone or text.startswith(" ")):
            yield from _without_tail(word)
            word = []
        word.append((text, tuple(group)))
    if word:
        yield from _without_tail(word)


def _without_tail(parts: list[Part]) -> Iterator[Part]:
    """Yield a word, and the punctuation behind it by itself."""
    end = len(parts)
    while end > 1 and not any(c.isalnum() for c in parts[end - 1][0]):
        end -= 1
    for some in (parts[:end], parts[end:]):
        if some:
            yield "".join(text for text, _ in some), tuple(t for _, group in some for t in group)
