"""The composition root: opens the doors on what `build` made, and owns start and stop.

Only here all rooms are known.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.build import Unusable, built, load, share_one_heap
from wyoming_streamwhisper.config.settings import Settings
from wyoming_streamwhisper.engine.api import EngineInfo
from wyoming_streamwhisper.engine.context import Rule
from wyoming_streamwhisper.server.discovery import Announced, Announcement
from wyoming_streamwhisper.server.wyoming import WyomingServer
from wyoming_streamwhisper.service import EX_UNAVAILABLE, Service, service
from wyoming_streamwhisper.session.session import Session

if TYPE_CHECKING:
    from wyoming_streamwhisper.server.http.server import HttpServer

_LOG = logging.getLogger(__name__)
_FINISH = 10.0
"""Seconds that running utterances get to finish at the end."""


def run(settings: Settings) -> int:
    """Run the daemon until it is told to stop; returns the exit status."""
    share_one_heap()
    try:
        asyncio.run(_serve(settings, service()))
    except Unusable as error:
        _LOG.error("%s", error)
        return error.status
    return 0


async def _serve(settings: Settings, systemd: Service) -> None:
    """Start, wait for a signal, stop: in the order of reading."""
    stop = _stop_signal()
    begun = time.monotonic()
    _LOG.info("wyoming-streamwhisper %s", __version__)
    # What listens is closed even where closing another one fails, and before the engine is.
    async with built(settings) as (engine, trials, session), contextlib.AsyncExitStack() as doors:
        server = WyomingServer(settings.wyoming, session)
        doors.push_async_callback(server.close)
        web = _web(settings, session)
        await _listen(server, "--uri")
        if web is not None:
            doors.push_async_callback(web.close)
            await _listen(web, "--http")
        announcement = Announcement(settings.discovery, _announced(settings, server))
        # While the model loads, `describe` is answered and audio is kept.
        systemd.status("Loading the model")
        if await _unless(stop, load(engine, settings)):
            trials.open(engine)
            _greet(engine.info, trials.rule(engine), time.monotonic() - begun)
            trials.start(engine, session.quiet)
            systemd.ready(f"Listening with {engine.info.model}")
            # It takes three seconds, for which nobody waits.
            await _unless(stop, announcement.start())
            await stop.wait()
        systemd.stopping()
        await announcement.stop()
        server.stop_accepting()
        if web is not None:
            web.stop_accepting()
        await _finish(session)
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
    try:
        from wyoming_streamwhisper.server.http.server import HttpServer
    except ImportError as error:
        raise Unusable(
            f"http: {settings.http.http} needs the extra `http`: "
            f"pip install 'wyoming-streamwhisper[http]' ({error})"
        ) from error
    idle_timeout = settings.wyoming.idle_timeout
    return HttpServer(settings.http, session, settings.files, idle_timeout=idle_timeout)


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
