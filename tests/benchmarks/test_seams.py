"""What became of words at seams, by hand-made texts, and with the demo model over real cuts."""

from pathlib import Path

from benchmarks.file_systems import Setting, alone, ours
from benchmarks.files import build
from benchmarks.seams import Cutting, Fate, fates, summary, suspects
from tests.clips import FOLDER

ROOT = Path(__file__).parent.parent.parent


def spread(text: str, start: float) -> tuple[tuple[str, float, float], ...]:
    """Return a word for each half a second."""
    return tuple((word, start + i / 2, start + i / 2 + 0.4) for i, word in enumerate(text.split()))


WHOLE = spread("turn the light on in the kitchen and close the door", 0.0)
SAID = [("Turn the light on, in the kitchen, and close the door.", " ".join(w for w, *_ in WHOLE))]


def judged(output, chunks, said=SAID):
    found = fates(said, Cutting(output, chunks))
    return [(one.word, one.kind, one.dropped, one.doubled) for one in suspects(found)]


CHUNKS = ((0.0, 2.5, WHOLE[:5]), (2.5, 6.0, WHOLE[5:]))


def test_whole_texts_have_no_suspects():
    assert judged(WHOLE, CHUNKS) == []


def test_a_word_that_joining_dropped_is_told():
    assert judged(WHOLE[:4] + WHOLE[5:], CHUNKS) == [("in", "missing", True, False)]


def test_a_word_that_the_cut_hurt_is_told_and_one_that_the_model_never_hears_is_not():
    chunks = ((0.0, 2.5, WHOLE[:4]), (2.5, 6.0, WHOLE[5:]))
    output = WHOLE[:4] + WHOLE[5:]
    assert judged(output, chunks) == [("in", "missing", False, False)]
    deaf = [(SAID[0][0], "turn the light on the kitchen and close the door")]
    assert judged(output, chunks, deaf) == []


def test_a_doubled_word_is_told():
    output = (*WHOLE[:5], ("in", 2.5, 2.6), *WHOLE[5:])
    assert judged(output, CHUNKS) == [("in", "extra", False, True)]


def test_words_near_seams_and_away_are_counted_apart():
    places = summary(fates(SAID, Cutting(WHOLE[:1] + WHOLE[2:], CHUNKS)))
    assert (places["near"]["words"], places["away"]["words"]) == (4, 7)
    assert places["near"]["missing"] == 0
    assert places["away"]["missing"] == 1 / 7


def test_the_demo_model_loses_and_doubles_nothing_at_seams(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # `ours` changes it
    file = tmp_path / "recording.wav"
    said = build(FOLDER, 0.5, "en", 1, file)
    demo = ROOT / "wyoming_streamwhisper" / "demo_model"
    setting = Setting(file, "", str(demo), "en", 1, "int8")
    heard = alone(setting, *{str(clip) for _, clip in said})
    clips = [(text, heard[str(clip)]) for text, clip in said]

    def told(*options: str) -> list[Fate]:
        cutting = ours(setting, *options).cutting
        assert cutting is not None
        assert len(cutting.chunks) > 5
        return suspects(fates(clips, cutting))

    # A word or none is misheard beside a cut; what is heard is neither lost nor doubled.
    kindly = told()
    assert not [fate for fate in kindly if fate.dropped or fate.doubled]
    assert len(kindly) <= 1
    # Cuts amid words that share nothing do harm, and it shows.
    assert len(told("chunk_duration=3", "overlap_duration=0")) > 1
