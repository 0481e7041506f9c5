"""The OpenAPI document, and Swagger UI whose files come with a package and from no other host."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

_FILES = "/docs/files"
_VERSION = "3.0.3"
"""Of OpenAPI: the newest that the packaged Swagger UI (4.15) shows."""


def add_docs(app: FastAPI, *, secured: bool) -> None:
    """Add `/docs`; `secured` says that a token is needed."""
    app.openapi_version = _VERSION
    app.mount(_FILES, StaticFiles(directory=str(swagger_ui_path)), name="swagger")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="../openapi.json",
            title=app.title,
            swagger_js_url=f"..{_FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"..{_FILES}/swagger-ui.css",
            swagger_favicon_url=f"..{_FILES}/favicon-32x32.png",
        )

    if secured:
        described = app.openapi

        def with_token() -> dict[str, Any]:
            document = described()
            schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
            document.setdefault("components", {})["securitySchemes"] = schemes
            document["security"] = [{"bearer": []}]
            return document

        app.openapi = with_token  # type: ignore[method-assign]
