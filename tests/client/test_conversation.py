"""The conversation, over real sockets, with a daemon that plays written answers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk
from wyoming.event import Event

from tests.scripted_server import BEGIN, END, Line, Scripted, fails, finish, says, scripted
from wyoming_streamwhisper.client.conversation import Asking, converse, speak
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.sources import Pacing, Samples

FAST = Pacing(real_time=False)
PLAIN = Asking()
TONE = (3000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)


def said(
    *scripts: list[Line], asking: Asking = PLAIN, pacing: Pacing = FAST
) -> tuple[Conversation, Scripted]:
    async def run() -> tuple[Conversation, Scripted]:
        async with scripted(*scripts) as server:
            return await speak(server.uri, TONE, asking, pacing), server

    return asyncio.run(run())


def test_streamed_answer_is_recorded() -> None:
    """Chunks joined are the text, which the transcript confirms."""
    record, _ = said(says("turn on the light", "en"))
    assert record.text == "turn on the light"
    assert [revision.text for revision in record.revisions] == ["turn on the light"]
    assert record.transcript is not None
    assert record.transcript.language == "en"
    assert record.failure is None
    assert [received.event.type for received in record.received][-2:] == [
        "transcript",
        "transcript-stop",
    ]


def test_what_goes_out_is_what_was_asked_and_every_sample() -> None:
    """The daemon gets the request, and the audio sample for sample."""
    asking = Asking(language="de", name="base", context={"satellite_id": "hall"}, names=("Ida",))
    _, server = said(says("ja"), asking=asking)
    heard = server.heard[0]
    assert heard.types == ["transcribe", "audio-start", "audio-stop"]
    assert heard.transcribe.language == "de"
    assert heard.transcribe.name == "base"
    assert heard.transcribe.context == {"satellite_id": "hall"}
    assert heard.transcribe.transcript_names == ["Ida"]
    assert heard.audio == TONE.tobytes()


def test_a_program_is_selected_first() -> None:
    """`select-program` has to precede the request it is for."""
    _, server = said(says("ja"), asking=Asking(program="dictation"))
    assert server.heard[0].types[:2] == ["select-program", "transcribe"]
    assert server.heard[0].events[0].data == {"name": "dictation"}


def test_silence_follows_and_chunks_have_the_length_asked() -> None:
    """30 ms of silence behind one second, in blocks of 100 ms."""
    pacing = Pacing(real_time=False, chunk_ms=100, trailing_silence=0.03)
    record, server = said(says("ja"), pacing=pacing)
    chunks = [e for e in server.heard[0].events if AudioChunk.is_type(e.type)]
    assert [len(chunk.payload or b"") for chunk in chunks] == [3200] * 10 + [960]
    assert record.seconds == pytest.approx(1.03)


def test_a_new_start_is_a_new_revision() -> None:
    """What came before a second `transcript-start` is kept, but is not the text."""
    record, _ = said(
        [
            Line(0.3, [TranscriptStart(), TranscriptChunk("turn of")]),
            Line(END, [TranscriptStart(), TranscriptChunk("turn off"), *finish("turn off")]),
        ]
    )
    assert [revision.text for revision in record.revisions] == ["turn of", "turn off"]
    assert record.text == "turn off"


def test_partials_are_read_while_audio_goes_out() -> None:
    """A partial that came in the middle has its place in the audio, and its delay is measured."""
    record, _ = said(
        [
            Line(0.3, [TranscriptStart(), TranscriptChunk("turn")]),
            Line(END, [TranscriptChunk(" on"), *finish("turn on")]),
        ],
        pacing=Pacing(real_time=True),
    )
    chunk = next(r for r in record.received if TranscriptChunk.is_type(r.event.type))
    assert 0.3 <= chunk.position < 1.0
    assert record.speech_at == record.sent[0].at
    assert record.first_partial_s == chunk.at - record.sent[0].at
    assert chunk.at - record.begun_at >= 0.3 - 0.001
    assert record.stop_to_transcript_s is not None
    assert record.sent_at(1.0) - record.begun_at >= 1.0 - 0.001


def test_a_transcript_before_the_end_ends_the_sending() -> None:
    """Early endpointing: the rest of the audio is not sent, and no audio-stop either."""
    record, server = said(
        [Line(0.3, [TranscriptStart(), TranscriptChunk("stop"), *finish("stop")])],
        pacing=Pacing(real_time=True),
    )
    assert record.text == "stop"
    assert record.seconds < 1.0
    assert record.stop_sent_at is None
    assert record.stop_to_transcript_s is None
    assert END not in server.heard[0].types


def test_stop_before_the_transcript_is_understood_too() -> None:
    """Other servers close the stream first and then send the transcript."""
    events = [TranscriptStart(), TranscriptChunk("ja"), TranscriptStop(), Transcript("ja")]
    record, _ = said([Line(END, events)])
    assert record.text == "ja"
    assert record.received[-1].event.type == "transcript"


def test_a_server_that_does_not_stream_is_understood() -> None:
    """One transcript and nothing else."""
    record, _ = said([Line(END, [Transcript("ja")])])
    assert record.text == "ja"
    assert record.revisions == []
    assert record.first_partial_s is None


def test_a_transcript_without_its_stop_is_still_the_answer() -> None:
    """A missing `transcript-stop` costs a moment, not the text."""
    record, _ = said([Line(END, [TranscriptStart(), TranscriptChunk("ja"), Transcript("ja")])])
    assert record.text == "ja"
    assert record.failure is None


def test_an_error_event_is_the_failure() -> None:
    """Its code is passed on."""
    record, _ = said(fails("overloaded"))
    assert record.transcript is None
    assert record.failure is not None
    assert (record.failure.code, record.failure.text) == ("overloaded", "it did not work")


@pytest.mark.parametrize("when", [BEGIN, 0.5, END])
def test_a_daemon_that_hangs_up_is_a_failure(when: str | float) -> None:
    """At any moment."""
    record, _ = said([Line(when, [], hang_up=True)])
    assert record.failure is not None
    assert record.failure.code == "closed"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"not json\n", "closed"),
        (b'{"type": "transcript"}\n', "malformed"),
        (b"[1]\n", "malformed"),
        (b'{"type": "transcript", "data": {"text": 1}}\n', "malformed"),
        (b'{"type": "transcript-chunk", "data": {"text": null}}\n', "malformed"),
        (b'{"type": "transcript", "data_length": 100}\n{', "closed"),
    ],
)
def test_an_answer_that_is_not_wyoming_is_a_failure(answer: bytes, code: str) -> None:
    """No traceback, whatever a server writes."""
    record, _ = said([Line(END, [answer], hang_up=True)])
    assert record.failure is not None
    assert record.failure.code == code


def test_silence_of_the_daemon_ends_after_patience() -> None:
    """A daemon that never answers is left, and the utterance failed."""

    async def run() -> Conversation:
        async def one() -> AsyncIterator[Samples]:
            yield TONE

        async with scripted([]) as server:
            return await converse(server.uri, one(), patience=0.05)

    record = asyncio.run(run())
    assert record.failure is not None
    assert record.failure.code == "timeout"


def test_nobody_there_is_a_failure_in_one_sentence() -> None:
    """A refused connection says where."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        record = asyncio.run(speak(uri, TONE))
    assert record.failure is not None
    assert record.failure.code == "no-connection"
    assert record.failure.text == f"no connection to {uri}: Connection refused"


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1", "http://127.0.0.1:1", "nonsense"])
def test_an_address_that_is_none_is_a_failure(uri: str) -> None:
    """The reason is the library's own."""
    record = asyncio.run(speak(uri, TONE))
    assert record.failure is not None
    assert "is no address of a daemon" in record.failure.text


def test_every_event_is_watched() -> None:
    """Who watches sees the record after each event."""
    seen: list[str] = []

    async def run() -> None:
        async with scripted(says("turn it on")) as server:
            await speak(server.uri, TONE, pacing=FAST, watch=lambda r: seen.append(r.text))

    asyncio.run(run())
    assert seen == ["", "turn", "turn it", "turn it on", "turn it on", "turn it on"]


def test_another_protocol_can_carry_a_conversation() -> None:
    """Whatever writes and reads events is spoken to in the same way."""
    written: list[Event] = []
    ended = asyncio.Event()

    class Carrier:
        async def write_event(self, event: Event) -> None:
            written.append(event)
            if event.type == END:
                ended.set()

        async def read_event(self) -> Event | None:
            await ended.wait()
            return Transcript("ja").event()

    @asynccontextmanager
    async def reach(uri: str) -> AsyncIterator[Carrier]:
        assert uri == "somewhere"
        yield Carrier()

    record = asyncio.run(speak("somewhere", TONE, pacing=FAST, connect=reach))
    assert record.text == "ja"
    assert b"".join(event.payload or b"" for event in written) == TONE.tobytes()
