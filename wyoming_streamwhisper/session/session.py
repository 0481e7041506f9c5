"""Begins utterances for every protocol: identity, profile, context, admission."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.core import prompt
from wyoming_streamwhisper.core import utterance as core
from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.languages import LANGUAGES
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.api import Engine, EngineInfo
from wyoming_streamwhisper.engine.vad import VadService
from wyoming_streamwhisper.session.bulk import Bulk
from wyoming_streamwhisper.session.bulk import Terms as BulkTerms
from wyoming_streamwhisper.session.context import Context, ContextOptions, Contexts
from wyoming_streamwhisper.session.events import Event, Failed, Final, Refused
from wyoming_streamwhisper.session.feed import Feed, Happening
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.utterance import Terms, Utterance

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for in one utterance; empty values leave it to the profile."""

    satellite: str = ""
    """Who speaks; empty for somebody without a memory."""
    language: str = ""
    names: tuple[str, ...] = ()
    vad_sensitivity: str = ""
    partials: bool = True
    turn: float = 0.0
    """Seconds of silence that end the utterance in any case; 0 leaves that to the profile."""
    speech: bool = False
    """Tell also when speech begins."""
    temperature: float = 0.0
    """Of a recording: above 0 its text is sampled; speech is always decoded as best can be."""


class Session:
    """All satellites of this process, on one engine."""

    def __init__(
        self,
        engine: Engine,
        vad: VadService,
        profiles: Sequence[Profile],
        options: ContextOptions,
        *,
        max_utterance: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serve `profiles` (the first is the default); `max_utterance` is in seconds."""
        self._engine = engine
        self._vad = vad
        self.profiles = {profile.name: profile for profile in profiles}
        self._options = options
        self._longest = int(max_utterance * RATE)
        self._clock = clock
        self._contexts = Contexts(options, clock)
        self._running: dict[str, Utterance] = {}
        self._begun: dict[str, tuple[float, Context]] = {}
        self._numbers = itertools.count(1)
        self._stopping = False
        self.feed = Feed()
        """What happens to all satellites, for who looks on."""
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def info(self) -> EngineInfo:
        """What is known of the model."""
        return self._engine.info

    @property
    def ready(self) -> bool:
        """Whether the model is loaded; until then audio waits."""
        return self._engine.ready

    @property
    def running(self) -> int:
        """Utterances under way."""
        return len(self._running)

    @property
    def rung(self) -> Rung:
        """What is left out now, because there is too much to do."""
        return self._engine.rung

    @property
    def speaking(self) -> int:
        """Utterances in which somebody speaks, has just spoken, or is expected to."""
        return sum(utterance.speaking for utterance in self._running.values())

    @property
    def most(self) -> int | None:
        """How many may speak at once; None where neither the options nor a measurement say it."""
        capacity = self._engine.capacity
        return self._options.max_speakers or (capacity.finals if capacity else None)

    @property
    def full(self) -> bool:
        """Whether one more would be too many: by number, by what was measured, by what waits."""
        if len(self._running) >= self._options.max_utterances or self.rung is Rung.REFUSING:
            return True
        return self.most is not None and self.speaking >= self.most

    @property
    def stopping(self) -> bool:
        """Whether no utterance begins any more."""
        return self._stopping

    def begin(self, profile: Profile, asked: Asked) -> Utterance:
        """Begin an utterance; the caller closes it.

        Raises:
            Refused: too many speak, the daemon stops, or the language is not one of the model's.

        """
        if self._stopping:
            raise self._refused("shutting-down", "the server is stopping")
        if self.full:
            raise self._refused("overloaded", "too many are speaking at once")
        languages = self._languages(profile, asked.language)
        number = f"u{next(self._numbers)}"
        context = self._contexts.of(asked.satellite) if asked.satellite else Context()
        terms = Terms(
            number,
            asked.satellite or number,
            languages,
            context.likely(),
            profile.task,
            profile.beam_size,
            own_end=profile.streaming.endpointing != "off",
        )
        heard = core.Utterance(
            self._streaming(profile, asked),
            pinned=prompt.pinned(profile.initial_prompt, (*asked.names, *profile.names)),
            before=prompt.recent(self._contexts.prompt(context)),
            sensitivity=asked.vad_sensitivity or profile.vad_sensitivity,
            turn=asked.turn,
            tell_speech=asked.speech,
        )
        utterance = Utterance(terms, heard, self._engine, self._vad, self._longest, self._ended)
        self._running[number] = utterance
        metrics.RUNNING.set(len(self._running))
        self._idle.clear()
        self._begun[number] = (self._clock(), context)
        utterance.on_event = lambda event: self._happened(utterance, event)
        self._happened(utterance, None)
        return utterance

    def begin_bulk(self, profile: Profile, asked: Asked) -> Bulk:
        """Begin a recording, which has no context and yields to whoever speaks.

        Raises:
            Refused: the daemon stops, or the language is not one of the model's.

        """
        if self._stopping:
            raise Refused("shutting-down", "the server is stopping")
        terms = BulkTerms(
            id=f"f{next(self._numbers)}",
            languages=self._languages(profile, asked.language),
            choose=bool(profile.languages),
            task=profile.task,
            beam_size=profile.beam_size,
            pinned=prompt.pinned(profile.initial_prompt, (*asked.names, *profile.names)),
            threshold=profile.streaming.vad_threshold,
            temperature=asked.temperature,
        )
        return Bulk(terms, self._engine, self._vad, self.idle)

    def check_language(self, profile: Profile, language: str) -> None:
        """Make sure that a language can be asked for.

        Raises:
            Refused: it is not one of the model's.

        """
        self._languages(profile, language)

    def forget(self, satellite: str) -> None:
        """Drop a satellite's context before it expires."""
        self._contexts.forget(satellite)

    def stop(self) -> None:
        """Begin no more utterances."""
        self._stopping = True

    async def idle(self) -> None:
        """Wait until no utterance is under way."""
        await self._idle.wait()

    def fail_running(self, code: str, message: str) -> None:
        """Answer everybody who still speaks."""
        for utterance in list(self._running.values()):
            utterance.fail(code, message)

    @staticmethod
    def _refused(code: str, text: str) -> Refused:
        metrics.REFUSED.labels(code).inc()
        return Refused(code, text)

    def _languages(self, profile: Profile, wanted: str) -> tuple[str, ...]:
        """Return the language to decode, or those to choose from; empty for all."""
        if profile.languages:
            return profile.languages
        language = wanted or ("" if profile.language == "auto" else profile.language)
        if not language or language == "auto":
            # Only a model that knows few languages gains from choosing among them.
            known = self.info.languages
            return known if len(known) < len(LANGUAGES) - 1 else ()
        code = language.replace("_", "-").split("-")[0].lower()
        if code not in LANGUAGES or code not in self.info.languages:
            raise self._refused("unsupported-language", "the model does not know that language")
        return (code,)

    def _streaming(self, profile: Profile, asked: Asked) -> Streaming:
        streaming = profile.streaming
        return replace(
            streaming,
            partials=streaming.partials and asked.partials,
            piece_min=streaming.piece_min or min(self.info.piece_min, streaming.piece_max),
            carry_text=streaming.carry_text and self.info.carry_text,
            # Translation moves words, so that their times say nothing about what is sure.
            policy="local_agreement" if profile.task == "translate" else streaming.policy,
        )

    def _happened(self, utterance: Utterance, event: Event | None, *, over: bool = False) -> None:
        """Tell who looks on."""
        if self.feed.heard:
            terms, (begun, _) = utterance.terms, self._begun[utterance.terms.id]
            over = over or isinstance(event, Final | Failed)
            seconds = self._clock() - begun
            happening = Happening(terms.id, terms.satellite, seconds, event, over, utterance.delay)
            self.feed.publish(happening)

    def _ended(self, utterance: Utterance, final: Final | None) -> None:
        number = utterance.terms.id
        if utterance.result == "dropped":
            self._happened(utterance, None, over=True)
        del self._running[number]
        metrics.RUNNING.set(len(self._running))
        if not self._running:
            self._idle.set()
        self._count(utterance, final)
        begun, context = self._begun.pop(number)
        now = self._clock()
        self._contexts.touch(utterance.terms.satellite)
        if final is not None:
            context.remember(final.text, final.language, now)
        _LOG.info(
            "%s: %s after %.1f s with %.1f s of speech, %d words, language %s, revision %d",
            utterance.terms.satellite,
            "answered" if final else "no answer",
            now - begun,
            utterance.seconds,
            len(final.text.split()) if final else 0,
            (final and final.language) or "-",
            final.revision if final else 0,
        )

    @staticmethod
    def _count(utterance: Utterance, final: Final | None) -> None:
        metrics.UTTERANCES.labels(utterance.result).inc()
        metrics.SPEECH.inc(utterance.seconds)
        if final is not None:
            metrics.WORDS.inc(len(final.text.split()))
            metrics.REVISIONS.inc(final.revision)
