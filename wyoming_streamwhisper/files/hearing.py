"""From a chunk to its words: what a journal has is taken from there, the rest is decoded."""

import asyncio
from dataclasses import replace

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.chunks import Chunk
from wyoming_streamwhisper.core.guards import nobody
from wyoming_streamwhisper.core.prompt import recent
from wyoming_streamwhisper.core.words import Hypothesis, Word, text_of
from wyoming_streamwhisper.files.heard import Heard
from wyoming_streamwhisper.files.journal import Journal
from wyoming_streamwhisper.files.tally import Tally
from wyoming_streamwhisper.session.bulk import Bulk

_SURE_LANGUAGE = 0.8
"""Probability from which a chunk says which language to expect of the others."""
_EXPECTED = 0.9
"""How much is expected of that language; the rest keeps a change possible."""


Before = asyncio.Task[Heard] | None
"""The decode of the chunk before."""


class Hearing:
    """Decodes the chunks of one recording, several at once."""

    def __init__(self, bulk: Bulk, journal: Journal | None, tally: Tally, *, context: bool) -> None:
        """Prepare; with `context` each chunk is shown the text of the one before."""
        self._bulk = bulk
        self._journal = journal
        self._tally = tally
        self._context = context
        self._language: tuple[tuple[str, float], ...] = ()
        """What is expected of the language, once a chunk was sure of it."""

    async def hear(self, chunk: Chunk, samples: Samples, before: Before) -> Heard:
        """Return what is said in a chunk.

        Raises:
            EngineError: the model could not decode it, or the daemon stops.

        """
        self._tally.chunks += 1
        self._tally.heard += len(samples)
        told = None
        if before is not None and (self._context or not self._knows_language()):
            told = (await before).hypothesis
        found = self._journal.find(chunk) if self._journal is not None else None
        if found is None:
            found = await self._ask(chunk, samples, self._text_before(told))
        else:
            self._tally.resumed += 1
        if not self._language and found.words and found.language_probability >= _SURE_LANGUAGE:
            self._language = ((found.language, _EXPECTED),)
        return Heard(chunk, found)

    async def _ask(self, chunk: Chunk, samples: Samples, before: str) -> Hypothesis:
        likely = () if self._bulk.terms.choose else self._language
        result = await self._bulk.decode(samples, before, likely)
        timing = result.timing
        for stage in ("features", "encode", "generate", "align"):
            self._tally.stages[stage] += getattr(timing, stage) / timing.batch
        self._tally.retried += result.attempts > 1
        heard = result.hypothesis
        made_up = nobody(heard.no_speech, heard.average_logprob, chunk.spoken / RATE)
        words = () if made_up else tuple(_later(word, chunk.start / RATE) for word in heard.words)
        heard = replace(heard, words=words)
        if self._journal is not None:
            self._journal.add(chunk, heard)
        return heard

    def _text_before(self, told: Hypothesis | None) -> str:
        """Return what a chunk is shown of the one before."""
        if told is None or not (self._context and told.plausible and self._bulk.info.carry_text):
            return ""
        return recent(text_of(told.words))

    def _knows_language(self) -> bool:
        """Whether chunks need not wait to hear which language to expect."""
        terms = self._bulk.terms
        return terms.choose or len(terms.languages) == 1 or bool(self._language)


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)
