"""Each format is what its readers expect."""

import json

from wyoming_streamwhisper.core.captions import Segment
from wyoming_streamwhisper.core.words import Word
from wyoming_streamwhisper.files.formats import FORMATS, write
from wyoming_streamwhisper.files.result import Result

WORDS = (Word(" Hello", 1.0, 1.5, 0.87654, (1,)), Word(".", 1.5, 1.5, 0.5, (2,)))
SEGMENTS = (
    Segment(1.0, 1.5, "Hello.", "en", WORDS, float("-inf"), 0.25),
    Segment(3661.0, 3662.2345, "a < b & c --> d", "en", ()),
)
RESULT = Result(SEGMENTS, "Hello. a < b & c --> d", "en", 3700.0)


def test_text():
    assert write(RESULT, "txt") == "Hello.\na < b & c --> d\n"


def test_srt():
    assert write(RESULT, "srt") == (
        "1\n00:00:01,000 --> 00:00:01,500\nHello.\n\n"
        "2\n01:01:01,000 --> 01:01:02,234\na < b & c -> d\n"
    )


def test_vtt():
    assert write(RESULT, "vtt") == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:01.500\nHello.\n\n"
        "01:01:01.000 --> 01:01:02.234\na &lt; b &amp; c -> d\n"
    )


def test_tsv():
    assert write(RESULT, "tsv").splitlines()[:2] == ["start\tend\ttext", "1000\t1500\tHello."]


def test_json_holds_everything():
    said = json.loads(write(RESULT, "json"))
    assert (said["text"], said["language"], said["duration"]) == (RESULT.text, "en", 3700.0)
    word = {"word": " Hello", "start": 1.0, "end": 1.5, "probability": 0.877}
    assert said["segments"][0]["words"][0] == word


def test_a_long_subtitle_has_two_lines():
    text = "The quick brown fox jumps over the lazy dog and then it sleeps."
    result = Result((Segment(0.0, 5.0, text, "en", ()),), text, "en", 5.0)
    lines = write(result, "srt").splitlines()[2:]
    assert " ".join(lines) == text
    assert max(map(len, lines)) <= 42


def test_nobody_spoke():
    empty = Result((), "", "", 5.0)
    for form in FORMATS:
        assert write(empty, form).endswith("\n") or form in ("txt", "srt")
