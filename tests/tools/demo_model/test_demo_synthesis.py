"""What the synthesizers' words become."""

from __future__ import annotations

import random
import shutil
from ctypes.util import find_library

import numpy as np
import pytest

pytest.importorskip("soxr")
pytest.importorskip("tqdm")

from tools.demo_model import corpus, synthesis, voices
from tools.demo_model.espeak import Manner, shared

needs_espeak = pytest.mark.skipif(find_library("espeak-ng") is None, reason="needs espeak-ng")
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")


def test_run_on_words_get_guessed_starts():
    """Words that espeak-ng says as one share their time by their letters."""
    marks, guessed = synthesis.fill_marks({0: 0, 1: 300, 3: 600}, ["turn", "in", "the", "sun"], 900)
    assert marks == [(0, 300), (300, 428), (428, 600), (600, 900)]
    assert guessed == [2]


def test_marks_out_of_order_are_none():
    """Without a first word, or with one before its time, there are no marks."""
    assert synthesis.fill_marks({1: 5}, ["a", "b"], 9) is None
    assert synthesis.fill_marks({0: 5, 1: 5}, ["a", "b"], 9) is None


def test_spoken_characters_know_their_written_word():
    """A clock time is one written word however many are said."""
    said, owner = synthesis.words_as_spoken("at 7:05 now", "en")
    assert said == "at 7 oh 5 now"
    assert [owner[said.index(w)] for w in ("at", "7", "oh", "5", "now")] == [0, 1, 1, 1, 2]


def test_trimming_keeps_30_ms_of_silence():
    """Silence around speech goes, a little stays."""
    audio = np.concatenate([np.zeros(4000), np.full(100, 9000), np.zeros(4000)]).astype(np.int16)
    trimmed, cut = synthesis.trim(audio)
    assert (len(trimmed), cut) == (100 + 480 + 479, 4000 - 480)


def test_the_split_keeps_training_away_from_evaluation():
    """A sentence of one split never appears in the other."""
    rng = random.Random(1)
    for split in ("train", "eval"):
        for _ in range(60):
            s = synthesis.draw(rng, split, "en")
            pair = synthesis.Pair(s.text, s.other)
            assert synthesis.is_eval(pair) == (split == "eval")


def test_no_held_out_voice_is_in_the_plan():
    """The training's voices and the held-out ones are different."""
    planned = {job.voice for job in corpus.plan(2000, 100, 1)}
    assert not planned & set(voices.HELD_OUT_NATURAL)
    assert not set(voices.VARIANTS) & set(voices.HELD_OUT_VARIANTS)


def test_jobs_of_a_plan_differ_in_name_and_seed():
    """No two jobs speak the same."""
    jobs = corpus.plan(5000, 300, 1)
    assert len({job.name for job in jobs}) == len({(j.voice, j.seed) for j in jobs}) == len(jobs)


@needs_espeak
def test_espeak_gives_audio_and_the_words_in_order():
    """Marks grow, and the sound is there."""
    audio, words = shared().say("turn left now", "gmw/en-US", Manner(150, 50, 50))
    assert len(audio) > 5000
    assert [position for position, _ in words] == [0, 5, 10]
    assert [ms for _, ms in words] == sorted(ms for _, ms in words)


@needs_espeak
def test_a_job_is_spoken_once(tmp_path):
    """What is complete is not spoken again; joining keeps the plan's order."""
    jobs = [corpus.Job("espeak", 2, 5), corpus.Job("espeak", 2, 4)]
    (tmp_path / "jobs").mkdir()
    corpus.speak(jobs, tmp_path, 1)
    before = (tmp_path / "audio.i16").read_bytes()
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "jobs").iterdir()}
    corpus.speak(jobs, tmp_path, 1)
    assert (tmp_path / "audio.i16").read_bytes() == before
    assert times == {p: p.stat().st_mtime_ns for p in (tmp_path / "jobs").iterdir()}
    loaded = corpus.Corpus(tmp_path)
    assert sum(row["n"] for row in loaded.rows) * 2 == len(before)
    assert loaded.audio(loaded.rows[-1]).shape == (loaded.rows[-1]["n"],)


@needs_espeak
@needs_flite
def test_another_voice_leaves_espeak_its_audio():
    """The phonemes of flite's sentences come from the synthesizer that speaks others."""
    shared()
    sentence = synthesis.Sentence("en", "Good night.")
    synthesis.speak_process(random.Random(1), sentence, voices.parse("flite:kal16"))
    clip = synthesis.speak_espeak(random.Random(1), sentence, voices.parse("espeak:gmw/en"))
    assert synthesis.usable(clip)
    assert clip.sounds == ["g U d", "n aI t"]


@needs_espeak
@needs_flite
def test_flite_speaks_at_16_khz():
    """The other voices are processes of their own."""
    sentence = synthesis.Sentence("en", "Good night.")
    clip = synthesis.speak_process(random.Random(1), sentence, voices.parse("flite:kal16"))
    assert synthesis.usable(clip)
    assert clip.marks is None
