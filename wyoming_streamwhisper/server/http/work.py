"""An upload's transcription, which may begin before all of the upload is there.

What is decoded meanwhile counts if it was decoded on the right terms; fields that stand behind the
file and change them make it begin anew.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO

from wyoming_streamwhisper.engine.api import EngineError
from wyoming_streamwhisper.files.job import Job
from wyoming_streamwhisper.files.job import begin as begin_job
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.reader import BadRecording, Reader
from wyoming_streamwhisper.files.result import Progress, Result, Segment
from wyoming_streamwhisper.server.http.failures import problem_of
from wyoming_streamwhisper.server.http.problems import Problem
from wyoming_streamwhisper.server.http.uploads import Upload
from wyoming_streamwhisper.session.asked import Asked, Refused
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session


@dataclass(frozen=True, slots=True)
class Terms:
    """What the text of a recording depends on."""

    profile: Profile
    asked: Asked
    options: FileOptions


Choose = Callable[[Mapping[str, Sequence[str]]], Terms]
"""Finds the terms in an upload's fields; raises Problem."""


class Work:
    """One recording that is being transcribed, whether somebody asks for the segments or not."""

    def __init__(self, job: Job, terms: Terms) -> None:
        self.job, self.terms = job, terms
        self._segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        self._running = asyncio.create_task(self._run(), name="recording")
        self.duration: float | None = None
        """Seconds of the recording, where somebody else has found them out."""

    @property
    def progress(self) -> Progress:
        """How far it is."""
        known = self.job.progress
        return replace(known, duration=known.duration or self.duration)

    async def next(self) -> Segment | None:
        """Return the next segment, or None behind the last one; raises Problem."""
        if (segment := await self._segments.get()) is None:
            await self.result()
        return segment

    async def result(self) -> Result:
        """Return the whole transcript; raises Problem."""
        try:
            await asyncio.shield(self._running)
        except (Refused, BadRecording, EngineError) as error:
            raise problem_of(error) from error
        return self.job.so_far()

    async def close(self) -> None:
        """Stop."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async for segment in self.job.segments():
                self._segments.put_nowait(segment)
        finally:
            self._segments.put_nowait(None)


async def begin(stack: AsyncExitStack, session: Session, upload: Upload, choose: Choose) -> Work:
    """Begin an upload's work as soon as it makes sense; returns when all of the upload is there.

    The stack gets what is to be closed. Raises Problem.
    """
    early: Work | None = None
    passing = await stack.enter_async_context(AsyncExitStack())
    if await upload.enough():
        early = await _early(passing, session, upload, choose)
    await (upload.within(early, upload.whole()) if early else upload.whole())
    terms = choose(upload.fields)
    if early is not None and early.terms == terms:
        early.duration = await asyncio.to_thread(_duration, upload.file.at_will())
        return early
    await passing.aclose()
    return await _begun(stack, session, upload.file.at_will(), terms)


def _duration(source: BinaryIO) -> float | None:
    """Look how long a recording is: one that was read in order may tell only its end's reader."""
    with contextlib.suppress(BadRecording), contextlib.closing(Reader(source)) as reader:
        return reader.duration
    return None


async def _early(
    stack: AsyncExitStack, session: Session, upload: Upload, choose: Choose
) -> Work | None:
    try:
        return await _begun(stack, session, upload.file.in_order(), choose(upload.fields))
    except Problem:  # to be told when the fields are complete
        return None


async def _begun(stack: AsyncExitStack, session: Session, source: BinaryIO, terms: Terms) -> Work:
    begun = begin_job(source, session, terms.profile, terms.asked, terms.options)
    try:
        job = await stack.enter_async_context(begun)
    except Refused as refused:
        raise problem_of(refused) from refused
    work = Work(job, terms)
    stack.push_async_callback(work.close)
    return work
