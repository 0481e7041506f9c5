"""Which clips are spoken, and where their voices end."""

import numpy as np

from benchmarks.accuracy import Clip
from benchmarks.speech import Spoken, choose, end_of_speech, stream


def clip(file: str, lang: str, marked: bool) -> Clip:
    return Clip(file, "command", lang, 1.0, "Turn on.", ((0.0, 0.4), (0.4, 0.9)) if marked else ())


def test_languages_take_turns_and_marked_clips_come_first() -> None:
    offered = [clip(f"{lang}{i}", lang, i < 2) for lang in ("de", "en") for i in range(4)]
    chosen = choose(offered, 6)
    assert [one.lang for one in chosen] == ["de", "en"] * 3
    assert [bool(one.marks) for one in chosen] == [True] * 4 + [False] * 2
    assert choose(offered, 6) == chosen
    assert len(choose(offered, 99)) == 8


def test_the_voice_ends_with_its_last_word_or_its_last_loud_block() -> None:
    audio = np.zeros(16_000, np.int16)
    audio[4000:8000] = 3000
    assert end_of_speech(clip("a", "en", marked=True), audio) == 0.9
    assert end_of_speech(clip("a", "en", marked=False), audio) == 0.5
    assert end_of_speech(clip("a", "en", marked=False), audio[:100]) == 1.0


def test_a_stream_is_as_long_as_asked() -> None:
    spoken = [Spoken(clip("a", "en", marked=True), np.full(16_000, 7, np.int16), 0.9)]
    audio = stream(spoken, 4.0)
    assert len(audio) == 64_000
    assert set(audio[16_000:24_000]) == {0}
    assert set(audio[24_000:40_000]) == {7}
