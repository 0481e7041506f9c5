"""Words become texts without stray spaces, and sentences are known by their ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.words import (
    Word,
    agreed,
    append,
    ends_sentence,
    extends,
    goes_on,
    join,
    text_of,
    whole,
)

texts = st.lists(st.text(" ab.,\u4eca日", max_size=4), max_size=8)


def words(text: str) -> list[Word]:
    return [
        Word(f" {part}" if part[0].isalnum() else part, 0.0, 0.0, 1.0, ()) for part in text.split()
    ]


@given(texts)
def test_join_grows(parts: list[str]) -> None:
    whole_text = join(parts)
    assert whole_text == " ".join(whole_text.split())
    for count in range(len(parts)):
        assert whole_text.startswith(join(parts[:count]))


@pytest.mark.parametrize(
    ("text", "more", "together"),
    [("", "b", "b"), ("a", "", "a"), ("a.", "B", "a. B"), ("今日", "は", "今日は")],
)
def test_append(text: str, more: str, together: str) -> None:
    assert append(text, more) == together
    assert extends(text, together)


@pytest.mark.parametrize(
    ("sent", "text", "only_adds"),
    [
        ("turn on", "turn on.", True),
        ("turn on", "turn on the light", True),
        ("turn on", "turn once", False),
        ("turn on", "turn off", False),
        ("at 7", "at 725", False),
        ("今", "今日", True),
        ("", "a", True),
    ],
)
def test_extends(sent: str, text: str, only_adds: bool) -> None:
    assert extends(sent, text) is only_adds


def test_agreed_and_whole() -> None:
    assert agreed(words("a b c"), words("a b d e")) == 2
    assert whole(words("a b . ,"), 4) == 2
    assert whole(words("."), 1) == 0


@pytest.mark.parametrize(
    ("text", "language", "ends"),
    [
        ("it rains .", "en", True),
        ("does it ?", "en", True),
        ('he said it ."', "en", True),
        ("it rains", "en", False),
        ("it rains ,", "en", False),
        ("on March 16 .", "en", True),
        ("am 16 .", "de", False),
        ("es regnet .", "de", True),
        ("今日 。", "ja", True),
        ("", "en", False),
    ],
)
def test_ends_sentence(text: str, language: str, ends: bool) -> None:
    assert ends_sentence(words(text), language) is ends


@pytest.mark.parametrize(
    ("later", "on"),
    [
        ("it rains , because", True),
        ("it rains often .", True),
        ("it rains .", False),
        ("it rains . Play jazz .", False),
        ("it rains ? Play", False),
        ("it rains", False),
        ("it trains because", False),
    ],
)
def test_goes_on(later: str, on: bool) -> None:
    assert goes_on(words("it rains ."), words(later)) is on


def test_text_of_has_no_space_before_punctuation() -> None:
    assert text_of(words("turn on , please .")) == "turn on, please."
