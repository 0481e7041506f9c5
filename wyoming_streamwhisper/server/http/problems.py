"""Everything that can go wrong for a client, as a status and one JSON shape.

The shape is OpenAI's, because its clients read the reason from there: `{"error": {"message",
"type", "param", "code"}}`. Codes are stable and for programs; docs/http.md has the table.
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/json": {}}}
    for status, text in {
        400: "The body cannot be read",
        401: "No token, or a wrong one",
        403: "A page of another origin",
        404: "There is nothing of that name",
        405: "Not with this method",
        413: "The upload is too large, or the recording too long",
        415: "The body is no form, or the file no audio",
        422: "A field has a value that cannot be had",
        429: "Too many uploads at once",
        500: "The model, or the server, failed",
        503: "Loading, stopping, or too busy",
        507: "There is no room for the upload",
    }.items()
}
"""What the OpenAPI document says of failures."""
_HTTP_CODES = {404: "not-found", 405: "method-not-allowed", 400: "bad-request"}
_WAIT = "2"
"""Seconds after which a client that was refused may try again."""


class Problem(Exception):
    """A request cannot be answered; `text` is for people and repeats nothing that was sent."""

    def __init__(self, status: int, code: str, text: str, param: str = "") -> None:
        """Say why; `param` names the field that is wrong, if it is one."""
        super().__init__(text)
        self.status, self.code, self.param = status, code, param

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the status."""
        if self.status in (429, 503):
            return {"Retry-After": _WAIT}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}

    def body(self) -> dict[str, Any]:
        """Return the JSON that says why."""
        return {"error": self.error()}

    def error(self) -> dict[str, Any]:
        """Return what stands in the body, and in the messages of WebSockets."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {
            "message": str(self),
            "type": kind,
            "param": self.param or None,
            "code": self.code,
        }

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse(self.body(), self.status, self.headers)


def gone() -> Problem:
    """Return what a client is told that comes back too late, or to somebody else's."""
    return Problem(404, "unknown-session", "there is nothing left to go on with")


def invalid(error: ValidationError) -> Problem:
    """Return what a model's check found first; the value itself is left out."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"])
    return Problem(422, "invalid-value", f"{param}: {first['msg']}", param)


def answer_problems(app: FastAPI) -> None:
    """Let an application answer every failure in the one shape."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = _HTTP_CODES.get(error.status_code, "bad-request")
        answer = Problem(error.status_code, code, str(error.detail)).response()
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        return Problem(500, "internal-error", "the server made a mistake").response()
