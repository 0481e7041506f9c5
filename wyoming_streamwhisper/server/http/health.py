"""How the daemon is: alive, ready, and in figures."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.server.http.problems import RESPONSES, Problem
from wyoming_streamwhisper.session.session import Session


def check_ready(session: Session) -> None:
    """Make sure that what is begun now would be answered soon.

    Raises:
        Problem: it would not.

    """
    if session.stopping:
        raise Problem(503, "shutting-down", "the server is stopping")
    if not session.ready:
        raise Problem(503, "not-ready", "the model is loading")
    if session.full:
        raise Problem(503, "overloaded", "too many are speaking at once")


def health_router(session: Session) -> APIRouter:
    """Return the routes for probes and Prometheus."""
    router = APIRouter(tags=["health"], responses=RESPONSES)

    @router.get("/healthz", summary="Whether the process is alive")
    async def alive() -> JSONResponse:
        return JSONResponse({"status": "alive"})

    @router.get("/readyz", summary="Whether an utterance would be answered now")
    async def ready() -> JSONResponse:
        check_ready(session)
        return JSONResponse({"status": "ready", "model": session.info.model})

    @router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    async def figures() -> PlainTextResponse:
        return PlainTextResponse(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router
