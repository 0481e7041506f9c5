"""A profile: a named set of options that a listener or a client chooses."""

from dataclasses import dataclass, field

from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class Profile:
    """How the utterances of one kind of client are recognised."""

    name: str = "default"
    language: str = option(
        "auto",
        "Language of the speech, as Whisper's code (`en`, `de`, ...), used where the client names "
        "none; `auto` detects it.",
    )
    languages: tuple[str, ...] = option(
        (),
        "Detect among these languages whatever the client asks for (Home Assistant always sends "
        "one); empty follows the client.",
    )
    task: str = option(
        "transcribe",
        "`transcribe` writes what is said, `translate` writes it in English.",
        choices=("transcribe", "translate"),
    )
    beam_size: int = option(
        1,
        "Hypotheses that the final decode keeps; 5 is a little more accurate and much slower.",
        low=1,
        high=10,
    )
    initial_prompt: str = option(
        "", "Text that comes before every utterance: style, spelling, jargon."
    )
    names: tuple[str, ...] = option(
        (), "Names of rooms, devices and people, so that they are spelled right."
    )
    vad_sensitivity: str = option(
        "default",
        "How soon silence counts as the end: `aggressive` sooner; `relaxed` later, and a whole "
        "sentence is then no end, for those who dictate. A client may ask for its own.",
        choices=("default", "relaxed", "aggressive"),
    )
    streaming: Streaming = field(default_factory=Streaming)
