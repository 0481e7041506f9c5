"""The fields that come with an upload, checked, and how the OpenAPI document tells of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.option import declared
from wyoming_streamwhisper.server.http.problems import Problem, invalid

F = TypeVar("F", bound=BaseModel)
Fields = Mapping[str, Sequence[str]]
"""What came with a file: the values of each field, as they were written."""

_LONGEST = 10_000
"""Characters of a prompt; far more than a model reads."""

_MODEL = "The model, by any of its names, or a profile: see models."
_LANGUAGE = "Whisper's code; empty detects it."

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]


_OPTIONS = {option.name: option.declared for option in declared(FileOptions)}


def _bounded(name: str) -> Any:
    """Return a field that is an option of files, which holds where the form leaves it out."""
    option = _OPTIONS[name]
    return Field(None, ge=option.low, le=option.high, description=option.help)


_TEMPERATURE: Any = Field(
    0.0,
    ge=0.0,
    le=1.0,
    description="0 decodes as best can be, the same each time; above it the text is sampled.",
)


class PlainForm(BaseModel):
    """Fields of `/transcribe`."""

    model_size: str = Field("", max_length=256, description=_MODEL)
    language: str = Field("", max_length=256, description=_LANGUAGE, examples=["en"])
    task: Literal["", "transcribe", "translate"] = Field("", description="As the profile says.")
    stream: bool = Field(False, description="Send segments while they come, as events.")
    chunk_duration: float | None = _bounded("chunk_duration")
    overlap_duration: float | None = _bounded("overlap_duration")
    use_context: bool | None = _bounded("use_context")
    temperature: float = _TEMPERATURE

    def chosen(self, options: FileOptions) -> FileOptions:
        """Return the options with what the form says of them.

        Raises:
            Problem: chunks would share more than they bring.

        """
        names = ("chunk_duration", "overlap_duration", "use_context")
        said = {name: value for name in names if (value := getattr(self, name)) is not None}
        chosen = replace(options, **said)
        if chosen.chunk_duration and chosen.chunk_duration < chosen.overlap_duration + 1:
            text = (
                f"chunks must be 1 s longer than the {chosen.overlap_duration:g} s that they share"
            )
            raise Problem(422, "invalid-value", text, "chunk_duration")
        return chosen


class TranslationForm(BaseModel):
    """Fields that OpenAI's translations and transcriptions share."""

    model: str = Field("", max_length=256, description=_MODEL)
    prompt: str = Field("", max_length=_LONGEST, description="Text that the speech goes on from.")
    response_format: ResponseFormat = "json"
    temperature: float = _TEMPERATURE


class TranscriptionForm(TranslationForm):
    """Fields of OpenAI's transcriptions."""

    language: str = Field("", max_length=256, description=_LANGUAGE, examples=["en"])
    keywords: list[str] = Field([], max_length=1000, description="Words to be spelled right.")
    stream: bool = Field(False, description="Send the text while it comes, as events.")
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        ["segment"], max_length=2, description="What `verbose_json` gives the times of."
    )


def read(form: type[F], fields: Fields) -> F:
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
