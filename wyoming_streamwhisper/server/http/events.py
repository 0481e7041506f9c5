"""`/events`: what happens to all satellites, as server-sent events for the web page."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from wyoming_streamwhisper.server.http.problems import RESPONSES, Problem
from wyoming_streamwhisper.session.events import Failed, Final, Partial, Speech
from wyoming_streamwhisper.session.feed import Happening
from wyoming_streamwhisper.session.session import Session

_LOAD = 2.0
"""Most seconds between two events about the load, which also show that the connection is alive."""


def events_router(session: Session, most: int) -> APIRouter:
    """Return the route, for at most so many readers."""
    router = APIRouter(tags=["health"], responses=RESPONSES)
    readers = 0

    @router.get(
        "/events",
        summary="Who is speaking, and what, as it happens",
        response_class=StreamingResponse,
        # It never ends, so that programs which try all routes would wait for ever.
        include_in_schema=False,
    )
    async def events() -> StreamingResponse:
        if readers >= most:
            raise Problem(503, "too-many-connections", "too many look on")
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(counted(), media_type="text/event-stream", headers=headers)

    async def counted() -> AsyncIterator[str]:
        nonlocal readers
        readers += 1
        try:
            async with contextlib.aclosing(_told(session)) as told:
                async for event in told:
                    yield event
        finally:
            readers -= 1

    return router


async def _told(session: Session) -> AsyncGenerator[str, None]:
    happenings = session.feed.listen()
    following = asyncio.ensure_future(anext(happenings))
    try:
        while not session.stopping:
            yield _event("load", load(session))
            until = asyncio.get_running_loop().time() + _LOAD
            while (left := until - asyncio.get_running_loop().time()) > 0:
                done, _ = await asyncio.wait({following}, timeout=left)
                if done:
                    happening = following.result()
                    yield _event("satellite", written(happening))
                    if happening.over or happening.event is None:
                        yield _event("load", load(session))
                    following = asyncio.ensure_future(anext(happenings))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await happenings.aclose()


def load(session: Session) -> dict[str, Any]:
    """Write how busy the daemon is as JSON."""
    return {
        "ready": session.ready,
        "running": session.running,
        "speaking": session.speaking,
        "most": session.most,
        "rung": session.rung.label,
    }


def written(happening: Happening) -> dict[str, Any]:
    """Write what happened as JSON."""
    about: dict[str, Any] = {
        "utterance": happening.utterance,
        "satellite": happening.satellite,
        "seconds": round(happening.seconds, 3),
    }
    if happening.delay is not None:
        about["delay"] = round(happening.delay, 3)
    match happening.event:
        case Speech(start):
            return {"type": "speech", **about, "start": round(start, 3)}
        case Partial(text, revision, tail):
            return {"type": "partial", **about, "text": text, "tail": tail, "revision": revision}
        case Final(text, revision, language):
            said = {"text": text, "revision": revision, "language": language}
            return {"type": "final", **about, **said}
        case Failed(code):
            return {"type": "failed", **about, "code": code}
        case _:
            return {"type": "gone" if happening.over else "begun", **about}


def _event(kind: str, body: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"
