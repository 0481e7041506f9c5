"""The composition root: builds everything, owns start and stop. Only here all rooms are known."""

import asyncio
import contextlib
import ctypes
import functools
import logging
import math
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.config.settings import Settings
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import Backend, Capacity, EngineInfo
from wyoming_streamwhisper.engine.cache import Findings, cache_folder
from wyoming_streamwhisper.engine.capacity import SILENCE, SPEECH, calibrate, machine
from wyoming_streamwhisper.engine.context import FULL, Rule
from wyoming_streamwhisper.engine.folder import ModelError, ModelFolder
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.engine.models import guess_languages, resolve
from wyoming_streamwhisper.engine.trials import Trials
from wyoming_streamwhisper.engine.vad import VadService, make_vad
from wyoming_streamwhisper.server.discovery import Announced, Announcement
from wyoming_streamwhisper.server.wyoming import WyomingServer
from wyoming_streamwhisper.service import Service, service
from wyoming_streamwhisper.session.events import Failed, Final
from wyoming_streamwhisper.session.session import Asked, Session

if TYPE_CHECKING:
    from wyoming_streamwhisper.server.http.server import HttpServer

_LOG = logging.getLogger(__name__)

EX_CONFIG = 78
"""The same start will fail again: systemd shall not try it for ever (sysexits.h)."""
EX_UNAVAILABLE = 69
_M_ARENA_MAX = -8
"""From glibc's malloc.h."""
_HANG_OF_FILES = 1800.0
"""Seconds after which a batch of a file is given up: eight times half a minute in a large model on
a slow core may take minutes, and nobody else waits."""
_SQUARE_ON_CPU = FULL**2 / 2
"""Of a file's batch: eight requests up to 7.5 s of context, one from 15 s on. Two lanes of base in
full context take 310 MB at one request each, 1.6 GB at eight, which are 4 % faster."""
_FINISH = 10.0
"""Seconds that running utterances get to finish at the end."""


class Unusable(Exception):
    """The daemon cannot start with these settings; the text says what to do."""

    def __init__(self, text: str, status: int = EX_CONFIG) -> None:
        super().__init__(text)
        self.status = status


def run(settings: Settings) -> int:
    """Run the daemon until it is told to stop; returns the exit status."""
    share_one_heap()
    try:
        asyncio.run(_serve(settings, service()))
    except Unusable as error:
        _LOG.error("%s", error)
        return error.status
    return 0


def check(settings: Settings) -> int:
    """Load the model, transcribe a short clip and say what was found; returns the exit status."""
    logging.getLogger(__package__).setLevel(logging.WARNING)  # the findings are printed
    try:
        return asyncio.run(_check(settings))
    except Unusable as error:
        print(f"wyoming-streamwhisper: {error}", file=sys.stderr)
        return error.status


def share_one_heap() -> None:
    """Let glibc's threads share one heap: else each keeps the peak of what it once needed.

    Decodes come one at a time, so nobody waits for it (docs/decisions, memory).
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


# Building


@contextlib.asynccontextmanager
async def _built(settings: Settings) -> AsyncIterator[tuple[LocalEngine, Trials, Session]]:
    """Build engine and session, the model not loaded yet, and take them down in reverse."""
    info = EngineInfo(settings.model.model, guess_languages(settings.model.model))
    trials = Trials(Findings("audio-context", cache_folder()))
    engine = LocalEngine(
        functools.partial(_load_backend, settings),
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
async def built_for_files(settings: Settings, lanes: int) -> AsyncIterator[Session]:
    """Build a session for files only, its model loaded: no request is urgent, all together count.

    So many batches are decoded at once, on a CPU by as many replicas of the model.

    Raises:
        Unusable: the model cannot be had or loaded.

    """
    from wyoming_streamwhisper.engine.device import gpu_is_meant

    engine = LocalEngine(
        functools.partial(_load_backend, settings, lanes),
        EngineInfo(settings.model.model, guess_languages(settings.model.model)),
        max_batch=settings.engine.max_batch,
        lanes=lanes,
        hang=_HANG_OF_FILES,
        bound=None,
        square=math.inf if gpu_is_meant(settings.engine.device) else _SQUARE_ON_CPU,
    )
    async with _session(settings, engine) as session:
        await _load(engine, settings)
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


def _load_backend(settings: Settings, replicas: int = 1) -> Backend:
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


async def _load(engine: LocalEngine, settings: Settings) -> None:
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


# Serving


async def _serve(settings: Settings, systemd: Service) -> None:
    """Start, wait for a signal, stop: in the order of reading."""
    stop = _stop_signal()
    begun = time.monotonic()
    _LOG.info("wyoming-streamwhisper %s", __version__)
    async with _built(settings) as (engine, trials, session):
        server = WyomingServer(settings.wyoming, session)
        web = _web(settings, session)
        try:
            await _listen(server, "--uri")
            if web is not None:
                await _listen(web, "--http")
            announcement = Announcement(settings.discovery, _announced(settings, server))
            # While the model loads, `describe` is answered and audio is kept.
            systemd.status("Loading the model")
            if await _unless(stop, _load(engine, settings)):
                trials.open(engine)
                _greet(engine.info, trials.rule(engine), time.monotonic() - begun)
                trials.start(engine, session.idle)
                systemd.ready(f"Listening with {engine.info.model}")
                # It takes two seconds, for which nobody waits.
                await _unless(stop, announcement.start())
                await stop.wait()
            systemd.stopping()
            await announcement.stop()
            server.stop_accepting()
            if web is not None:
                web.stop_accepting()
            await _finish(session)
        finally:
            if web is not None:
                await web.close()
            await server.close()
    _LOG.info("stopped")


async def _listen(server: "WyomingServer | HttpServer", flag: str) -> None:
    try:
        await server.start()
    except OSError as error:
        why = error.strerror or error
        raise Unusable(
            f"cannot listen: {why}; choose another address with {flag}", EX_UNAVAILABLE
        ) from error


def _web(settings: Settings, session: Session) -> "HttpServer | None":
    """Return the HTTP server, if there is to be one; its libraries are loaded only then."""
    if not settings.http.uri:
        return None
    from wyoming_streamwhisper import files

    try:
        from wyoming_streamwhisper.server.http.server import HttpServer
    except ImportError as error:
        raise Unusable(
            f"http: {settings.http.http} needs the extra `http`: "
            f"pip install 'wyoming-streamwhisper[http]' ({error})"
        ) from error
    begin = functools.partial(files.begin, options=settings.files)
    return HttpServer(settings.http, session, begin, idle_timeout=settings.wyoming.idle_timeout)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _unless(stop: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Do something unless told to stop first; returns whether it was done."""
    doing = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing
        return doing.done()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


def _greet(info: EngineInfo, rule: Rule, seconds: float) -> None:
    _LOG.info("model %s is ready after %.1f s (%s)", info.model, seconds, info.running)
    _LOG.info("audio context: %s (%s)", rule, rule.why)
    if info.model == "demo":
        _LOG.info(
            "the demo model knows home commands in synthetic voices; for real rooms choose a real "
            "Whisper, for example --model base or --model turbo"
        )


def _announced(settings: Settings, server: WyomingServer) -> list[Announced]:
    return [
        Announced(host, port, listener.satellite or listener.profile)
        for listener, host, port in server.tcp_listeners()
    ]


async def _finish(session: Session) -> None:
    """Let running utterances finish for a while, then answer the rest."""
    session.stop()
    with contextlib.suppress(TimeoutError):
        # Without a model nothing will finish.
        async with asyncio.timeout(_FINISH if session.ready else 0):
            await session.idle()
    session.fail_running("shutting-down", "the server is stopping")
    # What is answered now leaves in the tasks of the connections.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await session.idle()


# Checking


async def _check(settings: Settings) -> int:
    print("configuration: good;", len(settings.profiles), "profile(s):", end=" ")
    print(", ".join(profile.name for profile in settings.profiles))
    async with _built(settings) as (engine, trials, session):
        begun = time.perf_counter()
        await _load(engine, settings)
        info = engine.info
        print(f"model: {info.model}, loaded in {time.perf_counter() - begun:.2f} s; {info.running}")
        print(f"languages: {_some(info.languages)}")
        trials.open(engine)
        await trials.test(engine, session.idle)
        rule = trials.rule(engine)
        print(f"audio context: {rule} ({rule.why})")
        print(f"capacity: {_carries(engine.capacity)}")
        begun = time.perf_counter()
        outcome = await _transcribe_clip(session)
        spent = time.perf_counter() - begun
    if isinstance(outcome, Failed):
        print(f"clip: failed, {outcome.message} ({outcome.code})")
        return EX_UNAVAILABLE
    print(f"clip: {outcome.text!r} ({outcome.language}) in {spent:.2f} s")
    return 0


def _carries(capacity: Capacity | None) -> str:
    if capacity is None:
        return "not measured"
    return (
        f"about {capacity.with_partials} speaking at once with words while they speak, "
        f"{capacity.finals} with transcripts only (each one command of {SPEECH} s after the other, "
        f"{SILENCE} s apart, and nothing else at work on this machine)"
    )


def _some(languages: tuple[str, ...]) -> str:
    more = f" and {len(languages) - 10} more" if len(languages) > 10 else ""
    return ", ".join(languages[:10]) + more


async def _transcribe_clip(session: Session) -> Final | Failed:
    profile = next(iter(session.profiles.values()))
    utterance = session.begin(profile, Asked())
    try:
        utterance.feed(clip.PATH.read_bytes(), clip.FORMAT)
        utterance.end()
        async for event in utterance.events():
            if isinstance(event, Final | Failed):
                return event
    finally:
        await utterance.close()
    raise AssertionError("events end with an outcome")
