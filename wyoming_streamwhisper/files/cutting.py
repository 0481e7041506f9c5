"""From a recording to its chunks: read in a thread, judged by voice activity, cut in pauses."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.chunks import Chunk, Chunking, FixedCutter, PauseCutter
from wyoming_streamwhisper.core.voice import FRAME
from wyoming_streamwhisper.engine.api import EngineInfo
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.reader import Reader, Source
from wyoming_streamwhisper.files.tally import Tally
from wyoming_streamwhisper.files.tape import Tape
from wyoming_streamwhisper.session.bulk import Bulk

_T = TypeVar("_T")

_BLOCK = 8.0
"""Seconds that are read and judged at a time."""
_PAUSE = 0.3
"""Seconds of a pause that ends a chunk of the least length."""

Cut = tuple[Chunk, Samples]
"""A chunk and its samples."""


class Cutting:
    """Yields the chunks of one recording; holds no more of it than what is still uncut."""

    def __init__(self, source: Source, bulk: Bulk, options: FileOptions, tally: Tally) -> None:
        self._source = source
        self._bulk = bulk
        self._cutter = _cutter(options, bulk.info, bulk.terms.threshold)
        self._blind = bool(options.chunk_duration)
        """Nobody asks who speaks."""
        self._tally = tally
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")

    async def chunks(self) -> AsyncGenerator[Cut, None]:
        """Yield the chunks in order, each as soon as its end is known.

        Raises:
            BadRecording: it cannot be read as audio.
            EngineError: voice activity detection failed.

        """
        reader = None
        try:
            reader = await self._in_thread(Reader, self._source)
            self._tally.duration = reader.duration
            async for cut in self._cut(reader.blocks(_BLOCK)):
                yield cut
            self._tally.fault = reader.fault
        finally:
            if reader is not None:
                self._thread.submit(reader.close)

    def close(self) -> None:
        """Read no more; a source that blocks for ever must not hold who closes."""
        self._thread.shutdown(wait=False)

    async def _cut(self, blocks: Iterator[Samples]) -> AsyncGenerator[Cut, None]:
        tape = Tape()
        judged = 0
        while (block := await self._in_thread(next, blocks, None)) is not None:
            tape.append(block)
            self._tally.read = tape.end
            whole = (tape.end - judged) // FRAME * FRAME
            chances = await self._judge(tape.samples(judged, judged + whole))
            judged += whole
            for chunk in self._cutter.feed(chances):
                yield _taken(chunk, tape)
            tape.forget(min(self._cutter.silent_until, judged))
        rest = tape.samples(judged, tape.end)
        filled = np.concatenate([rest, np.zeros(-len(rest) % FRAME, np.float32)])
        for chunk in self._cutter.feed(await self._judge(filled)):
            yield _taken(chunk, tape)
        for chunk in self._cutter.finish(tape.end):
            yield _taken(chunk, tape)

    async def _judge(self, samples: Samples) -> list[float]:
        """Return how probably each frame is speech."""
        if self._blind:
            return [1.0] * (len(samples) // FRAME)
        with self._tally.timed("voice"):
            return await self._bulk.judge(samples.reshape(-1, FRAME))

    async def _in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        with self._tally.timed("read"):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, function, *arguments)


def _taken(chunk: Chunk, tape: Tape) -> Cut:
    """Return a chunk as far as the recording goes, and its samples."""
    end = min(chunk.end, tape.end)
    return replace(chunk, end=end), tape.samples(chunk.start, end)


def _cutter(options: FileOptions, info: EngineInfo, threshold: float) -> PauseCutter | FixedCutter:
    overlap = int(options.overlap_duration * RATE)
    if options.chunk_duration:
        return FixedCutter(int(options.chunk_duration * RATE), overlap)
    most = options.max_chunk_duration or max(info.chunk_max, options.min_chunk_duration)
    least = min(options.min_chunk_duration or info.piece_min, most)
    chunking = Chunking(int(least * RATE), int(most * RATE), overlap, int(_PAUSE * RATE))
    return PauseCutter(chunking, threshold)
