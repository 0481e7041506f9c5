"""Files from the first byte to the last word: real reading and cutting, invented hearing."""

import asyncio
import contextlib
import io
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import doubles
from tests.clips import GERMAN, SHORT
from tests.files import coded
from wyoming_streamwhisper.engine.api import EngineError, EngineInfo, Request
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.files.job import begin, transcribe
from wyoming_streamwhisper.files.journal import Journal
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.session.asked import Refused
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

ENGLISH = Profile(language="en")
INFO = EngineInfo("scripted", ("en", "de"), piece_min=2.0, parallel=4, chunk_max=10.0)


class Ears(doubles.ScriptedEngine):
    """An engine that hears coded words, and counts how many requests it has at once."""

    def __init__(self, info: EngineInfo = INFO) -> None:
        super().__init__(info=info)
        self.most = self._now = 0

    async def decode(self, request: Request):
        self.seen.append(request)
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        return coded.hear(request)


@contextlib.asynccontextmanager
async def session_with(engine):
    vad = VadService(doubles.LoudnessVad())
    try:
        yield Session(engine, vad, [ENGLISH], ContextOptions())
    finally:
        await vad.close()


def run(source, engine=None, options=None, journal=None, profile=ENGLISH):
    async def transcribed():
        async with session_with(engine or Ears()) as session:
            return await transcribe(source, session, profile, None, options, journal)

    return asyncio.run(transcribed())


UNBROKEN = [(0.0, 0.5), *[(0.3, 0.0)] * 400, (0.3, 0.5)]
"""Two minutes in which nobody breathes."""
SAID = [f"w{number}" for number in range(1, 402)]


def test_unbroken_speech_comes_out_word_for_word(tmp_path: Path):
    assert run(coded.write(tmp_path / "a.wav", UNBROKEN)).text.split() == SAID


def test_the_fixed_scheme_too(tmp_path: Path):
    file = coded.write(tmp_path / "a.wav", UNBROKEN)
    options = FileOptions(chunk_duration=10.0, overlap_duration=2.0)
    result = run(file, options=options)
    assert result.text.split() == SAID
    assert result.metrics.chunks == 15


@given(st.lists(st.tuples(st.floats(0.1, 1.0), st.sampled_from([0.0, 0.05, 0.3, 1.0, 3.0]))))
def test_no_word_is_lost_or_doubled_at_any_seam(words):
    # A recording that begins and ends with silence cuts no word.
    source = _wav([(0.0, 0.5), *words, (0.0, 0.5)])
    heard = run(source).text.split() if words else []
    assert heard == [f"w{number + 1}" for number in range(len(words))]


def _wav(words) -> io.BytesIO:
    import wave

    data = io.BytesIO()
    with wave.open(data, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(coded.samples(words).tobytes())
    data.seek(0)
    return data


def test_segments_come_before_the_end(tmp_path: Path):
    file = coded.write(tmp_path / "a.wav", [(0.0, 0.1), *[(0.3, 0.1)] * 1500])

    async def first():
        async with session_with(Ears()) as session, begin(file, session, ENGLISH) as job:
            async for segment in job.segments():
                return segment, job.progress
        raise AssertionError("there is a segment")

    segment, progress = asyncio.run(first())
    assert segment.text.startswith("w1 w2")
    assert progress.done < progress.read <= progress.duration == pytest.approx(600.1)


def test_times_are_those_of_the_recording(tmp_path: Path):
    file = coded.write(tmp_path / "a.wav", [(0.0, 30.0), (0.5, 40.0), (0.5, 1.0)])
    segments = run(file).segments
    assert [round(s.start, 2) for s in segments] == [30.0, 70.5]


def test_no_more_is_under_way_than_may_be(tmp_path: Path):
    file = coded.write(tmp_path / "a.wav", UNBROKEN)
    ears = Ears()
    run(file, ears, FileOptions(max_workers=1))
    assert ears.most == 1


def test_context_makes_chunks_wait_for_each_other(tmp_path: Path):
    ears = Ears()
    run(coded.write(tmp_path / "a.wav", UNBROKEN), ears, FileOptions(use_context=True))
    assert ears.most == 1
    assert ears.seen[0].prompt.recent == ""
    assert all(request.prompt.recent for request in ears.seen[1:])


def test_the_language_of_the_first_words_is_expected_of_the_others(tmp_path: Path):
    ears = Ears()
    run(coded.write(tmp_path / "a.wav", UNBROKEN), ears, profile=Profile())
    assert ears.seen[0].likely == ()
    assert {request.likely for request in ears.seen[1:]} == {(("en", 0.9),)}


def test_silence_has_no_text(tmp_path: Path):
    result = run(coded.write(tmp_path / "a.wav", [(0.0, 60.0)]))
    assert (result.text, result.segments, result.language, result.duration) == ("", (), "", 60.0)


def test_a_journal_spares_what_was_decoded(tmp_path: Path):
    file = coded.write(tmp_path / "a.wav", UNBROKEN)
    whole = run(file)
    place = tmp_path / "journal"

    async def interrupted(journal: Journal) -> None:
        ears, one = Ears(), FileOptions(max_workers=1)
        async with (
            session_with(ears) as session,
            begin(file, session, ENGLISH, None, one, journal) as job,
        ):
            async for _ in job.segments():
                if len(ears.seen) == 5:
                    return

    with Journal(place, resume=False) as journal:
        asyncio.run(interrupted(journal))
    again = Ears()
    with Journal(place, resume=True) as journal:
        result = run(file, again, journal=journal)
    assert result.segments == whole.segments
    assert result.metrics.resumed >= 4
    assert len(again.seen) == result.metrics.chunks - result.metrics.resumed
    # Now it is complete, and neither the file nor the model is needed.
    with Journal(place, resume=True) as journal:
        cached = run(Path("gone.wav"), doubles.ScriptedEngine(), journal=journal)
    assert (cached.segments, cached.duration) == (whole.segments, whole.duration)


def test_a_model_that_fails_once_is_asked_again(tmp_path: Path):
    answers = iter([EngineError("engine-failed", "once")])
    engine = doubles.ScriptedEngine(lambda _: next(answers, "fine"))
    assert run(coded.write(tmp_path / "a.wav", [(2.0, 1.0)]), engine).text == "fine"


def test_a_model_that_fails_again_fails_the_file(tmp_path: Path):
    engine = doubles.ScriptedEngine(lambda _: EngineError("engine-failed", "always"))
    with pytest.raises(EngineError, match="always"):
        run(coded.write(tmp_path / "a.wav", UNBROKEN), engine)


def test_a_stopping_session_begins_no_file(tmp_path: Path):
    async def refused():
        async with session_with(Ears()) as session:
            session.stop()
            await transcribe(tmp_path / "a.wav", session, ENGLISH)

    with pytest.raises(Refused, match="stopping"):
        asyncio.run(refused())


def test_leaving_drops_what_is_under_way(tmp_path: Path):
    file = coded.write(tmp_path / "a.wav", UNBROKEN)
    engine = doubles.ScriptedEngine()

    async def left():
        async with session_with(engine) as session:
            async with begin(file, session, ENGLISH) as job:
                waiting = asyncio.create_task(job.result())
                await engine.call()
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
            return len(engine.calls)

    assert asyncio.run(left()) == 0


def test_a_source_that_blocks_does_not_hold_the_loop():
    open_up = threading.Event()
    data = _wav([(0.0, 0.5), (1.0, 1.0)])

    class Slow(io.RawIOBase):
        """An upload that is still coming."""

        def readable(self):
            return True

        def read(self, size=-1):
            assert open_up.wait(60)
            return data.read(size)

    async def transcribed():
        async with session_with(Ears()) as session:
            job = asyncio.create_task(transcribe(Slow(), session, ENGLISH))
            await asyncio.sleep(0)
            open_up.set()
            return await job

    assert asyncio.run(transcribed()).text == "w1"


@pytest.mark.parametrize("clip", [SHORT, GERMAN])
def test_real_files_are_read_whole(clip):
    from tests.clips import FOLDER

    engine = doubles.ScriptedEngine(lambda request: "heard")
    result = run(FOLDER / clip.name, engine)
    assert result.duration == pytest.approx(len(clip.pcm) / 32000, abs=0.01)
