"""Examples hold the tokens that Whisper should write, and batches what a step needs."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("whisper")

import torch

from tools.demo_model import batching
from tools.demo_model import vocabulary as v
from tools.demo_model.batching import IGNORED, begin, collate, shifted, targets_of
from tools.demo_model.corpus import Corpus
from tools.demo_model.examples import Example, Maker, Mix
from tools.demo_model.track import FULL_S, Track
from tools.demo_model.training import Phase, Plan, Trainer

RATE = 16000
TEXTS = [
    ("en", "Turn on the light in the kitchen.", "Schalte das Licht in der Küche ein.", []),
    ("en", "Call Melrose.", "Ruf Melrose an.", ["Melrose"]),
    ("de", "Schalte den Ventilator aus.", "Switch off the fan.", []),
    ("de", "Ruf Tarvin an.", "Call Tarvin.", ["Tarvin"]),
]

TRAINING = """
import sys
from pathlib import Path
from tools.demo_model.batching import Loader, Source

if __name__ == "__main__":
    loader = Loader(Source(Path(sys.argv[1]), tuple(range(256, 50_000)), 5.0, 1))
    print(loader._process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Give a corpus of tones, 0.4 s a word."""
    rows, parts, offset = [], [], 0
    for language, text, other, names in TEXTS * 3:
        n = len(text.split())
        audio = (np.sin(np.arange(int(0.4 * RATE) * n) / 7) * 9000).astype(np.int16)
        marks = [[400 * i, 400 * (i + 1)] for i in range(n)]
        rows.append(
            {
                "offset": offset,
                "n": len(audio),
                "language": language,
                "text": text,
                "other": other,
                "names": names,
                "kind": "names" if names else "grammar",
                "voice": f"espeak:gmw/{language}",
                "marks": marks,
                "guessed": [],
                "sounds": ["t"] * n,
            }
        )
        parts.append(audio)
        offset += len(audio)
    np.concatenate(parts).tofile(tmp_path / "audio.i16")
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Corpus(tmp_path)


@pytest.fixture
def vocabulary() -> v.Vocabulary:
    """Give the tokens of the texts."""
    texts = [text for _, a, b, _ in TEXTS for text in (a, b)]
    return v.Vocabulary(v.count_tokens([*texts, "Names:"]))


@pytest.fixture
def maker(corpus, vocabulary) -> Maker:
    """Give a maker over the tones."""
    return Maker(corpus, vocabulary, 1)


def text_of(example: Example) -> str:
    tokens = example.tokens[example.first :]
    return v.TOKENIZER.decode([t for t in tokens if t < v.EOT]).strip()


def test_whole_sentences_are_written_whole(maker):
    """A sentence that is not cut has its mark at the end."""
    for _ in range(30):
        assert text_of(maker.single("whole")) in {a for _, a, _, _ in TEXTS}


def test_translations_are_english_and_say_so(maker):
    """The German rows are written in English behind the task's token."""
    for _ in range(20):
        example = maker.single("translate")
        assert v.TRANSLATE in example.tokens
        assert text_of(example) in {b for language, _, b, _ in TEXTS if language == "de"}


def test_cut_sentences_are_their_own_beginnings(maker):
    """Every cut text begins one of the sentences."""
    for _ in range(30):
        text = text_of(maker.single("cut"))
        assert any(a.startswith(text) for _, a, _, _ in TEXTS)


def test_begun_sentences_are_their_own_ends(maker):
    """Every begun text ends one of the sentences."""
    for _ in range(30):
        text = text_of(maker.single("begun"))
        assert any(a.endswith(text) for _, a, _, _ in TEXTS)


def test_long_windows_stay_below_their_limit_and_in_order(maker):
    """Timestamps never go back, and the audio fits."""
    for limit in (6.0, 15.0, 29.9):
        for _ in range(8):
            example = maker.long(limit)
            assert len(example.audio) / RATE <= FULL_S + 3
            stamps = [t for t in example.tokens if t >= v.TIMESTAMP_0]
            assert stamps == sorted(stamps)


def test_a_full_window_leaves_its_last_sentence_open(maker):
    """At 30 s the unfinished sentence has a start and no text: the next window begins there."""
    opened = 0
    for _ in range(40):
        tokens = maker.long(29.9).tokens
        if tokens[-2] >= v.TIMESTAMP_0 and tokens[-3] >= v.TIMESTAMP_0:
            opened += 1
            assert (tokens[-2] - v.TIMESTAMP_0) * 0.02 > 25
    assert opened


def test_word_spans_lie_inside_the_audio(maker):
    """Guided attention points at audio that is there, in the tokens' order."""
    for how in ("whole", "cut", "begun", "both"):
        example = maker.single(how)
        starts = [start for _, start, _ in example.spans]
        assert starts == sorted(starts)
        assert all(0 <= start < len(example.audio) / RATE + 0.1 for start in starts)


def test_given_tokens_are_no_targets():
    """Prompt, task and NO_TIMESTAMPS count for nothing; the language and the text do."""
    tokens = [v.PREV, 11, 12, v.SOT, v.LANGUAGE["en"], v.TRANSCRIBE, v.NO_TIMESTAMPS, 21, v.EOT]
    goal = targets_of(Example(np.zeros(1, np.float32), tokens, 3)).tolist()
    assert goal == [IGNORED] * 3 + [v.LANGUAGE["en"], IGNORED, IGNORED, 21, v.EOT]


def test_silence_targets_no_speech():
    """Behind SOT a silent window says that nobody speaks."""
    tokens = [v.SOT, v.LANGUAGE["en"], v.TRANSCRIBE, v.NO_TIMESTAMPS, v.EOT]
    goal = targets_of(Example(np.zeros(1, np.float32), tokens, 0, silent=True)).tolist()
    assert goal == [v.NO_SPEECH, IGNORED, IGNORED, v.EOT]


def test_a_batch_is_padded_alike_for_all(maker, vocabulary):
    """Features, tokens and targets of a batch have one length each."""
    examples = [maker.single("whole") for _ in range(5)]
    batch = collate(examples, random.Random(2), vocabulary)
    assert batch.mel.shape[:2] == (5, 80)
    assert batch.mel.shape[2] % 2 == 0
    assert batch.tokens.shape == batch.targets.shape
    assert int(batch.tokens.max()) <= vocabulary.shared
    assert (batch.spans[:, 0] < len(batch.tokens)).all()
    written = [len([e for e in (example, example.again) if e]) for example in examples]
    assert batch.heard.tolist() == [b for b, count in enumerate(written) for _ in range(count)]


def test_what_is_heard_is_written_in_two_ways(corpus, vocabulary):
    """The second is another of Whisper's tasks for the same audio, never another text."""
    maker = Maker(corpus, vocabulary, 1, Mix(again=1.0))
    english = {a: b for language, a, b, _ in TEXTS if language == "de"}
    seen = set()
    for _ in range(60):
        example = maker.single("whole")
        again = example.again
        assert again is not None
        assert again.audio is example.audio
        if v.TRANSLATE in again.tokens:
            assert text_of(again) == english[text_of(example)]
        else:
            assert text_of(again) == text_of(example)
        seen.add((v.TRANSLATE in again.tokens, v.NO_TIMESTAMPS in again.tokens))
    assert len(seen) == 4


def test_only_whole_german_windows_are_translated_again(corpus, vocabulary):
    """Half a sentence has no translation."""
    maker = Maker(corpus, vocabulary, 1, Mix(again=1.0, again_translated=1.0))
    whole = {a for language, a, _, _ in TEXTS if language == "de"}
    translated = set()
    for how in ("cut", "begun", "both", "whole") * 20:
        example = maker.single(how)
        if v.TRANSLATE in example.again.tokens:
            translated.add(text_of(example))
    assert translated == whole


def test_a_vocabulary_carries_an_embedding_over():
    """Kept rows keep their vectors, new ones begin as the shared one."""
    old, new = v.Vocabulary([1000, 1001]), v.Vocabulary([1001, 1002])
    embedding = torch.randn(old.rows, 3)
    carried = new.carry(embedding, old.kept)
    assert torch.equal(carried[new.row[1001]], embedding[old.row[1001]])
    assert torch.equal(carried[new.row[1002]], embedding[-1])
    assert carried.shape == (new.rows, 3)


def test_the_shared_row_stands_for_all_other_tokens():
    """Its logit is raised by the logarithm of their number."""
    vocabulary = v.Vocabulary([])
    others = v.N_VOCAB - len(vocabulary.kept)
    assert vocabulary.offset()[-1].exp().item() == pytest.approx(others, rel=1e-3)
    assert not vocabulary.offset()[:-1].any()


def test_a_track_without_marks_can_still_be_heard(maker):
    """Where no word has its times, all of a sentence's tokens have the sentence's."""
    row = {**maker.corpus.rows[0], "marks": None}
    track = Track("en")
    track.add(row, maker.corpus.audio(row))
    window = track.window(0, None, 0, random.Random(1))
    example = maker.example(window, stamps=False, hard=0)
    assert {(start, end) for _, start, end in example.spans} == {(0.0, 2.8)}
    assert text_of(example) == row["text"]


def test_a_timestamp_is_read_off_at_its_time(maker):
    """The guided heads are taught to look where a timestamp points."""
    row = next(row for row in maker.corpus.rows if row["language"] == "de")
    track = Track("de")
    track.silence(0.5)
    track.add(row, maker.corpus.audio(row))
    example = maker.translation(track.window(0, None, 0, random.Random(1)), stamps=True)
    for number, start, end in example.spans:
        if example.tokens[number] >= v.TIMESTAMP_0:
            assert start <= (example.tokens[number] - v.TIMESTAMP_0) * 0.02 <= end
    assert sum(example.tokens[number] >= v.TIMESTAMP_0 for number, _, _ in example.spans) == 2


def test_a_window_that_begins_later_has_later_timestamps():
    """A timestamp is a position of the encoder: both move together."""
    tokens = [v.SOT, v.LANGUAGE["en"], v.TRANSCRIBE, v.TIMESTAMP_0 + 5, 21, v.TIMESTAMP_0 + 50]
    example = Example(np.zeros(1, np.float32), [*tokens, v.EOT], 0)
    moved = shifted(example, 100).tokens
    assert moved[3:6] == [v.TIMESTAMP_0 + 105, 21, v.TIMESTAMP_0 + 150]
    assert shifted(example, 0) is example


def test_no_window_begins_so_late_that_it_passes_30_s():
    """Audio and timestamps end at position 1500 at the latest."""
    tokens = [v.SOT, v.LANGUAGE["en"], v.TRANSCRIBE, v.TIMESTAMP_0, 21, v.TIMESTAMP_0 + 1400]
    example = Example(np.zeros(1, np.float32), [*tokens, v.EOT], 0)
    rng = random.Random(1)
    begins = [begin([example], 1300, rng) for _ in range(50)]
    assert max(begins) > 0
    assert max(begins) <= 100
    assert not any(begin([example], 1500, rng) for _ in range(50))


def test_the_process_that_makes_batches_outlives_no_training(corpus, tmp_path: Path):
    """Killed, the training cannot end it: it sees so itself."""
    script = tmp_path / "training.py"
    script.write_text(TRAINING)
    environment = os.environ | {"PYTHONPATH": str(Path(batching.__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as training:
        assert training.stdout is not None
        maker = os.pidfd_open(int(training.stdout.readline()))
        try:
            training.send_signal(signal.SIGKILL)
            assert select.select([maker], [], [], 60)[0], "it goes on"
        finally:
            os.close(maker)


def test_only_what_a_phase_names_learns(corpus, vocabulary, maker, tmp_path):
    """The encoder hears first, the decoder writes next: the other's weights stand still."""
    batch = collate([maker.single("whole") for _ in range(3)], random.Random(1), vocabulary)
    for phase, learns in ((Phase.HEAR, "encoder"), (Phase.WRITE, "decoder")):
        shares = {"hear": float(phase is Phase.HEAR), "write": float(phase is Phase.WRITE)}
        trainer = Trainer(vocabulary, Plan(steps=9, **shares), tmp_path / learns, "cpu")
        before = {name: w.clone() for name, w in trainer.model.state_dict().items()}
        trainer.learn(batch)
        after = trainer.model.state_dict()
        moved = {name.split(".")[0] for name, w in before.items() if not w.equal(after[name])}
        assert moved - {"sounds", "place"} == {learns}


def test_a_run_is_joined_once_also_after_an_interruption(vocabulary, maker, tmp_path):
    """What the decoder expects is kept until the encoder has learnt alone, then taken in."""
    batch = collate([maker.single("whole") for _ in range(3)], random.Random(1), vocabulary)
    first = Trainer(vocabulary, Plan(steps=2), tmp_path / "first", "cpu")
    first.save()
    plan = Plan(steps=2, hear=0.5, write=0.5)
    run = Trainer(vocabulary, plan, tmp_path / "run", "cpu")
    run.begin_from(tmp_path / "first" / "checkpoint.pt")
    assert not run.is_parted
    run.learn(batch)
    run.save()
    resumed = Trainer(vocabulary, plan, tmp_path / "run", "cpu")
    assert resumed.resume()
    assert resumed.is_parted
    resumed.rejoin([batch])
    assert not resumed.is_parted
    resumed.save()
    again = Trainer(vocabulary, plan, tmp_path / "run", "cpu")
    assert again.resume()
    assert not again.is_parted
