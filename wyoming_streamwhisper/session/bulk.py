"""A recording's way to the engine: voice activity and decodes that yield to whoever speaks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wyoming_streamwhisper.core.audio import Samples
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.engine.api import Engine, EngineError, EngineInfo, Request, Result, State

if TYPE_CHECKING:
    from wyoming_streamwhisper.engine.vad import VadService

_YIELD = 20.0
"""Seconds that a chunk waits at most for everybody to fall silent: a decode cannot be interrupted,
so one that has begun makes a command's transcript late. Longer than a command with pauses inside
takes, for its end is the worst moment to break in (docs/decisions/0013)."""
_TIMEOUT = 3600.0
"""Seconds that a chunk may wait while satellites keep the model busy."""
_TRIES = 2
"""A model that hung is loaded anew, and its failure need not be the recording's."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all decodes of a recording have in common."""

    id: str
    languages: tuple[str, ...]
    """The language, or those to choose from; empty for all."""
    choose: bool
    """Whether each part may have another language, because several were asked for."""
    task: str
    beam_size: int
    pinned: str
    """Text before every chunk: names, style."""
    threshold: float
    """Probability from which a frame counts as speech."""
    temperature: float = 0.0
    """Above 0 texts are sampled; what is not believed is still decoded again without."""


class Bulk:
    """Handle of a recording; several of its chunks may be decoded at once."""

    def __init__(
        self, terms: Terms, engine: Engine, vad: "VadService", quiet: Callable[[], Awaitable[None]]
    ) -> None:
        """Begin; `quiet` waits until nobody speaks."""
        self.terms = terms
        self._engine = engine
        self._vad = vad
        self._quiet = quiet
        self._state: State | None = None
        self._numbers = 0

    @property
    def info(self) -> EngineInfo:
        """What is known of the model."""
        return self._engine.info

    async def judge(self, frames: NDArray[np.float32]) -> list[float]:
        """Return how probably each of the next frames [n, 512] is speech.

        Raises:
            EngineError: voice activity detection failed.

        """
        try:
            self._state, chances = await self._vad.follow(self._state, frames)
        except Exception as error:  # native code may raise anything
            raise EngineError("engine-failed", "voice activity detection failed") from error
        return chances

    async def decode(
        self, samples: Samples, recent: str = "", likely: tuple[tuple[str, float], ...] = ()
    ) -> Result:
        """Decode a chunk; `recent` is the text before it, `likely` what is known of its language.

        Raises:
            EngineError: it will not be answered.

        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_YIELD):
                await self._quiet()
        terms = self.terms
        for attempt in range(_TRIES):
            self._numbers += 1
            request = Request(
                id=f"{terms.id}/{self._numbers}",
                satellite=terms.id,
                kind=Kind.BULK,
                samples=samples,
                languages=terms.languages,
                likely=likely,
                task=terms.task,
                prompt=Prompt(terms.pinned, recent),
                beam_size=terms.beam_size,
                temperature=terms.temperature,
                timeout=_TIMEOUT,
            )
            try:
                return await self._engine.decode(request)
            except EngineError as error:
                if error.code != "engine-failed" or attempt + 1 == _TRIES:
                    raise
        raise AssertionError("the last try returns or raises")
