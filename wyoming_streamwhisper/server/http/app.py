"""The application: every route, behind those who decide who may come in."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.server.http.access import Access
from wyoming_streamwhisper.server.http.door import Door
from wyoming_streamwhisper.server.http.events import events_router
from wyoming_streamwhisper.server.http.health import health_router
from wyoming_streamwhisper.server.http.live import live_router
from wyoming_streamwhisper.server.http.models import models_router
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.http.page import add_page
from wyoming_streamwhisper.server.http.problems import answer_problems
from wyoming_streamwhisper.server.http.realtime import realtime_router
from wyoming_streamwhisper.server.http.swagger import add_docs
from wyoming_streamwhisper.server.http.transcripts import Transcripts, transcripts_router
from wyoming_streamwhisper.server.http.uploads import Uploads
from wyoming_streamwhisper.session.session import Session

_ABOUT = """Speech-to-text from one shared Whisper. Besides these routes there are three WebSockets
(`/stream`, `/ws/transcription`, `/v1/realtime`): see docs/http.md."""


def make_app(
    options: HttpOptions, session: Session, door: Door, recordings: FileOptions
) -> ASGIApp:
    """Build the application; `recordings` says how they are transcribed."""
    app = FastAPI(
        title="wyoming-streamwhisper",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # ours, without files from other hosts
        redoc_url=None,
    )
    answer_problems(app)
    app.include_router(health_router(session))
    app.include_router(models_router(session))
    transcripts = Transcripts(session, Uploads(options), recordings)
    app.include_router(transcripts_router(transcripts))
    app.include_router(events_router(session, options.http_max_clients))
    plugs = (live_router(door), realtime_router(door))
    for router in plugs:
        app.include_router(router)
    add_page(app, session)
    add_docs(app, secured=bool(options.http_tokens))
    routes = [route for router in plugs for route in router.routes]
    sockets = {route.path for route in routes if isinstance(route, WebSocketRoute)}
    guarded: ASGIApp = Access(app, options, sockets)
    if options.http_origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=options.http_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return guarded
