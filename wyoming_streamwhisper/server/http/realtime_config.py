"""The configuration of an OpenAI realtime session, as far as transcription goes.

Field names and defaults are those of OpenAI's API (the `openai` package's types, version 3.52);
what has no meaning here is taken and left alone. The older flat form
(`transcription_session.update`) is turned into the newer one.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from wyoming_streamwhisper.server.http.problems import invalid

Law = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]

_OLD_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_EAGER = {"high": 0.4, "medium": 0.7, "auto": 0.7, "low": 1.5}
"""Seconds of silence by eagerness: nothing here judges meaning, so patience stands for it."""
_MOST_KEYWORDS = 1000


class Format(BaseModel):
    """How audio is written; `rate` is in Hz and counts for PCM only, G.711 is always 8000 Hz."""

    type: Law = "audio/pcm"
    rate: int = Field(default=24_000, ge=8_000, le=48_000)


class Transcription(BaseModel):
    """What is asked of the model; null says nothing."""

    model: str | None = Field(default=None, max_length=256)
    language: str | None = Field(default=None, max_length=256)
    prompt: str | None = Field(default=None, max_length=10_000)
    keywords: list[str] | None = Field(default=None, max_length=_MOST_KEYWORDS)


class TurnDetection(BaseModel):
    """When silence ends a turn."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float | None = Field(default=0.5, ge=0.05, le=0.95)
    prefix_padding_ms: int | None = Field(default=300, ge=0, le=10_000)
    silence_duration_ms: int | None = Field(default=500, ge=60, le=10_000)
    eagerness: Literal["low", "medium", "high", "auto"] | None = None

    @property
    def silence(self) -> float:
        """Seconds of it."""
        if self.type == "semantic_vad":
            return _EAGER[self.eagerness or "auto"]
        return (self.silence_duration_ms or 500) / 1000


class AudioInput(BaseModel):
    """All about the audio that comes in."""

    format: Format | None = Format()
    transcription: Transcription | None = Transcription()
    noise_reduction: dict[str, Any] | None = None
    turn_detection: TurnDetection | None = TurnDetection()


class Audio(BaseModel):
    """The audio that comes in; none goes out."""

    input: AudioInput = AudioInput()


class Configuration(BaseModel):
    """A session as it stands."""

    type: Literal["transcription", "realtime"] = "transcription"
    audio: Audio = Audio()
    include: list[str] | None = Field(default=None, max_length=16)

    def updated(self, said: dict[str, Any]) -> "Configuration":
        """Return it with what an update says; what that leaves out stays.

        Raises:
            Problem: a value makes no sense.

        """
        try:
            return Configuration.model_validate(_merged(self.model_dump(), said))
        except ValidationError as error:
            raise invalid(error) from None


def modern(said: dict[str, Any]) -> dict[str, Any]:
    """Turn the flat form of a session into the nested one."""
    audio: dict[str, Any] = {}
    if "input_audio_format" in said:
        law = said["input_audio_format"]
        audio["format"] = {"type": _OLD_FORMATS.get(law, law) if isinstance(law, str) else law}
    names = {
        "input_audio_transcription": "transcription",
        "input_audio_noise_reduction": "noise_reduction",
        "turn_detection": "turn_detection",
    }
    audio |= {new: said[old] for old, new in names.items() if old in said}
    rest = {"include": said["include"]} if "include" in said else {}
    return {"audio": {"input": audio}, **rest}


def _merged(known: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    both = dict(known)
    for key, value in said.items():
        before = both.get(key)
        nested = isinstance(before, dict) and isinstance(value, dict)
        both[key] = _merged(before, value) if nested and before is not None else value
    return both
