"""How many words of a text another one has otherwise."""

from wyoming_streamwhisper.transcribe.compare import word_differences


def test_case_and_marks_do_not_count():
    assert word_differences("Turn it off.", "turn it, off") == 0.0
    assert word_differences("one two three four", "one three four") == 0.25
    assert word_differences("", "x") == 1.0
