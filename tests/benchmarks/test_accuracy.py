"""The measures of one utterance, on conversations written by hand."""

import pytest
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Eventable

from benchmarks.accuracy import (
    Clip,
    LastWord,
    last_word,
    matches,
    measure,
    shown_at,
    word_delays,
    word_error_rate,
    words,
)
from wyoming_streamwhisper.client.record import Conversation, Sent


def record(*events: tuple[float, Eventable], seconds: float = 3.0) -> Conversation:
    """Audio sent in real time from time 100 on; events at seconds since then."""
    steps = [step / 10 for step in range(1, round(10 * seconds) + 1)]
    made = Conversation(begun_at=100.0, sent=[Sent(at, 100.0 + at) for at in steps])
    for at, event in events:
        made.note(event.event(), 100.0 + at)
    return made


def clip(text: str, *marks: tuple[float, float]) -> Clip:
    return Clip("a.flac", "command", "en", 3.0, text, marks)


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert words("Wake me at 6:35, Käthe's -- friend!") == [
        "wake",
        "me",
        "at",
        "6:35",
        "käthe",
        "s",
        "friend",
    ]


def test_word_errors_are_counted_over_all_words() -> None:
    """One of six words; references without words say nothing."""
    pairs = [("Turn it on.", "turn it off"), ("One two three", "one, two, three!"), ("", "hm")]
    assert word_error_rate(pairs) == pytest.approx(1 / 6)
    assert word_error_rate([("", "hm")]) is None
    assert word_error_rate([("a b", "")]) == 1.0


def test_words_are_matched_across_a_missing_one() -> None:
    assert matches(["turn", "on", "the", "light"], ["turn", "the", "light"]) == {0: 0, 2: 1, 3: 2}
    assert matches([], ["a"]) == matches(["a"], []) == {}


@pytest.mark.parametrize(
    ("heard", "fate"),
    [
        ("Turn on the light", "kept"),
        ("turn on the light please", "kept"),
        ("turn on the lights", "misheard"),
        ("turn on the", "lost"),
        ("", "lost"),
    ],
)
def test_the_last_word_is_kept_misheard_or_lost(heard: str, fate: LastWord) -> None:
    assert last_word("Turn on the light.", heard) == fate


def test_a_word_is_there_since_it_stays() -> None:
    """`of` was taken back; `light` was on the screen all the time; half a word is none."""
    shown = [
        (1.0, "Turn"),
        (2.0, "Turn of the"),
        (3.0, "Turn of the light sw"),
        (4.0, "Turn on the light switch."),
    ]
    assert shown_at(shown, words("Turn on the light switch.")) == [1.0, 4.0, 2.0, 3.0, 4.0]


def test_a_repeated_word_is_not_taken_for_its_later_self() -> None:
    shown = [(1.0, "the cat and"), (2.0, "the cat and the dog and the mouse")]
    times = shown_at(shown, words("the cat and the dog and the mouse"))
    assert times == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def test_delays_count_from_the_end_of_each_word_as_it_was_sent() -> None:
    """`dining-room` is one mark and two words; `now` is misheard and does not count."""
    made = record(
        (1.3, TranscriptStart()),
        (1.3, TranscriptChunk("The")),
        (2.0, TranscriptChunk(" dining room")),
        (3.2, TranscriptChunk(" no")),
        (3.2, Transcript("The dining room no")),
    )
    spoken = clip("The dining-room now.", (0.0, 0.5), (0.5, 1.5), (1.5, 3.0))
    assert word_delays(spoken, made) == pytest.approx([0.8, 0.5, 0.5])
    assert word_delays(clip("The dining-room now."), made) == []


def test_an_utterance_without_revision() -> None:
    made = record(
        (1.0, TranscriptStart()),
        (1.0, TranscriptChunk("Turn")),
        (2.0, TranscriptChunk(" on.")),
        (2.0, Transcript("Turn on.")),
        (2.0, TranscriptStop()),
    )
    measured = measure(clip("Turn on."), made)
    assert (measured.revisions, measured.joined, measured.extends) == (1, True, True)
    assert measured.error is None


def test_a_revised_utterance_takes_partials_back() -> None:
    made = record(
        (1.0, TranscriptStart()),
        (1.0, TranscriptChunk("Turn of")),
        (2.0, TranscriptStart()),
        (2.0, TranscriptChunk("Turn on.")),
        (2.0, Transcript("Turn on.")),
    )
    measured = measure(clip("Turn on."), made)
    assert (measured.revisions, measured.joined, measured.extends) == (2, True, False)


def test_chunks_that_are_not_the_transcript_are_noticed() -> None:
    made = record(
        (1.0, TranscriptStart()), (1.0, TranscriptChunk("Turn on ")), (2.0, Transcript("Turn on"))
    )
    assert not measure(clip("Turn on."), made).joined


def test_a_failed_utterance_has_no_words() -> None:
    made = record((1.0, TranscriptStart()), (1.0, TranscriptChunk("Turn")))
    made.fail("closed", "hung up")
    measured = measure(clip("Turn on.", (0, 1), (1, 2)), made)
    assert (measured.text, measured.error, measured.delays) == ("", "closed", ())


def test_delays_of_audio_sent_in_a_burst_are_left_out() -> None:
    made = record((0.1, Transcript("Turn on.")))
    measured = measure(clip("Turn on.", (0, 1), (1, 2)), made, real_time=False)
    assert measured.delays == ()
    assert measured.first_partial_s is None
