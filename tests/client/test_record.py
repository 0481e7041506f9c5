"""What a record says of one utterance, without any network."""

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop

from wyoming_streamwhisper.client.record import Conversation, Failure, Sent


def test_a_position_was_sent_with_the_block_that_ends_at_or_behind_it() -> None:
    record = Conversation(sent=[Sent(0.1, 5.0), Sent(0.2, 5.1), Sent(0.3, 5.2)])
    assert [record.sent_at(position) for position in (0.05, 0.1, 0.15, 0.3, 9.0)] == [
        5.0,
        5.0,
        5.1,
        5.2,
        5.2,
    ]


def test_the_worst_lag_behind_real_time_is_kept() -> None:
    record = Conversation(begun_at=5.0, sent=[Sent(0.1, 5.1), Sent(0.2, 5.3), Sent(0.3, 5.3)])
    assert round(record.lag_s, 6) == 0.1


def test_all_is_said_when_transcript_and_stop_are_there() -> None:
    """In either order."""
    start, text, stop = TranscriptStart().event(), Transcript("ja").event(), TranscriptStop()
    for events in ([start, text, stop.event()], [start, stop.event(), text]):
        record = Conversation()
        assert [record.note(event, 1.0) for event in events] == [False, False, True]


def test_a_transcript_is_not_taken_back_by_a_later_failure() -> None:
    record = Conversation()
    record.note(Transcript("ja").event(), 1.0)
    record.fail("closed", "hung up")
    assert record.failure is None


def test_the_first_reason_for_a_failure_stays() -> None:
    record = Conversation()
    record.fail("overloaded", "too many")
    record.fail("closed", "hung up")
    assert record.failure == Failure("overloaded", "too many")


def test_first_words_count_from_the_first_speech() -> None:
    """An empty chunk is no word; without speech in the audio its beginning counts."""
    record = Conversation(begun_at=10.0, speech_at=10.5)
    record.note(TranscriptStart().event(), 11.0)
    record.note(TranscriptChunk("").event(), 11.0)
    seen = [record.first_partial_s]
    record.note(TranscriptChunk("ja").event(), 12.0)
    seen.append(record.first_partial_s)
    record.speech_at = None
    seen.append(record.first_partial_s)
    assert seen == [None, 1.5, 2.0]
