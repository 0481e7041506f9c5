"""The fields that come with an upload, checked, and how the OpenAPI document tells of them."""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from wyoming_streamwhisper.server.http.problems import invalid

F = TypeVar("F", bound=BaseModel)

_LONGEST = 10_000
"""Characters of a prompt; far more than a model reads."""

_MODEL = "The model, by any of its names, or a profile: see models."
_LANGUAGE = "Whisper's code; empty detects it."

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]


class PlainForm(BaseModel):
    """Fields of `/transcribe`."""

    model_size: str = Field("", max_length=256, description=_MODEL)
    language: str = Field("", max_length=256, description=_LANGUAGE, examples=["en"])
    task: Literal["", "transcribe", "translate"] = Field("", description="As the profile says.")
    stream: bool = Field(False, description="Send segments while they come, as events.")


class TranslationForm(BaseModel):
    """Fields that OpenAI's translations and transcriptions share."""

    model: str = Field("", max_length=256, description=_MODEL)
    prompt: str = Field("", max_length=_LONGEST, description="Text that the speech goes on from.")
    response_format: ResponseFormat = "json"
    temperature: float = Field(
        0.0, ge=0.0, le=1.0, description="Taken and not used: nothing is sampled."
    )


class TranscriptionForm(TranslationForm):
    """Fields of OpenAI's transcriptions."""

    language: str = Field("", max_length=256, description=_LANGUAGE, examples=["en"])
    keywords: list[str] = Field([], max_length=1000, description="Words to be spelled right.")
    stream: bool = Field(False, description="Send the text while it comes, as events.")
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        ["segment"], max_length=2, description="What `verbose_json` gives the times of."
    )


def read(form: type[F], fields: dict[str, list[str]]) -> F:
    """Read a form's fields; those that it does not know are left alone.

    Raises:
        Problem: a value makes no sense.

    """
    said: dict[str, Any] = {}
    for name, field in form.model_fields.items():
        if name in fields:
            many = field.default_factory is not None or isinstance(field.default, list)
            said[name] = fields[name] if many else fields[name][-1]
    try:
        return form.model_validate(said)
    except ValidationError as error:
        raise invalid(error) from None


def described(form: type[BaseModel]) -> dict[str, Any]:
    """Describe the body of a route as OpenAPI does."""
    schema = form.model_json_schema()
    file = {"type": "string", "format": "binary", "description": "A recording of any format."}
    schema["properties"] = {"file": file, **schema["properties"]}
    schema["required"] = ["file"]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
