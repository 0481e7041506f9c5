"""What a client may call the model, and what it gets for that name.

One model runs here, chosen by whoever runs the daemon. Clients were written for others: they ask
for OpenAI's names or for a size, and mean "what you have". Answers say which model it was.
"""

import re
from typing import Any

from fastapi import APIRouter, Request

from wyoming_streamwhisper.server.http.failures import problem_of
from wyoming_streamwhisper.server.http.problems import RESPONSES, Problem
from wyoming_streamwhisper.session.asked import Refused
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

_ANY = re.compile(
    r"|auto|default|whisper(-1)?|gpt-[\w.-]*(transcribe|whisper)[\w.-]*"
    r"|(distil-)?(tiny|base|small|medium|large|turbo)[\w.-]*",
    re.ASCII,
)
"""OpenAI's names and Whisper's sizes."""


def choose(session: Session, name: str, param: str = "model") -> Profile:
    """Return the profile that a client asks for by a model's or a profile's name.

    Raises:
        Problem: there is nothing of that name.

    """
    profiles = session.profiles
    if name in profiles:
        return profiles[name]
    if name == session.info.model or _ANY.fullmatch(name):
        return next(iter(profiles.values()))
    raise Problem(422, "unknown-model", "there is no model or profile of that name", param)


def check_language(session: Session, profile: Profile, language: str) -> None:
    """Make sure that a language can be asked for.

    Raises:
        Problem: the model does not know it.

    """
    try:
        session.languages(profile, language)
    except Refused as refused:
        raise problem_of(refused) from refused


def models_router(session: Session) -> APIRouter:
    """Return the routes that list the model and, by name, the profiles."""
    router = APIRouter(prefix="/v1/models", tags=["models"], responses=RESPONSES)

    @router.get("", summary="List the model and the profiles")
    async def list_models(request: Request) -> dict[str, Any]:
        names = dict.fromkeys((session.info.model, *session.profiles))
        return {"object": "list", "data": [_entry(name) for name in names]}

    @router.get("/{name:path}", summary="Describe one of them")
    async def one_model(name: str) -> dict[str, Any]:
        if name != session.info.model and name not in session.profiles:
            raise Problem(404, "unknown-model", "there is no model or profile of that name")
        return _entry(name)

    return router


def _entry(name: str) -> dict[str, Any]:
    # OpenAI's clients want a time; when the weights were made is not known.
    return {"id": name, "object": "model", "created": 0, "owned_by": "wyoming-streamwhisper"}
