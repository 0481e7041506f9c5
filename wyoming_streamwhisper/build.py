"""Builds the engine and a session on it from the settings, for the daemon and for files alike.

What the model and voice activity say when they cannot be had becomes `Unusable` here: one sentence
that names the option. It knows no door.
"""

import contextlib
import ctypes
import functools
from collections.abc import AsyncIterator

from wyoming_streamwhisper.config.settings import Settings
from wyoming_streamwhisper.engine.api import Backend, EngineInfo
from wyoming_streamwhisper.engine.cache import Findings, cache_folder
from wyoming_streamwhisper.engine.capacity import calibrate, machine
from wyoming_streamwhisper.engine.folder import ModelError, ModelFolder
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.models import guess_languages, resolve
from wyoming_streamwhisper.engine.silero import make_vad
from wyoming_streamwhisper.engine.trials import Trials
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.service import EX_CONFIG
from wyoming_streamwhisper.session.session import Session

_M_ARENA_MAX = -8
"""From glibc's malloc.h."""
_HANG_OF_FILES = 1800.0
"""Seconds after which a batch of a file is given up: eight times half a minute in a large model on
a slow core may take minutes, and nobody else waits."""


class Unusable(Exception):
    """Nothing can be built from these settings; the text says what to do."""

    def __init__(self, text: str, status: int = EX_CONFIG) -> None:
        super().__init__(text)
        self.status = status


def share_one_heap() -> None:
    """Let glibc's threads share one heap: else each keeps the peak of what it once needed.

    Few decode at once and seldom ask for memory, so nobody waits for it (docs/decisions, memory).
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


@contextlib.asynccontextmanager
async def built(settings: Settings) -> AsyncIterator[tuple[LocalEngine, Trials, Session]]:
    """Build engine and session, the model not loaded yet, and take them down in reverse."""
    info = EngineInfo(settings.model.model, guess_languages(settings.model.model))
    trials = Trials(Findings("audio-context", cache_folder()))
    engine = LocalEngine(
        functools.partial(load_backend, settings),
        info,
        max_batch=settings.engine.max_batch,
        calibrate=functools.partial(
            calibrate,
            max_batch=settings.engine.max_batch,
            findings=Findings("batches", cache_folder()),
            machine=machine(settings.engine.cpu_threads),
        ),
        trials=trials,
    )
    async with _session(settings, engine) as session:
        try:
            yield engine, trials, session
        finally:
            await trials.close()


@contextlib.asynccontextmanager
async def built_for_files(settings: Settings, replicas: int) -> AsyncIterator[Session]:
    """Build a session for files only, its model loaded: no request is urgent, all together count.

    Raises:
        Unusable: the model cannot be had or loaded.

    """
    engine = LocalEngine(
        functools.partial(load_backend, settings, replicas),
        EngineInfo(settings.model.model, guess_languages(settings.model.model)),
        max_batch=settings.engine.max_batch,
        hang=_HANG_OF_FILES,
        bound=None,
    )
    async with _session(settings, engine) as session:
        await load(engine, settings)
        yield session


@contextlib.asynccontextmanager
async def _session(settings: Settings, engine: LocalEngine) -> AsyncIterator[Session]:
    """Build voice activity and the session on an engine, and close all of it."""
    try:
        vad = VadService(make_vad(settings.engine.vad))
    except ImportError as error:
        raise Unusable(
            f"vad: {settings.engine.vad} needs the extra `torch`: "
            f"pip install 'wyoming-streamwhisper[torch]' ({error})"
        ) from error
    except RuntimeError as error:
        raise Unusable(f"vad: {settings.engine.vad} cannot be run here: {error}") from error
    try:
        yield Session(
            engine,
            vad,
            settings.profiles,
            settings.contexts,
            max_utterance=settings.wyoming.max_utterance,
        )
    finally:
        await engine.close()
        await vad.close()


def load_backend(settings: Settings, replicas: int = 1) -> Backend:
    """Find the model and load it, in the engine's thread.

    Raises:
        ModelError: it cannot be had.
        Unusable: a profile asks for what it does not know.

    """
    # CTranslate2 and its company take a second to import: not before the socket listens.
    from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend

    folder = resolve(settings.model)
    _check_languages(settings, folder)
    backend = CTranslate2Backend(folder, settings.engine, replicas)
    if replicas == 1:
        backend.warm_up()
    return backend


def _check_languages(settings: Settings, folder: ModelFolder) -> None:
    for profile in settings.profiles:
        wanted = {profile.language, *profile.languages} - {"auto"}
        if unknown := wanted - {*folder.languages}:
            raise Unusable(
                f"profile {profile.name}: the model {folder.name} does not know the language "
                f"{', '.join(sorted(unknown))}; choose another model or language"
            )


async def load(engine: LocalEngine, settings: Settings) -> None:
    """Start the engine: load its model and measure what that costs.

    Raises:
        Unusable: the model cannot be had or loaded.

    """
    try:
        await engine.start()
    except ModelError as error:
        raise Unusable(str(error)) from error
    except ImportError as error:
        raise Unusable(
            f"features: {settings.engine.features} needs the extra `torch`: "
            f"pip install 'wyoming-streamwhisper[torch]' ({error})"
        ) from error
    except (RuntimeError, ValueError) as error:
        raise Unusable(
            f"the model {settings.model.model} cannot be loaded on device "
            f"{settings.engine.device} with compute type {settings.engine.compute_type}: {error}"
        ) from error
