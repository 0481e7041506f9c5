"""One recording on its way: cut, decoded and joined at the same time.

One task takes chunks from the cutter and begins a decode for each, as far as there is room; who
iterates `segments` takes their answers in order and joins them. Nothing is held but what lies
between.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.captions import Segment
from wyoming_streamwhisper.core.words import append
from wyoming_streamwhisper.files.cutting import Cutting
from wyoming_streamwhisper.files.heard import Heard
from wyoming_streamwhisper.files.hearing import Before, Hearing
from wyoming_streamwhisper.files.joining import Joining
from wyoming_streamwhisper.files.journal import Journal
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.reader import Source
from wyoming_streamwhisper.files.result import Progress, Result
from wyoming_streamwhisper.files.room import Room
from wyoming_streamwhisper.files.tally import Tally
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.bulk import Bulk
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session


class Job:
    """A recording that is being transcribed; `begin` makes it."""

    def __init__(self, source: Source, bulk: Bulk, options: FileOptions, journal: Journal | None):
        self._journal = journal
        self._tally = Tally()
        self._cutting = Cutting(source, bulk, options, self._tally)
        self._hearing = Hearing(bulk, journal, self._tally, context=options.use_context)
        self._room = Room(options.max_workers or bulk.info.parallel)
        self._decodes: asyncio.Queue[asyncio.Task[Heard] | None] = asyncio.Queue()
        """In the order of their chunks; None is the end."""
        self._tasks: set[asyncio.Task[Heard]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._segments: list[Segment] = []
        self._rest: AsyncGenerator[Segment, None] = self._run()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._tally.progress

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
        tally = self._tally
        return Result(
            tuple(self._segments), text, language, tally.seconds, tally.metrics, tally.fault
        )

    async def close(self) -> None:
        """Drop what is still under way."""
        await self._rest.aclose()
        running = [task for task in (self._reading, *self._tasks) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._cutting.close()

    async def _run(self) -> AsyncGenerator[Segment, None]:
        """Join the chunks in order; yields segments and keeps them for the result."""
        if self._journal is not None and self._journal.duration is not None:
            joined = self._recalled(self._journal)
        else:
            self._reading = asyncio.create_task(self._begin_all(), name="file")
            joined = self._joined()
        async with aclosing(joined):
            async for segment in joined:
                self._segments.append(segment)
                yield segment

    async def _begin_all(self) -> None:
        """Begin to decode each chunk once there is room; who waits for them hears of the end."""
        before: Before = None
        try:
            async with aclosing(self._cutting.chunks()) as chunks:
                async for chunk, samples in chunks:
                    await self._room.take(len(samples))
                    hearing = self._hearing.hear(chunk, samples, before)
                    before = asyncio.create_task(hearing, name="chunk")
                    self._tasks.add(before)
                    before.add_done_callback(self._tasks.discard)
                    self._decodes.put_nowait(before)
        finally:
            self._decodes.put_nowait(None)

    async def _joined(self) -> AsyncGenerator[Segment, None]:
        joining, tally = Joining(), self._tally
        while (decode := await self._decodes.get()) is not None:
            heard = await decode
            self._room.give(heard.chunk.end - heard.chunk.start)
            tally.done = max(tally.done, heard.chunk.end)
            for segment in joining.add(heard):
                yield segment
        assert self._reading is not None
        await self._reading  # raises what it failed of
        for segment in joining.end():
            yield segment
        tally.done = tally.read
        if self._journal is not None:
            self._journal.finish(tally.read / RATE, tally.fault)

    async def _recalled(self, journal: Journal) -> AsyncGenerator[Segment, None]:
        """Make the segments from what an earlier run heard."""
        joining, tally = Joining(), self._tally
        tally.duration, tally.fault = journal.duration, journal.fault
        tally.chunks = tally.resumed = len(journal)
        for heard in journal.chunks():
            tally.heard += heard.chunk.end - heard.chunk.start
            for segment in joining.add(heard):
                yield segment
        for segment in joining.end():
            yield segment
        tally.read = tally.done = int((journal.duration or 0.0) * RATE)


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

    What a `journal` holds already is not decoded again.

    Raises:
        Refused: the daemon stops, or the language is not one of the model's.
        ValueError: the options do not go together (`FileOptions.conflict`).

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
