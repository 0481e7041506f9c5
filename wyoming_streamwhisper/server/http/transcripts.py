"""Uploaded recordings: `/transcribe`, and OpenAI's transcriptions and translations.

Everything goes through `files`, which yields to whoever speaks live.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from wyoming_streamwhisper.files.formats import as_srt, as_vtt
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.result import Result
from wyoming_streamwhisper.server.http import formats, work
from wyoming_streamwhisper.server.http.forms import (
    Fields,
    PlainForm,
    TranscriptionForm,
    TranslationForm,
    described,
    read,
)
from wyoming_streamwhisper.server.http.health import check_ready
from wyoming_streamwhisper.server.http.models import check_language, choose
from wyoming_streamwhisper.server.http.problems import RESPONSES, Problem
from wyoming_streamwhisper.server.http.uploads import Upload, Uploads
from wyoming_streamwhisper.server.http.work import Terms, Work
from wyoming_streamwhisper.session.asked import Asked
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

Answer = Callable[[AsyncExitStack, Request], Awaitable[Response]]


class Transcripts:
    """Turns uploads into answers. What its routes hold is closed with the stack."""

    def __init__(self, session: Session, uploads: Uploads, options: FileOptions) -> None:
        """Answer; `options` hold where a form says nothing else."""
        self._session, self._uploads, self._options = session, uploads, options

    async def plain(self, stack: AsyncExitStack, request: Request) -> Response:
        """Answer with all that is known: at once, or in events while it comes."""

        def terms(fields: Fields) -> Terms:
            form = read(PlainForm, fields)
            profile = choose(self._session, form.model_size, "model_size")
            profile = replace(profile, task=form.task or profile.task)
            check_language(self._session, profile, form.language)
            asked = Asked(language=form.language, temperature=form.temperature)
            return Terms(profile, asked, form.chosen(self._options))

        upload, begun = await self._begun(stack, request, terms)
        model = self._session.info.model
        if read(PlainForm, upload.fields).stream:
            return await _streamed(stack, upload, begun, formats.Segments(model))
        result = await upload.within(begun, begun.result())
        return JSONResponse(formats.plain(result, model))

    async def translation(self, stack: AsyncExitStack, request: Request) -> Response:
        """Answer in English, as OpenAI does."""

        def terms(fields: Fields) -> Terms:
            form = read(TranslationForm, fields)
            asked = Asked(temperature=form.temperature)
            return Terms(self._profile(form, "translate"), asked, self._options)

        upload, begun = await self._begun(stack, request, terms)
        result = await upload.within(begun, begun.result())
        form = read(TranslationForm, upload.fields)
        return _written(result, form, "translate", ["segment"])

    async def transcription(self, stack: AsyncExitStack, request: Request) -> Response:
        """Answer as OpenAI does: at once, or in events while the text comes."""

        def terms(fields: Fields) -> Terms:
            form = read(TranscriptionForm, fields)
            profile = self._profile(form, "transcribe")
            check_language(self._session, profile, form.language)
            asked = Asked(
                language=form.language,
                names=tuple(form.keywords),
                temperature=form.temperature,
            )
            return Terms(profile, asked, self._options)

        upload, begun = await self._begun(stack, request, terms)
        form = read(TranscriptionForm, upload.fields)
        if form.stream:
            return await _streamed(stack, upload, begun, formats.Deltas())
        result = await upload.within(begun, begun.result())
        kinds = form.timestamp_granularities
        return _written(result, form, "transcribe", kinds)

    def _profile(self, form: TranslationForm, task: str) -> Profile:
        profile = replace(choose(self._session, form.model), task=task)
        return replace(profile, initial_prompt=form.prompt) if form.prompt else profile

    async def _begun(
        self, stack: AsyncExitStack, request: Request, terms: work.Choose
    ) -> tuple[Upload, Work]:
        """Receive an upload and begin its work; raises Problem."""
        check_ready(self._session)
        upload = await stack.enter_async_context(self._uploads.receive(request))
        return upload, await work.begin(stack, self._session, upload, terms)


async def _streamed(
    stack: AsyncExitStack, upload: Upload, begun: Work, telling: formats.Telling
) -> Response:
    """Answer in events; the answer takes over what the stack holds."""
    events = _events(upload, begun, telling)
    # The first one comes before the status is sent: most problems show by then.
    first = await anext(events)
    return _Held(stack.pop_all(), _chain(first, events))


async def _events(upload: Upload, begun: Work, telling: formats.Telling) -> AsyncIterator[str]:
    """Yield events; what goes wrong behind the first one is an event too."""
    told = False
    try:
        # Once the answer has begun, it is the answer's business whether somebody reads it.
        while segment := await upload.within(begun, begun.next(), watched=not told):
            told = True
            yield formats.event(telling.segment(segment, begun.progress))
        result = await upload.within(begun, begun.result(), watched=False)
        yield formats.event(telling.done(result))
    except Problem as problem:
        if not told:
            raise
        yield formats.event(problem.body())


class _Held(StreamingResponse):
    """A stream that gives back what it holds, whether it was read or not."""

    def __init__(self, stack: AsyncExitStack, events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._stack, self._events = stack, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _chain(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for event in rest:
        yield event


def _written(
    result: Result, form: TranslationForm, task: str, granularities: Sequence[str]
) -> Response:
    match form.response_format:
        case "json":
            return JSONResponse(formats.short(result))
        case "verbose_json":
            return JSONResponse(formats.verbose(result, task, granularities, form.temperature))
        case "text":
            return PlainTextResponse(result.text + "\n")
        case "vtt":
            return PlainTextResponse(as_vtt(result), media_type="text/vtt")
        case _:
            return PlainTextResponse(as_srt(result), media_type="application/x-subrip")


_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            media: {}
            for media in (
                "application/json",
                "text/plain",
                "text/vtt",
                "application/x-subrip",
                "text/event-stream",
            )
        }
    }
}


def transcripts_router(transcripts: Transcripts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["recordings"], responses=RESPONSES)
    plain, openai = transcripts.plain, "/v1/audio"
    for path, answer, form, summary in (
        ("/transcribe", plain, PlainForm, "Transcribe a recording, with all that is known of it"),
        (
            f"{openai}/transcriptions",
            transcripts.transcription,
            TranscriptionForm,
            "Transcribe a recording as OpenAI's API does",
        ),
        (
            f"{openai}/translations",
            transcripts.translation,
            TranslationForm,
            "Translate a recording to English as OpenAI's API does",
        ),
    ):
        router.post(path, summary=summary, responses=_FORMS, openapi_extra=described(form))(
            _answered(answer)
        )
    return router


def _answered(answer: Answer) -> Callable[[Request], Any]:
    async def route(request: Request) -> Response:
        try:
            async with AsyncExitStack() as stack:
                return await answer(stack, request)
        except ClientDisconnect:  # nobody reads this
            return Response(status_code=499)

    return route
