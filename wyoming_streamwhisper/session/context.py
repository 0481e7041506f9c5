"""What is remembered of a satellite between its utterances."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """How long and of how many satellites something is remembered."""

    context_expiry: float = option(
        600.0,
        "Idle time after which a satellite's context is forgotten.",
        unit="s",
        low=1.0,
        high=86400.0,
    )
    max_contexts: int = option(
        256, "Most satellites remembered; the one idle longest goes first.", low=1, high=100000
    )
    prompt_gap: float = option(
        30.0,
        "Longest idle gap over which the last text is the prompt of the next utterance.",
        unit="s",
        low=0.0,
        high=3600.0,
    )
