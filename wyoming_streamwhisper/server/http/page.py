"""The web page: plain files without a build step, and what it asks about the server first.

The files tell nothing about anybody, so they are open to all; what the page then asks is not.
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.server.http.problems import RESPONSES
from wyoming_streamwhisper.session.session import Session

_FILES = Path(__file__).with_name("static")
_POLICY = {
    # Nothing from another host, no script in the page itself, in nobody's frame.
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # asked for anew each time, so that an update is seen at once
}


class _Files(StaticFiles):
    def file_response(self, *args: Any, **more: Any) -> Response:
        """Answer with a file, under the page's policy."""
        response = super().file_response(*args, **more)
        response.headers.update(_POLICY)
        return response


def add_page(app: FastAPI, session: Session) -> None:
    """Add the page at `/`, its files at `/static`, and `/info`."""
    app.mount("/static", _Files(directory=_FILES), name="page")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_FILES / "index.html", headers=_POLICY)

    @app.get("/info", summary="What runs here", tags=["models"], responses=RESPONSES)
    async def info() -> dict[str, Any]:
        return {
            "version": __version__,
            "model": session.info.model,
            "running": session.info.running,
            "languages": session.info.languages,
            "profiles": list(session.profiles),
        }
