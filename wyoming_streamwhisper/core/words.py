"""Words as a model writes them, and the text that they make.

A `Word` is what stands between two spaces, with its leading space as Whisper gives it. Punctuation
behind a word is a word of its own (" light", "."), so that a word can be sent before it is known
what follows it. Scripts that write no spaces have one word a character group.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "MYANMAR", "KHMER", "TIBETAN")
_ENDS = (".", "?", "!", "\u2026", "\u3002", "\uff1f", "\uff01", "\u0964", "\u061f")
_ORDINALS = frozenset(("cs", "da", "de", "et", "fi", "hr", "hu", "no", "pl", "sk", "sl", "tr"))
"""Languages in which a full stop behind a number makes it an ordinal ("am 25. März")."""
_CLOSING = "\"')]\u00bb\u201c\u201d\u2019\u300d"


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its time in the audio (seconds from the utterance's begin)."""

    text: str
    start: float
    end: float
    probability: float
    tokens: tuple[int, ...]
    """The model's own ids, to be forced as a prefix; the core never looks into them."""

    @property
    def is_punctuation(self) -> bool:
        """Whether nothing in it can be spoken."""
        return not any(c.isalnum() for c in self.text)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the model heard in a stretch of audio."""

    words: tuple[Word, ...]
    """The words behind the forced prefix."""
    language: str
    language_probability: float = 1.0
    plausible: bool = True
    """False where a guard found it looping, made up or cut off."""
    average_logprob: float = 0.0
    """Mean log-probability of its tokens."""
    no_speech: float = 0.0
    """The model's own probability that nobody speaks."""
    end: float = 1.0
    """The model's own probability that the text ends behind the last word."""

    def later(self, seconds: float) -> "Hypothesis":
        """Return the same with all times so much later."""
        words = (replace(w, start=w.start + seconds, end=w.end + seconds) for w in self.words)
        return replace(self, words=tuple(words))


def join(parts: Iterable[str]) -> str:
    """Return one text of words' texts: no leading, trailing or double spaces.

    For any n, the join of the first n is a prefix of the join of all, because a space is only
    written once something follows it.
    """
    return " ".join("".join(parts).split())


def text_of(words: Iterable[Word]) -> str:
    """Return the text of words."""
    return join(word.text for word in words)


def append(text: str, more: str) -> str:
    """Return two texts as one, with a space between them where the script writes spaces."""
    if not text or not more:
        return text or more
    return text + more if is_unspaced(text[-1]) and is_unspaced(more[0]) else f"{text} {more}"


def ends_sentence(words: Sequence[Word], language: str) -> bool:
    """Whether the last of the words looks like the end of a sentence."""
    text = text_of(words).rstrip(_CLOSING)
    ordinal = language in _ORDINALS and text[-2:-1].isdigit() and text.endswith(".")
    return text.endswith(_ENDS) and not ordinal


def goes_on(sentence: Sequence[Word], words: Sequence[Word]) -> bool:
    """Whether the words, heard in more audio, go on in what had looked like a whole sentence."""
    count = whole(sentence, len(sentence))
    if agreed(words, sentence) < count or len(words) == count:
        return False
    behind = words[count]
    return not (behind.is_punctuation and ends_sentence((behind,), ""))


def is_unspaced(character: str) -> bool:
    """Whether the character belongs to a script that writes no spaces between words."""
    if character.isascii():
        return False
    return unicodedata.name(character, "").startswith(_UNSPACED)


def extends(sent: str, text: str) -> bool:
    """Whether `text` only adds to what was sent: whole words, not letters behind a word's end."""
    if not text.startswith(sent):
        return False
    rest = text[len(sent) :]
    if not sent or not rest:
        return True
    return not (sent[-1].isalnum() and rest[0].isalnum()) or is_unspaced(rest[0])


def same(a: Word, b: Word) -> bool:
    """Whether two words read alike."""
    return a.text == b.text


def agreed(a: Sequence[Word], b: Sequence[Word]) -> int:
    """Return how many words at the begin of both are the same."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if not same(one, other):
            break
        count += 1
    return count


def whole(words: Sequence[Word], count: int) -> int:
    """Return the largest number up to `count` that leaves no punctuation at the end.

    Punctuation behind the last word may still change when more is heard.
    """
    while count and words[count - 1].is_punctuation:
        count -= 1
    return count
