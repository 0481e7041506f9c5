"""The back end on CTranslate2, with the real demo model: its rules, and company not felt."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import make_request
from tests.engine.test_contract import demo_backend
from wyoming_streamwhisper.core.guards import token_budget
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.engine.api import Request
from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend
from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.options import EngineOptions
from wyoming_streamwhisper.engine.row import Row, choose_language

AUDIO = Path(__file__).parent / "audio"
BOTH = ("en", "de")
SAID = {
    "command-en-022": "Set an alarm for 11 o'clock on Sunday.",  # the voice says 11:30
    "command-en-058": "Martin told a funny story, because it was raining.",
    "command-de-003": "Meine Schwester hat vor zwei Tagen den roten Regenschirm verloren.",
}
STARTS = {
    "command-en-058": [0.0, 0.581, 1.094, 1.183, 1.591, 2.521, 3.01, 3.196, 3.428],
    "command-de-003": [0.0, 0.223, 0.667, 0.877, 1.073, 1.436, 1.828, 2.01, 2.36, 2.95],
}
"""Where the words begin, as the voices' own marks say."""


def speech(clip: str) -> np.ndarray:
    return soundfile.read(AUDIO / f"{clip}.flac", dtype="float32")[0]


def ask(clip: str, kind: Kind = Kind.FINAL, **more: object) -> Request:
    return make_request(clip, kind, samples=speech(clip), languages=BOTH, **more)


def decode(request: Request):
    return demo_backend().decode([request])[0]


def heard(request: Request):
    return decode(request).hypothesis


def text(hypothesis) -> str:
    return "".join(word.text for word in hypothesis.words).strip()


def tokens(hypothesis) -> tuple[int, ...]:
    return tuple(token for word in hypothesis.words for token in word.tokens)


# Text


@pytest.mark.parametrize("kind", [Kind.PARTIAL, Kind.FINAL])
@pytest.mark.parametrize("clip", SAID)
def test_hears_what_was_said(clip, kind):
    result = decode(ask(clip, kind))
    assert text(result.hypothesis) == SAID[clip]
    assert result.hypothesis.language == clip[8:10]
    assert result.hypothesis.language_probability > 0.99
    assert result.hypothesis.plausible
    assert result.hypothesis.average_logprob > -0.1
    assert result.context < 10.0


@pytest.mark.parametrize("samples", [0, 1, 100, 399, 16_000, 480_000])
@pytest.mark.parametrize("kind", [Kind.PARTIAL, Kind.FINAL])
def test_silence_of_any_length_has_no_text(samples, kind):
    silence = np.zeros(samples, np.float32)
    found = heard(make_request(kind=kind, samples=silence, languages=BOTH))
    assert text(found) == ""
    assert found.plausible


def test_no_more_than_thirty_seconds_are_looked_at():
    long = np.tile(speech("command-en-058"), 10)
    assert decode(make_request(samples=long, languages=BOTH)).context == 30.0


def test_torch_makes_the_same_features_so_the_same_words_are_heard():
    pytest.importorskip("torch")
    options = EngineOptions(cpu_threads=1, features="torch")
    backend = CTranslate2Backend(resolve(ModelOptions()), options)
    requests = [ask(clip) for clip in ("command-en-058", "command-de-003")]
    for request, result in zip(requests, backend.decode(requests), strict=True):
        assert text(result.hypothesis) == SAID[request.id]


# Company


def any_request():
    """Make requests of one key, with all that may differ between them."""
    prompts = st.sampled_from(
        [Prompt(), Prompt("Martin, Laura."), Prompt("", "The weather was bad. " * 5)]
    )
    return st.builds(
        lambda clip, prompt, forced, timed, languages: (clip, prompt, forced, timed, languages),
        st.sampled_from(list(SAID)),
        prompts,
        st.integers(0, 4),
        st.booleans(),
        st.sampled_from([BOTH, ("en",), ("de",)]),
    )


def build(number: int, clip: str, prompt: Prompt, forced: int, timed: bool, languages) -> Request:
    prefix = tokens(heard(ask(clip)))[:forced]
    request = replace(ask(clip), id=str(number), prompt=prompt, prefix=prefix, timed=timed)
    # Of lengths that share an audio context; that something is cut off does not matter here.
    samples = np.pad(request.samples, (0, 64_000))[: 49_000 + 1000 * number]
    return replace(request, samples=samples, languages=languages)


@settings(max_examples=8)
@given(st.lists(any_request(), min_size=2, max_size=6))
def test_nobody_is_changed_by_company(descriptions):
    requests = [build(number, *one) for number, one in enumerate(descriptions)]
    backend = demo_backend()
    assert len({backend.key(request) for request in requests}) == 1
    together = backend.decode(requests)
    for request, result in zip(requests, together, strict=True):
        alone = decode(request)
        assert result.hypothesis == alone.hypothesis  # times and probabilities to the last bit
        assert result.context == alone.context


def test_a_mate_with_a_long_prefix_changes_nothing():
    one = ask("command-de-003")
    other = replace(one, id="other", prefix=tokens(heard(one))[:10] * 12)
    together = demo_backend().decode([one, other])
    assert [result.hypothesis for result in together] == [heard(one), heard(other)]


# Forced prefixes


@pytest.mark.parametrize("clip", SAID)
def test_a_forced_prefix_is_followed_and_not_returned(clip):
    whole = heard(ask(clip))
    for count in range(1, len(whole.words)):
        prefix = tuple(t for word in whole.words[:count] for t in word.tokens)
        rest = heard(ask(clip, Kind.PARTIAL, prefix=prefix))
        assert tokens(rest) == tokens(whole)[len(prefix) :]
        # The same words at about the same time (a word lasts 0.3 s): what was forced has taken its
        # share of the audio.
        assert rest.words[0].start == pytest.approx(whole.words[count].start, abs=0.2)


def test_a_forced_prefix_that_says_everything_is_followed_by_nothing():
    # With CTranslate2's `suppress_blank` a word would be invented here.
    whole = heard(ask("command-en-058"))
    assert heard(ask("command-en-058", prefix=tokens(whole))).words == ()


def test_the_probability_is_that_of_the_new_tokens():
    # CTranslate2 gives the mean over forced tokens too, which count as certain.
    whole = heard(ask("command-en-022"))
    prefix = tokens(whole)[:4]
    rest = heard(ask("command-en-022", prefix=prefix))
    count = len(tokens(whole)) + 1  # with the end of text
    expected = whole.average_logprob * count / (count - len(prefix))
    assert rest.average_logprob == pytest.approx(expected, rel=0.2)


def test_a_long_prefix_still_leaves_room_for_new_tokens():
    request = ask("command-en-058")
    whole = tokens(heard(request))
    long = whole * (130 // len(whole)) + whole[:-4]  # all but the end of its last sentence
    assert len(long) > token_budget(request.seconds)
    assert heard(ask("command-en-058", prefix=long)).words


def test_a_prefix_that_leaves_no_room_is_no_plausible_silence():
    found = heard(ask("command-de-003", prefix=tokens(heard(ask("command-de-003")))[:10] * 25))
    assert found.words == ()
    assert not found.plausible


# Prompts


def prompt_tokens(pinned: str, recent: str) -> list[int]:
    return demo_backend()._prompt_tokens(ask("command-en-022", prompt=Prompt(pinned, recent)))


def test_prompts_come_in_few_lengths_and_within_their_budget():
    lengths = {len(prompt_tokens("", "word " * count)) for count in range(0, 400, 7)}
    assert lengths <= {0, 1 + 223, *(1 + 16 * n for n in range(14)), *range(1, 17)}
    assert max(lengths) <= 224


def test_names_are_kept_when_the_text_before_does_not_fit():
    pinned = prompt_tokens("Zanzibar, Quetzal.", "")
    assert prompt_tokens("Zanzibar, Quetzal.", "word " * 400)[: len(pinned)] == pinned


def test_the_longest_prompt_leaves_room_for_the_text():
    before = "The meeting is on the second of March, as it was last year. " * 30
    found = heard(ask("command-de-003", prompt=Prompt("Martin, Laura.", before)))
    assert found.words


def test_a_further_attempt_goes_without_prompt_and_with_the_full_context():
    request = ask("command-en-022", prompt=Prompt("Zanzibar."), attempt=1)
    assert demo_backend()._prompt_tokens(request) == []
    result = decode(request)
    assert result.context == 30.0
    assert text(result.hypothesis) == SAID["command-en-022"]


def test_a_temperature_samples_and_none_does_not():
    # Speech from its end to its begin: no text is likely.
    strange = speech("command-en-058")[::-1].copy()

    def texts(temperature: float) -> set[tuple[int, ...]]:
        request = make_request("a", samples=strange, languages=("en",), temperature=temperature)
        return {tokens(heard(request)) for _ in range(6)}

    assert len(texts(1.0)) > 1
    assert len(texts(0.0)) == 1


def test_a_careful_attempt_decodes_too():
    result = decode(ask("command-en-022", attempt=2, beam_size=5))
    assert text(result.hypothesis).startswith("Set an alarm for 11")


# Times


@pytest.mark.parametrize("clip", STARTS)
def test_words_begin_where_they_are_spoken(clip):
    request = ask(clip)
    words = heard(request).words
    for word, after in itertools.pairwise(words):
        assert word.start <= word.end <= after.start
    assert words[0].start >= 0.0
    assert words[-1].end <= request.seconds
    starts = [word.start for word in words if not word.is_punctuation]
    away = np.abs(np.array(starts) - STARTS[clip])
    assert np.median(away) <= 0.1  # over the whole evaluation set it is 0.03
    assert np.max(away) <= 0.6


def test_without_times_the_text_is_the_same_and_nothing_is_aligned():
    timed, untimed = (decode(ask("command-de-003", timed=timed)) for timed in (True, False))
    assert text(untimed.hypothesis) == text(timed.hypothesis)
    assert untimed.timing.align < timed.timing.align / 10
    length = ask("command-de-003").seconds
    assert {(word.start, word.end) for word in untimed.hypothesis.words} == {(0.0, length)}


# Languages and tasks


def test_the_only_language_is_not_asked_for():
    found = heard(replace(ask("command-de-003"), languages=("en",)))
    assert (found.language, found.language_probability) == ("en", 1.0)


def test_a_language_is_chosen_among_all_when_none_is_named():
    assert heard(replace(ask("command-de-003"), languages=())).language == "de"


def test_a_language_that_the_model_lacks_is_never_chosen():
    scores = {"en": 0.4, "de": 0.6}
    request = replace(make_request(), languages=("xx", "en"))
    assert choose_language(scores, request) == ("en", 1.0)


def test_earlier_speech_tips_the_scales_and_no_more():
    request = replace(make_request(), languages=BOTH, likely=(("en", 0.27),))
    assert choose_language({"en": 0.45, "de": 0.55}, request)[0] == "en"
    assert choose_language({"en": 0.05, "de": 0.95}, request)[0] == "de"
    sure = replace(request, likely=(("en", 0.9),))
    assert choose_language({"en": 0.1, "de": 0.9}, sure)[0] == "en"
    assert choose_language({"en": 0.01, "de": 0.99}, sure)[0] == "de"
    assert choose_language({}, request)[1] == 0.0


def test_translation_is_another_start_of_the_text():
    backend = demo_backend()
    for task in ("translate", "transcribe"):
        request = replace(ask("command-de-003", task=task), languages=("de",))
        assert backend.decode([request])[0].hypothesis.language == "de"
        start = backend._start(Row(request, [], "de"))
        names = [backend._hf_tokenizer.id_to_token(token) for token in start]
        assert names == ["<|startoftranscript|>", "<|de|>", f"<|{task}|>"]


def test_both_tasks_share_a_batch():
    one = ask("command-de-003")
    other = replace(one, id="other", task="translate")
    assert demo_backend().key(one) == demo_backend().key(other)
    together = demo_backend().decode([one, other])
    assert [result.hypothesis for result in together] == [heard(one), heard(other)]


# Keys and contexts


def test_a_request_may_ask_for_more_context_and_gets_what_it_needs():
    request = ask("command-en-022")
    assert decode(request).context < 10.0
    assert decode(replace(request, context=10.0)).context == 10.0
    full = decode(replace(request, context=30.0))
    assert full.context == 30.0
    assert text(full.hypothesis) == SAID["command-en-022"]


def test_requests_that_cannot_be_decoded_together_have_different_keys():
    key = demo_backend().key
    one = ask("command-en-022")
    assert key(one) == key(ask("command-en-022", prompt=Prompt("names"), timed=False))
    assert key(one) != key(ask("command-en-058"))
    assert key(one) != key(replace(one, beam_size=5))
    assert key(one) != key(replace(one, temperature=0.5))
    assert key(one) != key(replace(one, context=30.0))
    assert key(one) != key(replace(one, attempt=1))
    assert key(replace(one, attempt=1)) != key(replace(one, attempt=2))
