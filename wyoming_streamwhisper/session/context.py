"""What is remembered of a satellite between its utterances."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from wyoming_streamwhisper.core.prompt import recent
from wyoming_streamwhisper.option import option

_FADE = 0.7
"""What earlier speech still counts after each utterance."""
_TRUST = 0.9
"""Share of the languages heard before; the rest keeps a change of language possible."""


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """How many may speak, and how long and of how many something is remembered."""

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
    max_utterances: int = option(
        64,
        "Most utterances at once; a further one is answered with `overloaded` at its start.",
        low=1,
        high=100000,
    )
    max_speakers: int = option(
        0,
        "Most who speak at once, of the utterances under way; 0 takes what this machine was "
        "measured to carry.",
        low=0,
        high=100000,
    )
    prompt_gap: float = option(
        10.0,
        "Longest idle gap over which the last text is the prompt of the next utterance.",
        unit="s",
        low=0.0,
        high=3600.0,
    )


@dataclass(slots=True)
class Context:
    """One satellite's memory: plain data, so it can be saved, moved and restored."""

    languages: dict[str, float] = field(default_factory=dict)
    """How much speech of each language was heard lately; older speech counts less."""
    text: str = ""
    """The end of the last text, prompt for the next utterance of a dictation."""
    ended: float = float("-inf")
    """When its last utterance ended, by the session's clock."""
    utterances: int = 0

    def remember(self, text: str, language: str, now: float) -> None:
        """Take over what an utterance has shown."""
        self.utterances += 1
        # No more than a prompt takes: hours of dictation are nobody's to keep.
        self.text, self.ended = recent(text), now
        if text and language:
            for known in self.languages:
                self.languages[known] *= _FADE
            self.languages[language] = self.languages.get(language, 0.0) + 1 - _FADE

    def likely(self) -> tuple[tuple[str, float], ...]:
        """Return how probable each language heard before is; what is left, all languages share."""
        return tuple((code, _TRUST * share) for code, share in self.languages.items())


class Contexts:
    """The contexts of all satellites, forgotten when idle for long or when there are too many."""

    def __init__(self, options: ContextOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Context]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, satellite: str) -> Context:
        """Return a satellite's context, a new one if it has none; forgets what is too old."""
        now = self._clock()
        while self._known and next(iter(self._known.values()))[0] + self._expiry <= now:
            self._known.popitem(last=False)
        _, context = self._known.pop(satellite, (now, Context()))
        self._known[satellite] = (now, context)
        if len(self._known) > self._options.max_contexts:
            self._known.popitem(last=False)
        return context

    def touch(self, satellite: str) -> None:
        """Count a satellite's idle time from now on, if it has not been forgotten meanwhile."""
        if (known := self._known.pop(satellite, None)) is not None:
            self._known[satellite] = (self._clock(), known[1])

    def forget(self, satellite: str) -> None:
        """Drop a satellite's context, if it has one."""
        self._known.pop(satellite, None)

    def prompt(self, context: Context) -> str:
        """Return the text that the next utterance goes on from, if it comes soon enough."""
        soon = self._clock() - context.ended <= self._options.prompt_gap
        return context.text if soon else ""

    @property
    def _expiry(self) -> float:
        return self._options.context_expiry
