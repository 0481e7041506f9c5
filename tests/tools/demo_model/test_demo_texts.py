"""What is said: the grammar, the invented names, the free sentences, and the split."""

from __future__ import annotations

import random

import pytest

from tools.demo_model import free, grammar, names


def test_both_languages_of_a_pair_hold_the_same_numbers():
    """Digits of the English sentence are those of the German one."""
    rng = random.Random(1)
    for _ in range(500):
        pair = grammar.sample(rng)
        if ":" in pair.en:
            continue
        digits = [w.strip(".,?") for w in pair.en.split() if w.strip(".,?").isdigit()]
        german = [w.strip(".,?") for w in pair.de.split()]
        assert all(number in german for number in digits), pair


def test_sentences_are_written_as_whisper_writes_them():
    """A capital at the beginning, a mark at the end, no slot left open."""
    rng = random.Random(2)
    for _ in range(500):
        for text in (lambda p: (p.en, p.de))(grammar.sample(rng)):
            assert text[0] == text[0].upper()
            assert text[-1] in ".?"
            assert "{" not in text


def test_a_clock_time_is_spoken_as_people_do():
    """English minutes below ten are said with "oh"; German times are written as spoken."""
    assert grammar.spoken_word("7:05", "en") == "7 oh 5"
    assert grammar.spoken_word("7:30", "en") == "7 30"
    assert grammar.spoken_word("7", "de") == "7"


def test_names_are_drawn_alike_from_one_seed():
    """The recipe repeats itself."""
    first = [names.invent(random.Random(7)) for _ in range(3)]
    again = [names.invent(random.Random(7)) for _ in range(3)]
    assert first == again


def test_training_never_says_a_held_out_name():
    """The two splits share no name."""
    rng = random.Random(3)
    train = {name for _ in range(300) for name in names.sample_named(rng, "train").names}
    held = {name for _ in range(100) for name in names.sample_named(rng, "eval").names}
    assert not train & held
    assert not any(names.held_out(name) for name in train)
    assert all(names.held_out(name) for name in held)


def test_a_named_sentence_holds_its_names_in_both_languages():
    """Names are the same in English and in German."""
    rng = random.Random(4)
    for _ in range(200):
        named = names.sample_named(rng, "train")
        assert named.names
        assert all(name in named.pair.en and name in named.pair.de for name in named.names)


def test_a_respelled_name_keeps_its_first_letter():
    """Respelling changes what sounds alike, inside the name."""
    rng = random.Random(5)
    spelled = {names.respell("Katrin", rng) for _ in range(40)}
    assert len(spelled) > 2
    assert all(name.startswith("K") for name in spelled)


@pytest.mark.parametrize(
    ("text", "language", "tidied"),
    [
        ("the  corn is up!", "en", "The corn is up."),
        ("Wo ist der  Hund?", "de", "Wo ist der Hund?"),
        ("he paid $5 for it", "en", None),
        ("the USA is large", "en", None),
        ("too short", "en", None),
    ],
)
def test_only_sentences_that_are_read_as_written_are_taken(text, language, tidied):
    """Digits, signs and abbreviations are left out."""
    assert free.tidy(text, language) == tidied


def test_a_missing_package_gives_no_free_sentences(monkeypatch, tmp_path):
    """The grammar alone is spoken where WordNet is not installed."""
    monkeypatch.setattr(free, "WORDNET", tmp_path / "none")
    assert free.sentences("en") == []
