"""Where pieces are closed: by sample indices alone, in silence, and never beyond what is full."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.cuts import Cut, Cuts, Seen, between_words
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.voice import FRAME, SHORTEST_SPEECH, Voice
from wyoming_streamwhisper.core.words import Word

OPTIONS = Streaming(piece_min=1.0, piece_max=6.0, piece_pause=0.8, settle=0.2)
FULL = 6 * RATE
SETTLE = int(0.2 * RATE)

runs = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=14)


def seen(voice: Voice, sentence: int | None = None, refused: int = 0) -> Seen:
    return Seen(0, voice.pauses(), voice.known, sentence, refused, None)


def judged(*lengths: float) -> Voice:
    """Hear speech and silence in turns, of so many seconds."""
    voice = Voice(0.5)
    for place, length in enumerate(lengths):
        voice.feed([0.99 if place % 2 == 0 else 0.01] * round(length * RATE / FRAME))
    return voice


@settings(max_examples=200)
@given(runs)
def test_a_cut_does_not_depend_on_how_much_is_known_by_then(turns: list[tuple[bool, int]]) -> None:
    # Whether a sentence ends is a matter of texts; tests of the utterance have them.
    cuts, voice, refused = Cuts(OPTIONS), Voice(0.5), FULL
    first = None
    for speaks, frames in turns:
        for _ in range(frames):
            voice.feed([0.99 if speaks else 0.01])
            first = first or cuts.due(seen(voice, refused=refused))
    assert cuts.due(seen(voice, refused=refused)) == first
    if first is None:
        assert not voice.stretches or voice.known < FULL + SHORTEST_SPEECH
    else:
        assert 0 < first.end <= FULL
        if first.silent:
            assert any(b <= first.end <= max(e, b + SETTLE) for b, e in voice.pauses())


@pytest.mark.parametrize(
    ("lengths", "cut"),
    [
        ((0.5, 1.9), None),
        ((0.5, 2.1), 0.5 + 0.2),
        ((2.0, 0.6), 2.0 + 0.2),
        ((5.7, 0.3, 3.0), 5.7 + 0.15),
        ((5.9, 1.0), 5.9 + 0.05),
    ],
    ids=["short", "long pause", "may end a sentence", "full", "too late for a pause"],
)
def test_which_pause_closes_a_piece(lengths: tuple[float, ...], cut: float | None) -> None:
    found = Cuts(OPTIONS).due(seen(judged(*lengths)))
    assert (found and found.end / RATE) == (cut and pytest.approx(cut, abs=2 * FRAME / RATE))


def test_a_sentence_needs_half_the_pause_and_else_the_next_one_as_proof() -> None:
    place = judged(2.0).known + SETTLE
    half = Cuts(OPTIONS).due(seen(judged(2.0, 0.45), sentence=place))
    assert half == Cut(place), "the pause is long enough for the end of a sentence"
    spoken_on = judged(2.0, 0.3, 1.0, 0.3)
    proof = spoken_on.pauses()[1][0] + SETTLE
    assert Cuts(OPTIONS).due(seen(spoken_on, sentence=place)) == Cut(place, True, True, proof)
    assert Cuts(OPTIONS).due(seen(judged(2.0, 0.3, 1.0), sentence=place)) is None, "not known yet"
    refused = Cuts(OPTIONS).due(seen(judged(2.0, 0.3, 1.0), refused=place))
    assert refused is None, "it is not asked twice"


def test_unbroken_speech_is_cut_where_it_is_full() -> None:
    assert Cuts(OPTIONS).due(seen(judged(7.0))) == Cut(FULL, silent=False)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0.05, 1)), max_size=12))
def test_between_words_none_is_lost(gaps: list[tuple[float, float]]) -> None:
    words, at = [], 0.0
    for gap, length in gaps:
        if at + gap + length > FULL / RATE:
            break
        words.append(Word(" w", at + gap, at + gap + length, 0.9, ()))
        at += gap + length
    kept, end = between_words(words, 0, FULL)
    assert kept == tuple(words[: len(kept)])
    assert 0 < end <= FULL
    if len(kept) < len(words):
        assert kept[-1].end * RATE - 1 <= end or end == 1
        assert end <= words[len(kept)].start * RATE + 1 or end == FULL
    else:
        assert end == FULL
