"""One recording on its way: read, cut, decoded and joined at the same time.

Two tasks and a thread. The thread reads the file. One task takes its blocks through voice activity
to the cutter and begins a decode for each chunk, as many as may be under way; who iterates
`segments` takes their answers in order and joins them. Nothing is held but what lies between.
"""

import asyncio
import resource
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.captions import Captions, Segment
from wyoming_streamwhisper.core.chunks import Chunk, Chunking, FixedCutter, PauseCutter
from wyoming_streamwhisper.core.guards import nobody
from wyoming_streamwhisper.core.prompt import recent
from wyoming_streamwhisper.core.seams import join
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.core.words import Hypothesis, Word, append, text_of
from wyoming_streamwhisper.files.journal import Journal
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.reader import Reader, Source
from wyoming_streamwhisper.files.result import Metrics, Progress, Result
from wyoming_streamwhisper.files.tape import Tape
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.bulk import Bulk
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

_T = TypeVar("_T")

_BLOCK = 8.0
"""Seconds that are read and judged at a time."""
_AHEAD = 6
"""Batches of chunks that are under way: enough to find several of one audio context, few enough
that an hour of audio is never in memory."""
_PAUSE = 0.3
"""Seconds of a pause that ends a chunk of the least length."""
_SURE_LANGUAGE = 0.8
"""Probability from which a chunk says which language to expect of the others."""
_EXPECTED = 0.9
"""How much is expected of that language; the rest keeps a change possible."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A chunk and what was heard in it; the times of words are those of the recording."""

    chunk: Chunk
    hypothesis: Hypothesis


class Job:
    """A recording that is being transcribed; `begin` makes it."""

    def __init__(self, source: Source, bulk: Bulk, options: FileOptions, journal: Journal | None):
        self._source = source
        self._bulk = bulk
        self._options = options
        self._journal = journal
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")
        self._begun = time.perf_counter()
        self._read = self._done = self._heard = 0
        """Samples read, done with, and shown to the model."""
        self._duration: float | None = None
        self._stages: dict[str, float] = defaultdict(float)
        self._chunks = self._resumed = self._retried = 0
        self._fault = ""
        self._language: tuple[tuple[str, float], ...] = ()
        """What is expected of the language, once a chunk was sure of it."""
        most = options.max_workers or bulk.info.parallel
        self._workers = most if most == 1 else _AHEAD * most
        self._free = asyncio.Semaphore(self._workers)
        self._begun_chunks: asyncio.Queue[asyncio.Task[_Heard] | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[_Heard]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._segments: list[Segment] = []
        self._rest: AsyncGenerator[Segment, None] = self._run()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self._read / RATE, self._done / RATE, self._duration)

    def segments(self) -> AsyncIterator[Segment]:
        """Yield the segments in order, each as soon as nothing can change it any more.

        Raises:
            BadRecording: it cannot be read as audio.
            EngineError: the model could not decode it, or the daemon stops.

        """
        return self._rest

    async def result(self) -> Result:
        """Return the whole transcript; what `segments` has not yielded yet is awaited."""
        async for _ in self._rest:
            pass
        return self.so_far()

    def so_far(self) -> Result:
        """Return the transcript of what was yielded, where a job does not come to its end."""
        text, spoken = "", defaultdict[str, float](float)
        for segment in self._segments:
            text = append(text, segment.text)
            spoken[segment.language] += segment.end - segment.start
        language = max(spoken, key=lambda code: spoken[code]) if spoken else ""
        duration = max(self._duration or 0.0, self._read / RATE)
        return Result(tuple(self._segments), text, language, duration, self._metrics(), self._fault)

    async def close(self) -> None:
        """Drop what is still under way."""
        await self._rest.aclose()
        running = [task for task in (self._reading, *self._tasks) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # A source that blocks for ever must not hold who closes.
        self._thread.shutdown(wait=False)

    # From answers to segments

    async def _run(self) -> AsyncGenerator[Segment, None]:
        """Join the chunks in order; yields segments and keeps them for the result."""
        if self._journal is not None and self._journal.duration is not None:
            joined = self._recalled(self._journal)
        else:
            self._reading = asyncio.create_task(self._read_all(), name="file")
            joined = self._joined()
        async with aclosing(joined):
            async for segment in joined:
                self._segments.append(segment)
                yield segment

    async def _joined(self) -> AsyncGenerator[Segment, None]:
        seam = _Seam()
        while (task := await self._begun_chunks.get()) is not None:
            heard = await task
            self._free.release()
            self._done = max(self._done, heard.chunk.end)
            for segment in seam.add(heard):
                yield segment
        assert self._reading is not None
        await self._reading  # raises what it failed of
        for segment in seam.end():
            yield segment
        self._done = self._read
        if self._journal is not None:
            self._journal.finish(self._read / RATE, self._fault)

    async def _recalled(self, journal: Journal) -> AsyncGenerator[Segment, None]:
        """Make the segments from what an earlier run heard."""
        seam = _Seam()
        self._duration, self._fault = journal.duration, journal.fault
        self._chunks = self._resumed = len(journal)
        for chunk, hypothesis in journal.chunks():
            self._heard += chunk.end - chunk.start
            for segment in seam.add(_Heard(chunk, hypothesis)):
                yield segment
        for segment in seam.end():
            yield segment
        self._read = self._done = int((journal.duration or 0.0) * RATE)

    # From the file to decodes

    async def _read_all(self) -> None:
        """Read, judge and cut; whatever happens, who waits for chunks hears of the end."""
        reader = None
        try:
            reader = await self._in_thread("read", Reader, self._source)
            self._duration = reader.duration
            await self._cut(reader)
            self._fault = reader.fault
        finally:
            if reader is not None:
                self._thread.submit(reader.close)
            self._begun_chunks.put_nowait(None)

    async def _cut(self, reader: Reader) -> None:
        cutter = self._cutter()
        tape = Tape()
        judged = 0
        previous: asyncio.Task[_Heard] | None = None
        blocks = reader.blocks(_BLOCK)
        while True:
            block: Samples | None = await self._in_thread("read", next, blocks, None)
            if block is not None:
                tape.append(block)
                self._read = tape.end
            whole = (tape.end - judged) // FRAME * FRAME
            frames = tape.samples(judged, judged + whole)
            if block is None:
                frames = np.concatenate([frames, tape.samples(judged + whole, tape.end)])
                frames = np.concatenate([frames, np.zeros(-len(frames) % FRAME, np.float32)])
            chunks = cutter.feed(await self._judge(frames))
            judged += whole
            for chunk in chunks:
                previous = await self._begin(chunk, tape, previous)
            if block is None:
                for chunk in cutter.finish(tape.end):
                    previous = await self._begin(chunk, tape, previous)
                return
            tape.forget(min(cutter.silent_until, judged))

    def _cutter(self) -> PauseCutter | FixedCutter:
        options, info = self._options, self._bulk.info
        overlap = int(options.overlap_duration * RATE)
        if options.chunk_duration:
            return FixedCutter(int(options.chunk_duration * RATE), overlap)
        most = options.max_chunk_duration or max(info.chunk_max, options.min_chunk_duration)
        least = min(options.min_chunk_duration or info.piece_min, most)
        chunking = Chunking(int(least * RATE), int(most * RATE), overlap, int(_PAUSE * RATE))
        return PauseCutter(chunking, self._bulk.terms.threshold)

    async def _judge(self, frames: Samples) -> list[float]:
        begun = time.perf_counter()
        if self._options.chunk_duration:  # nobody asks who speaks
            return [1.0] * (len(frames) // FRAME)
        chances = await self._bulk.judge(frames.reshape(-1, FRAME))
        self._stages["voice"] += time.perf_counter() - begun
        return chances

    async def _begin(
        self, chunk: Chunk, tape: Tape, previous: "asyncio.Task[_Heard] | None"
    ) -> "asyncio.Task[_Heard]":
        """Begin to decode a chunk, once there is room for one more."""
        await self._free.acquire()
        end = min(chunk.end, tape.end)
        decode = self._decode(replace(chunk, end=end), tape.samples(chunk.start, end), previous)
        task = asyncio.create_task(decode, name="chunk")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._begun_chunks.put_nowait(task)
        return task

    async def _decode(
        self, chunk: Chunk, samples: Samples, previous: "asyncio.Task[_Heard] | None"
    ) -> _Heard:
        self._chunks += 1
        self._heard += len(samples)
        found = self._journal.find(chunk) if self._journal is not None else None
        before = ""
        if previous is not None and (self._options.use_context or not self._knows_language()):
            told = (await previous).hypothesis
            if self._options.use_context and told.plausible and self._bulk.info.carry_text:
                before = recent(text_of(told.words))
        if found is None:
            found = await self._ask(chunk, samples, before)
        else:
            self._resumed += 1
        if not self._language and found.words and found.language_probability >= _SURE_LANGUAGE:
            self._language = ((found.language, _EXPECTED),)
        return _Heard(chunk, found)

    async def _ask(self, chunk: Chunk, samples: Samples, before: str) -> Hypothesis:
        likely = () if self._bulk.terms.choose else self._language
        result = await self._bulk.decode(samples, before, likely)
        timing = result.timing
        for stage in ("features", "encode", "generate", "align"):
            self._stages[stage] += getattr(timing, stage) / timing.batch
        self._retried += result.attempts > 1
        heard = result.hypothesis
        made_up = nobody(heard.no_speech, heard.average_logprob, chunk.spoken / RATE)
        words = () if made_up else tuple(_later(word, chunk.start / RATE) for word in heard.words)
        heard = replace(heard, words=words)
        if self._journal is not None:
            self._journal.add(chunk, heard)
        return heard

    def _knows_language(self) -> bool:
        """Whether chunks need not wait to hear which language to expect."""
        terms = self._bulk.terms
        return terms.choose or len(terms.languages) == 1 or bool(self._language)

    async def _in_thread(self, stage: str, function: Callable[..., _T], *arguments: Any) -> _T:
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, function, *arguments)
        finally:
            self._stages[stage] += time.perf_counter() - begun

    def _metrics(self) -> Metrics:
        return Metrics(
            elapsed=time.perf_counter() - self._begun,
            audio=self._read / RATE,
            speech=self._heard / RATE,
            chunks=self._chunks,
            resumed=self._resumed,
            retried=self._retried,
            stages=dict(self._stages),
            peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )


class _Seam:
    """Joins chunks in order: holds back the words that the next one may share."""

    def __init__(self) -> None:
        self._captions = Captions()
        self._last: _Heard | None = None
        self._words: tuple[Word, ...] = ()

    def add(self, heard: _Heard) -> Iterator[Segment]:
        """Take the next chunk; yields the segments that it completes."""
        last, words = self._last, heard.hypothesis.words
        if last is not None:
            start, end = heard.chunk.start / RATE, last.chunk.end / RATE
            kept, words = join(self._words, words, start, end)
            yield from self._captions.add(kept, last.hypothesis)
            if start >= end:
                yield from self._captions.flush()
        self._last, self._words = heard, words

    def end(self) -> Iterator[Segment]:
        """Yield what is left."""
        if self._last is not None:
            yield from self._captions.add(self._words, self._last.hypothesis)
        yield from self._captions.flush()


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)


@asynccontextmanager
async def begin(
    source: Source,
    session: Session,
    profile: Profile,
    asked: Asked | None = None,
    options: FileOptions | None = None,
    journal: Journal | None = None,
) -> AsyncIterator[Job]:
    """Begin to transcribe a recording; leaving the context drops what is still under way.

    What a `journal` holds already is not decoded again. Raises session's `Refused`: the daemon
    stops, or the language is not one of the model's.
    """
    bulk = session.begin_bulk(profile, asked or Asked())
    job = Job(source, bulk, options or FileOptions(), journal)
    try:
        yield job
    finally:
        await job.close()


async def transcribe(
    source: Source,
    session: Session,
    profile: Profile,
    asked: Asked | None = None,
    options: FileOptions | None = None,
    journal: Journal | None = None,
) -> Result:
    """Transcribe a recording; raises what `begin` and `Job.segments` raise."""
    async with begin(source, session, profile, asked, options, journal) as job:
        return await job.result()
