"""Gathers evidence about short audio contexts while nobody needs the model.

The engine shows each request before and each answer after; comparisons are requests like others, of
the least urgent kind, one at a time, begun only when nobody speaks or waits. They take at most a
small share of its time. Of what was said only the newest utterance is held, for at most a minute,
and only counts are kept.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from wyoming_streamwhisper import metrics
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.words import text_of
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import Engine, EngineError, Request, Result
from wyoming_streamwhisper.engine.cache import Findings
from wyoming_streamwhisper.engine.context import FLOOR, FULL, Rule, audio_context
from wyoming_streamwhisper.engine.evidence import Evidence, Pair, Standing, compare, understood

_LOG = logging.getLogger(__name__)

_VERSION = 1
"""Another one makes all evidence be gathered anew."""
_SHARE = 0.05
"""Share of time that comparisons may take of an idle model."""
_KEPT = 60.0
"""Seconds that an utterance is held for its comparison."""
_TIMEOUT = 300.0
_WATCHED = (Kind.FINAL, Kind.SPECULATIVE, Kind.PIECE)

Quiet = Callable[[], Awaitable[None]]
"""Returns as soon as nobody speaks."""
Sleep = Callable[[float], Awaitable[None]]

_Heard = tuple[Request, Result]


class Trials:
    """What an engine asks about audio contexts, and the task that finds out."""

    def __init__(
        self,
        findings: Findings,
        *,
        speech: Callable[[Sequence[str]], list[clip.Spoken]] = clip.read_trial,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._findings = findings
        self._speech = speech
        self._clock = clock
        self._sleep = sleep
        self._evidence: Evidence | None = None
        """None where the rule needs none, or as long as the model is not known."""
        self._key = ""
        self._decoding = 0
        self._free = asyncio.Event()
        self._free.set()
        self._heard: _Heard | None = None
        self._arrived = asyncio.Event()
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    # What the engine shows

    def prepare(self, request: Request) -> Request:
        """Give a request the audio context that the evidence allows."""
        self._decoding += 1
        self._free.clear()
        if self._evidence is None or request.context is not None:
            return request
        return replace(request, context=self._evidence.rule.shortest(request.kind))

    def answered(self, request: Request, result: Result | None) -> None:
        """Learn that a prepared request has its answer, None if it has none."""
        self._decoding -= 1
        if not self._decoding:
            self._free.set()
        watching = self._evidence is not None and self._evidence.is_watching
        if result is None or not watching or request.kind not in _WATCHED:
            return
        if request.context is None:  # asked before the model was known
            return
        if audio_context(request.kind, request.seconds, FLOOR) < FULL:  # else both are the same
            self._heard = (request, result)
            self._arrived.set()
            asyncio.get_running_loop().call_later(_KEPT, self._forget, request.id)

    # What is known

    def rule(self, engine: Engine) -> Rule:
        """Return the rule in force for the model of an engine."""
        return self._evidence.rule if self._evidence else engine.info.context

    def open(self, engine: Engine) -> None:
        """Take up what is known of the model that an engine has loaded."""
        info = engine.info
        if info.context.proven:
            return
        self._key = f"{_VERSION} {info.fingerprint} {FLOOR}"
        kept = self._findings.read(self._key)
        try:
            self._evidence = Evidence.from_dict(kept) if kept else Evidence()
        except (KeyError, TypeError, ValueError):
            self._evidence = Evidence()

    # Finding out

    def start(self, engine: Engine, quiet: Quiet) -> None:
        """Find out about the opened model in a task of its own, where there is anything to find."""
        if self._evidence is not None:
            self._task = asyncio.create_task(
                self._run(engine, quiet, self._evidence), name="trials"
            )
            self._task.add_done_callback(_tell)

    async def close(self) -> None:
        """Begin nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, engine: Engine, quiet: Quiet, evidence: Evidence) -> None:
        await self.test(engine, quiet)
        while evidence.is_watching:
            await self._arrived.wait()
            await self._idle(quiet)
            self._arrived.clear()
            heard, self._heard = self._heard, None
            if heard is None:
                continue
            begun = self._clock()
            with contextlib.suppress(EngineError):
                if pair := await self._compared(engine, *heard):
                    self._watch(evidence, pair)
            await self._sleep((1 / _SHARE - 1) * (self._clock() - begun))

    async def test(self, engine: Engine, quiet: Quiet) -> None:
        """Make the self-test of a model of which nothing is known yet."""
        evidence = self._evidence
        if evidence is None or evidence.standing is not Standing.UNTRIED:
            return
        pairs = []
        for spoken in await asyncio.to_thread(self._speech, engine.info.languages):
            request = Request("", "", Kind.BULK, spoken.samples, languages=(spoken.language,))
            try:
                await self._idle(quiet)
                full = await self._again(engine, request, FULL)
                if full.attempts > 1 or not understood(_text(full), spoken.text):
                    continue
                await self._idle(quiet)
                short = await self._again(engine, request, FLOOR)
            except EngineError as error:
                _LOG.warning("the self-test of audio contexts was broken off: %s", error)
                return
            pairs.append(compare(_text(short), _text(full), rejected=short.attempts > 1))
        evidence.test(pairs)
        self._decided(evidence)

    async def _compared(self, engine: Engine, request: Request, result: Result) -> Pair | None:
        """Decode an utterance again in the other context; None where nothing can be compared."""
        was_short = request.context != FULL
        if result.attempts > 1:
            # Nothing was believed in full, or the client has the full text already.
            return compare("", "", rejected=True) if was_short else None
        other = await self._again(engine, request, FULL if was_short else FLOOR)
        short, full = (result, other) if was_short else (other, result)
        if full.attempts > 1:
            return None
        return compare(_text(short), _text(full), rejected=short.attempts > 1)

    def _forget(self, request_id: str) -> None:
        if self._heard is not None and self._heard[0].id == request_id:
            self._heard = None

    def _watch(self, evidence: Evidence, pair: Pair) -> None:
        metrics.SHADOW_CHECKS.inc()
        if pair.wrong or pair.rejected:
            metrics.SHADOW_DIFFERENCES.inc()
        before = evidence.standing
        evidence.watch(pair)
        if evidence.standing is not before:
            self._decided(evidence)
        self._findings.write(self._key, evidence.as_dict())

    def _decided(self, evidence: Evidence) -> None:
        _LOG.info("audio context: %s (%s)", evidence.rule, evidence.why)
        self._findings.write(self._key, evidence.as_dict())

    async def _again(self, engine: Engine, request: Request, context: float) -> Result:
        self._count += 1
        return await engine.decode(
            replace(
                request,
                id=f"trial {self._count}",
                satellite="",
                kind=Kind.BULK,
                context=context,
                timed=False,
                timeout=_TIMEOUT,
            )
        )

    async def _idle(self, quiet: Quiet) -> None:
        """Wait until nobody speaks and nothing is being decoded."""
        await quiet()
        while self._decoding:
            await self._free.wait()
            await quiet()


def _text(result: Result) -> str:
    return text_of(result.hypothesis.words)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _LOG.error("audio contexts are not compared any more", exc_info=error)
