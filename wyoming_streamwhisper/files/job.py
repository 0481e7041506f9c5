"""One recording on its way: read, cut, decoded and joined at the same time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.result import Progress, Result, Segment
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Asked, Session

Source = Path | BinaryIO
"""A file, or anything that `read` gives bytes of one; `read` may block, it has a thread of its own."""


class Job:
    """A recording that is being transcribed."""

    @property
    def progress(self) -> Progress:
        """How far it is."""
        raise NotImplementedError

    def segments(self) -> AsyncIterator[Segment]:
        """Yield the segments in order, each as soon as nothing can change it any more.

        Raises:
            BadRecording: it cannot be read as audio.
            EngineError: the model could not decode it, or the daemon stops.

        """
        raise NotImplementedError

    async def result(self) -> Result:
        """Return the whole transcript; what `segments` has not yielded yet is awaited."""
        raise NotImplementedError


@asynccontextmanager
async def begin(
    source: Source,
    session: Session,
    profile: Profile,
    asked: Asked | None = None,
    options: FileOptions | None = None,
) -> AsyncIterator[Job]:
    """Begin to transcribe a recording; leaving the context drops what is still under way.

    Raises:
        Refused: the daemon stops, or the language is not one of the model's.

    """
    raise NotImplementedError
    yield


async def transcribe(
    source: Source,
    session: Session,
    profile: Profile,
    asked: Asked | None = None,
    options: FileOptions | None = None,
) -> Result:
    """Transcribe a recording; raises what `begin` and `Job.segments` raise."""
    async with begin(source, session, profile, asked, options) as job:
        return await job.result()
