"""What `describe` is answered: one program for each profile, truthfully."""

from collections.abc import Iterable

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.engine.api import EngineInfo
from wyoming_streamwhisper.session.profile import Profile

_PROJECT = Attribution(name="wyoming-streamwhisper", url="")  # no public address yet
_WHISPER = Attribution(name="OpenAI Whisper", url="https://github.com/openai/whisper")


def program_name(profile: Profile) -> str:
    """Return the name under which clients, and Home Assistant's entities, know a profile."""
    return "streamwhisper" if profile.name == "default" else profile.name


def make_info(own: Profile, others: Iterable[Profile], engine: EngineInfo) -> Info:
    """Describe the profiles, the listener's own first: Home Assistant looks at no other."""
    ordered = [own, *(profile for profile in others if profile.name != own.name)]
    return Info(asr=[_program(profile, engine) for profile in ordered])


def _program(profile: Profile, engine: EngineInfo) -> AsrProgram:
    return AsrProgram(
        name=program_name(profile),
        description="Live speech-to-text from one shared Whisper",
        attribution=_PROJECT,
        installed=True,
        version=__version__,
        supports_transcript_streaming=profile.streaming.partials,
        requires_external_vad=profile.streaming.endpointing != "own",
        models=[
            AsrModel(
                name=engine.model,
                description=engine.description or None,
                attribution=_WHISPER,
                installed=True,
                version=None,
                languages=list(profile.languages or engine.languages),
            )
        ],
    )
