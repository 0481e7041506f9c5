"""Transcribes files with a model of its own; no daemon and no asyncio for who uses it.

with Transcriber(model="small", language="en") as transcriber:
    print(transcriber.transcribe("talk.mp3").text)
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from wyoming_streamwhisper.build import built_for_files
from wyoming_streamwhisper.config.settings import Settings, gather
from wyoming_streamwhisper.config.values import ConfigError, Given, did_you_mean
from wyoming_streamwhisper.files.job import Job, begin
from wyoming_streamwhisper.files.journal import Journal, key_of
from wyoming_streamwhisper.files.result import Progress, Result
from wyoming_streamwhisper.session.session import Session

Watch = Callable[[Progress], None]

_TICK = 0.2
"""Seconds between two looks at how far a job is."""
_MOST_REPLICAS = 16
_KEPT = 30 * 86400
"""Seconds after which what an interrupted run left is forgotten."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came; `result` is what was finished."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


class Transcriber:
    """A loaded model that transcribes one file after the other."""

    def __init__(
        self, settings: Settings | None = None, *, cache: bool = False, **options: object
    ) -> None:
        """Load the model, which may download it.

        `options` are those of the configuration by name (`model`, `language`, `beam_size`,
        `chunk_duration`, ...) in place of `settings`; with `cache` a file that was transcribed
        before with the same options is not transcribed again.

        Raises:
            ConfigError: there is no such option, or it has no such value.
            Unusable: the model cannot be had or loaded.

        """
        self._settings = settings or _settings(options)
        self._cache = cache
        self._stack = contextlib.AsyncExitStack()
        self._runner = asyncio.Runner()
        self._so_far: Result | None = None
        try:
            self._session: Session = self._runner.run(self._open())
        except BaseException:
            self.close()
            raise

    def transcribe(
        self, source: str | Path | BinaryIO, *, resume: bool = False, watch: Watch | None = None
    ) -> Result:
        """Return the transcript of a recording; `watch` is told how far it is.

        With `resume` it goes on from where an interrupted run of the same file and options stopped.

        Raises:
            BadRecording: it cannot be read as audio.
            EngineError, Refused: the model cannot do it.
            Interrupted: Ctrl-C came.

        """
        place = Path(source) if isinstance(source, str) else source
        self._so_far = None
        try:
            return self._runner.run(self._transcribe(place, resume, watch))
        except KeyboardInterrupt:
            if self._so_far is None:
                raise
            raise Interrupted(self._so_far) from None

    @property
    def settings(self) -> Settings:
        """What was chosen."""
        return self._settings

    def close(self) -> None:
        """Give the model back. Safe to call twice."""
        with contextlib.suppress(RuntimeError):  # the runner is closed
            self._runner.run(self._stack.aclose())
        self._runner.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the model back."""
        self.close()

    async def _open(self) -> Session:
        session = built_for_files(self._settings, _replicas(self._settings))
        return await self._stack.enter_async_context(session)

    async def _transcribe(
        self, source: Path | BinaryIO, resume: bool, watch: Watch | None
    ) -> Result:
        settings, session = self._settings, self._session
        profile, options = settings.profiles[0], settings.files
        journal = self._journal(source, resume) if isinstance(source, Path) else None
        with contextlib.nullcontext() if journal is None else journal:
            async with begin(source, session, profile, options=options, journal=journal) as job:
                result = await self._follow(job, watch)
            if journal is not None and not self._cache:
                journal.remove()
        return result

    async def _follow(self, job: Job, watch: Watch | None) -> Result:
        ticking = asyncio.create_task(_tick(job, watch)) if watch else None
        try:
            return await job.result()
        except asyncio.CancelledError:
            self._so_far = job.so_far()
            raise
        finally:
            if ticking is not None and watch is not None:
                ticking.cancel()
                watch(job.progress)

    def _journal(self, source: Path, resume: bool) -> Journal | None:
        """Open the file's journal; without a place for it, or a file, there is none."""
        settings = self._settings
        # How much is done at once does not change the text.
        options = replace(settings.files, max_workers=0)
        info = replace(self._session.info, replicas=1, parallel=1)
        try:
            key = key_of(source, (info, settings.profiles[0], options))
            folder = journals()
            _forget_old(folder)
            return Journal(folder / f"{key}.jsonl", resume=resume or self._cache)
        except OSError:
            return None


def journals() -> Path:
    """Return the folder in which it is kept what was decoded."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / "wyoming-streamwhisper" / "files"


def _forget_old(folder: Path) -> None:
    for file in folder.glob("*.jsonl"):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < time.time() - _KEPT:
                file.unlink()


def _replicas(settings: Settings) -> int:
    """Return how many decodes run side by side on a CPU: one a core does most in a time."""
    cores = settings.engine.cpu_threads or os.cpu_count() or 1
    return min(settings.files.max_workers or _MOST_REPLICAS, cores, _MOST_REPLICAS)


def _settings(options: dict[str, object]) -> Settings:
    from wyoming_streamwhisper.config.catalogue import OPTIONS

    for name in options:
        if name not in OPTIONS:
            raise ConfigError(f"{name} is not an option{did_you_mean(name, OPTIONS)}")
    given = {name: Given(_written(value), name) for name, value in options.items()}
    return gather(given, "", {})


def _written(value: object) -> object:
    """Return a value as the configuration file would have it: texts, and lists of them."""
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return str(value)


async def _tick(job: Job, watch: Watch) -> None:
    while True:
        watch(job.progress)
        await asyncio.sleep(_TICK)
