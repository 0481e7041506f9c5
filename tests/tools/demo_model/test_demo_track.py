"""Windows are cut as streaming cuts them, and what is written fits what is heard."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tools.demo_model.sound import RATE, noise, spoil, stretch
from tools.demo_model.sounds import by_written_word, numbers_of
from tools.demo_model.track import Track


def row(text: str, *, marked: bool = True, guessed: tuple[int, ...] = ()) -> dict:
    """Give a corpus row whose words take 0.5 s each and sound like "t"."""
    n = len(text.split())
    marks = [[500 * i, 500 * (i + 1)] for i in range(n)] if marked else None
    return {
        "text": text,
        "language": "en",
        "marks": marks,
        "guessed": list(guessed),
        "names": [],
        "sounds": ["t"] * n if marked else ["t " * n],
    }


def spoken(text: str) -> np.ndarray:
    """Give audio in which word i is the constant i + 1."""
    n = len(text.split())
    return np.repeat(np.arange(1, n + 1), RATE // 2).astype(np.float32)


def track_of(*texts: str) -> Track:
    track = Track("en")
    for text in texts:
        track.silence(0.5)
        track.add(row(text), spoken(text))
    return track


def test_a_whole_window_holds_every_sentence():
    """Nothing is lost without a cut."""
    window = track_of("Turn it on.", "Good night.").window(0, None, 0, random.Random(1))
    assert [p.text for p in window.pieces] == ["Turn it on.", "Good night."]
    assert [round(p.start, 2) for p in window.pieces] == [0.5, 2.5]
    assert window.before == ""


def test_a_cut_window_loses_the_words_after_it_and_their_mark():
    """The words written are those whose audio is there."""
    window = track_of("Turn the light, now.").window(0, 3, 0.0, random.Random(1))
    assert window.pieces[0].text == "Turn the light"
    assert window.audio[-1] == 3


def test_a_begun_window_tells_the_words_before():
    """What was said before the window is its prompt."""
    window = track_of("Turn the light on.").window(2, None, 0, random.Random(1))
    assert window.before == "Turn the"
    assert window.pieces[0].text == "light on."
    assert window.pieces[0].start == 0
    assert np.count_nonzero(window.audio == 2) <= 0.06 * RATE
    assert np.count_nonzero(window.audio == 3) == RATE // 2


def test_word_times_follow_the_speed():
    """A sentence spoken twice as fast has its words at half their times."""
    track = Track("en")
    text = "Turn the light on."
    track.add(row(text), spoken(text), 2.0)
    assert track.lines[0].span(2) == pytest.approx((0.5, 0.75))
    assert track.seconds == pytest.approx(1.0)


def test_guessed_words_are_no_place_to_cut():
    """A cut needs a time that the synthesizer gave."""
    track = Track("en")
    track.add(row("Turn on the light.", guessed=(2,)), spoken("Turn on the light."))
    assert track.lines[0].cuts() == [1, 3]


def test_a_voice_without_marks_is_not_cut():
    """Without times there is no cut."""
    track = Track("en")
    track.add(row("Turn it on.", marked=False), spoken("Turn it on."))
    assert track.lines[0].cuts() == []


@pytest.mark.parametrize("n", [1, 399, 4000, 16001])
def test_spoilt_audio_keeps_its_length_and_range(n):
    """Rooms and noise change neither the number of samples nor the scale."""
    rng = np.random.default_rng(n)
    for _ in range(12):
        audio = spoil(rng.standard_normal(n).astype(np.float32), rng, 1.0)
        assert audio.shape == (n,)
        assert audio.dtype == np.float32
        assert np.abs(audio).max() <= 1


def test_every_kind_of_noise_has_unit_peak():
    """Noise is scaled by its caller alone; of clicks there may be none."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        sound = noise(rng, 3200)
        assert len(sound) == 3200
        assert np.abs(sound).max() < 1e-3 or np.abs(sound).max() == pytest.approx(1, abs=1e-3)


def test_stretching_changes_the_length():
    """A factor above one is faster speech."""
    assert len(stretch(np.zeros(1000, np.float32), 1.25)) == 800


def test_a_cut_window_sounds_like_its_words():
    """What is cut away is not to be heard; of a whole line all is."""
    track = track_of("Turn the light, now.", "Stop it.")
    t = numbers_of("t")
    assert track.window(0, None, 0.0, random.Random(1)).sounds == t * 6
    assert track.window(1, None, 0.0, random.Random(1)).sounds == t * 5


def test_a_cut_window_whose_words_sound_unknown_has_no_sounds():
    """Phonemes that are known of the whole line alone teach nothing about a part."""
    track = Track("en")
    whole = row("Set it to 23.") | {"sounds": ["t t t t t"]}
    track.add(whole, spoken("Set it to 23."))
    assert track.window(0, None, 0.0, random.Random(1)).sounds == numbers_of("t") * 5
    assert track.window(0, 3, 0.0, random.Random(1)).sounds == []


def test_words_said_as_one_sound_together():
    """The first of them has all phonemes; where the words differ the sentence keeps its own."""
    said = [["t", "3:", "n"], ["0", "n", "D", "@"], ["l", "aI", "t"]]
    assert by_written_word(said, [0, 1, 3], 4) == ["t 3: n", "0 n D @", "", "l aI t"]
    assert by_written_word(said, [0, 1], 2) == ["t 3: n 0 n D @ l aI t"]


def test_marks_among_phonemes_are_no_sounds():
    """espeak-ng writes where words end and begin anew between its phonemes."""
    assert numbers_of("a ! !b ; unheard-of") == numbers_of("a b")
