"""Uploaded recordings: `/transcribe`, and OpenAI's transcriptions and translations.

Everything goes through `files`, which yields to whoever speaks live.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from wyoming_streamwhisper.engine.api import EngineError
from wyoming_streamwhisper.files import BadRecording, Job, Result
from wyoming_streamwhisper.files.formats import as_srt, as_vtt
from wyoming_streamwhisper.server.http import formats
from wyoming_streamwhisper.server.http.forms import (
    PlainForm,
    TranscriptionForm,
    TranslationForm,
    described,
    read,
)
from wyoming_streamwhisper.server.http.health import check_ready
from wyoming_streamwhisper.server.http.models import choose
from wyoming_streamwhisper.server.http.problems import RESPONSES, Problem, problem_of
from wyoming_streamwhisper.server.http.uploads import Upload, Uploads
from wyoming_streamwhisper.session.asked import Asked, Refused
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

Begin = Callable[[Any, Session, Profile, Asked], AbstractAsyncContextManager[Job]]
"""How a recording is begun: `files.begin` with its options."""


class Transcripts:
    """Turns uploads into answers."""

    def __init__(self, session: Session, uploads: Uploads, begin: Begin) -> None:
        self._session, self._uploads, self._begin = session, uploads, begin

    async def plain(self, request: Request) -> Response:
        """Answer with all that is known: at once, or in events while it comes."""
        async with AsyncExitStack() as stack:
            upload = await stack.enter_async_context(self._received(request))
            form = read(PlainForm, upload.fields)
            profile = choose(self._session, form.model_size, "model_size")
            profile = replace(profile, task=form.task or profile.task)
            asked, model = Asked(language=form.language), self._session.info.model
            if form.stream:
                telling = formats.Segments(model)
                return await self._streamed(stack, request, upload, profile, asked, telling)
            result = await self._result(request, upload, profile, asked)
            return JSONResponse(formats.plain(result, model))

    async def translation(self, request: Request) -> Response:
        """Answer in English, as OpenAI does."""
        async with self._received(request) as upload:
            form = read(TranslationForm, upload.fields)
            profile = self._profile(form, "translate")
            result = await self._result(request, upload, profile, Asked())
            return _written(result, form.response_format, "translate", ["segment"])

    async def transcription(self, request: Request) -> Response:
        """Answer as OpenAI does: at once, or in events while the text comes."""
        async with AsyncExitStack() as stack:
            upload = await stack.enter_async_context(self._received(request))
            form = read(TranscriptionForm, upload.fields)
            profile = self._profile(form, "transcribe")
            asked = Asked(language=form.language, names=tuple(form.keywords))
            if form.stream:
                telling = formats.Deltas()
                return await self._streamed(stack, request, upload, profile, asked, telling)
            result = await self._result(request, upload, profile, asked)
            kinds = form.timestamp_granularities
            return _written(result, form.response_format, "transcribe", kinds)

    def _profile(self, form: TranslationForm, task: str) -> Profile:
        profile = replace(choose(self._session, form.model), task=task)
        return replace(profile, initial_prompt=form.prompt) if form.prompt else profile

    def _received(self, request: Request) -> AbstractAsyncContextManager[Upload]:
        check_ready(self._session)
        return self._uploads.receive(request)

    async def _begun(
        self, stack: AsyncExitStack, upload: Upload, profile: Profile, asked: Asked
    ) -> Job:
        try:
            begun = self._begin(upload.file, self._session, profile, asked)
            return await stack.enter_async_context(begun)
        except (Refused, BadRecording, EngineError) as error:
            raise problem_of(error) from error

    async def _result(
        self, request: Request, upload: Upload, profile: Profile, asked: Asked
    ) -> Result:
        async with AsyncExitStack() as stack:
            job = await self._begun(stack, upload, profile, asked)
            try:
                return await self._uploads.within(upload, job, job.result(), request)
            except (Refused, BadRecording, EngineError) as error:
                raise problem_of(error) from error

    async def _streamed(
        self,
        stack: AsyncExitStack,
        request: Request,
        upload: Upload,
        profile: Profile,
        asked: Asked,
        telling: formats.Telling,
    ) -> Response:
        """Answer in events; the answer takes over what the stack holds."""
        job = await self._begun(stack, upload, profile, asked)
        events = self._events(request, upload, job, telling)
        # The first one comes before the status is sent: most problems show by then.
        first = await anext(events)
        return _Held(stack.pop_all(), _chain(first, events))

    async def _events(
        self, request: Request, upload: Upload, job: Job, telling: formats.Telling
    ) -> AsyncIterator[str]:
        """Yield events; what goes wrong behind the first one is an event too."""
        segments, told = job.segments(), False
        # Once the answer has begun, it is the answer's business whether somebody reads it.
        watched: Request | None = request
        try:
            while True:
                work = anext(segments, None)
                segment = await self._uploads.within(upload, job, work, watched)
                watched = None
                if segment is None:
                    break
                told = True
                yield formats.event(telling.segment(segment, job.progress))
            result = await self._uploads.within(upload, job, job.result())
            yield formats.event(telling.done(result))
        except (Refused, BadRecording, EngineError, Problem) as error:
            problem = error if isinstance(error, Problem) else problem_of(error)
            if not told:
                raise problem from error
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


def _written(result: Result, form: str, task: str, granularities: Sequence[str]) -> Response:
    match form:
        case "json":
            return JSONResponse(formats.short(result))
        case "verbose_json":
            return JSONResponse(formats.verbose(result, task, granularities))
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


def _answered(
    answer: Callable[[Request], Any],
) -> Callable[[Request], Any]:
    async def route(request: Request) -> Response:
        try:
            response: Response = await answer(request)
        except ClientDisconnect:  # nobody reads this
            return Response(status_code=499)
        return response

    return route
