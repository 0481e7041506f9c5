"""Words of tokens, by the real tokenizer, in several scripts."""

import itertools
from functools import cache
from typing import Any

import pytest
import tokenizers
from faster_whisper.tokenizer import Tokenizer
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.tokens import split_words


@cache
def whisper() -> Any:
    tokenizer = tokenizers.Tokenizer.from_file(str(resolve(ModelOptions()).tokenizer))
    return Tokenizer(tokenizer, True, task="transcribe", language="en")


def encode(text: str) -> list[int]:
    return whisper().tokenizer.encode(text, add_special_tokens=False).ids


def words(text: str) -> list[str]:
    return [word for word, _ in split_words(encode(text), whisper())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Turn on the light.", [" Turn", " on", " the", " light", "."]),
        (" I don't know, it's Bob's.", [" I", " don't", " know", ",", " it's", " Bob's", "."]),
        (" Set an alarm for 11:30.", [" Set", " an", " alarm", " for", " 11:30", "."]),
        (" It costs 1,234.50 euros!", [" It", " costs", " 1,234.50", " euros", "!"]),
        (" Who? Me...", [" Who", "?", " Me", "..."]),
        (' He said "no".', [" He", " said", ' "no', '".']),
        (" well-known e.g. here", [" well-known", " e.g", ".", " here"]),
        (" Grüße aus Österreich, Straße 5.", None),
        (" Wie heißt der Regenschirmständer?", None),
        (" Привет, как дела?", [" Привет", ",", " как", " дела", "?"]),
        (" ¿Qué tal?", [" ¿Qué", " tal", "?"]),
    ],
)
def test_words_stand_between_spaces(text, expected):
    found = words(text)
    assert "".join(found) == text
    if expected is not None:
        assert found == expected
    else:
        assert [w for w in found if w.startswith(" ")] == [
            " " + w.rstrip(".,?") for w in text.split()
        ]


@pytest.mark.parametrize("text", ["今日は天気がいいです。", "打开客厅的灯。", "สวัสดีครับ", "ເປີດໄຟ"])
def test_scripts_without_spaces_have_short_words(text):
    found = words(text)
    assert "".join(found) == text
    assert len(found) > len(text) / 4
    assert not any("\ufffd" in word for word in found)


def test_latin_letters_in_such_scripts_stay_together():
    found = words("私のGoogleカレンダーとWi-Fiを見て")
    assert "Google" in found
    assert "Wi-Fi" in found


def test_half_a_character_at_the_end_waits_for_its_other_half():
    whole = encode(" Party 🎉")
    texts = [
        "".join(word for word, _ in split_words(whole[:n], whisper()))
        for n in range(1, len(whole) + 1)
    ]
    assert len(whole) > 2
    assert texts[-1] == " Party 🎉"
    assert not any("\ufffd" in text for text in texts)
    assert all(after.startswith(text) for text, after in itertools.pairwise(texts))


def test_a_broken_character_takes_nothing_else_away():
    tokens = [*encode(" Party"), encode("🎉")[0], *encode(" on Sunday.")]
    parts = list(split_words(tokens, whisper()))
    assert "".join(word for word, _ in parts) == " Party on Sunday."
    assert [token for _, some in parts for token in some] == tokens


@given(st.text(max_size=40))
def test_all_tokens_are_kept_in_order(text):
    tokens = encode(text)
    parts = list(split_words(tokens, whisper()))
    assert [token for _, some in parts for token in some] == tokens[: sum(len(s) for _, s in parts)]
    assert all(some for _, some in parts)
    if "\ufffd" not in text:
        assert "".join(word for word, _ in parts) == whisper().decode(tokens)


@given(st.lists(st.integers(0, 50256), max_size=20))
def test_any_tokens_make_words(tokens):
    for word, some in split_words(tokens, whisper()):
        assert "\ufffd" not in word
        assert some


def test_nothing_is_no_word():
    assert words("") == []
