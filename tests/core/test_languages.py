"""Our list of languages is Whisper's."""

from faster_whisper.tokenizer import _LANGUAGE_CODES

from wyoming_streamwhisper.core.languages import LANGUAGES


def test_the_codes_are_those_of_the_library() -> None:
    assert sorted(_LANGUAGE_CODES) == sorted(LANGUAGES)
