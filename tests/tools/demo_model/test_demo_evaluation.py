"""Figures say what they seem to say."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

pytest.importorskip("jiwer")
pytest.importorskip("soundfile")
pytest.importorskip("tqdm")

from tools.demo_model.evaluation import Findings, Pairs, markdown, words, write


def test_case_and_punctuation_are_no_errors():
    """Words are compared, not their dress."""
    assert words("Turn it ON, at 7:30!") == "turn it on at 7:30"
    pairs = Pairs()
    pairs.add("Turn it on.", "turn it ON")
    pairs.add("Stop now.", "stop")
    assert pairs.error() == 20.0


def test_names_count_where_they_are_spelled_right():
    """A name is right or wrong as a whole."""
    found = Findings()
    found.note_names("with", ["Melrose", "Tarvin"], "Call Melrose and Tarwin.")
    assert found.figures()["names wrong"]["with"] == {"percent": 50.0, "names": 2}


def test_figures_become_tables(tmp_path):
    """JSON and Markdown hold the same figures."""
    found = Findings(word_shift_s=[0.01, 0.03])
    found.note("command en", "short context", "Stop.", "Stop.")
    found.noise_s, found.languages = 120.0, [1, 1]
    figures = found.figures()
    write(figures, tmp_path / "figures")
    assert json.loads((tmp_path / "figures.json").read_text()) == figures
    table = (tmp_path / "figures.md").read_text()
    assert table == markdown(figures)
    assert "| command en | 0.0 |" in table
    assert "median (90 %) | 20.0 ms" in table


def test_a_pause_moves_the_words_behind_it():
    """The words after a pause are heard later, those before it as they were."""
    pytest.importorskip("soxr")
    from tools.demo_model.evalset import Item, joined, paused

    item = Item(np.ones(16000, np.int16), "en", "a b", "", "v", [(0, 0.5), (0.5, 1)])
    later = paused(item, 1)
    assert later.words == [(0, 0.5), (1.0, 1.5)]
    assert len(later.audio) == 24000
    both = joined([item, item], random.Random(1), (0.5, 0.5))
    assert both.text == "a b a b"
    assert both.words == [(0.5, 1.0), (1.0, 1.5), (2.0, 2.5), (2.5, 3.0)]
