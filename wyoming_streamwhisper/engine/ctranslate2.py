"""A Whisper on CTranslate2: encode once, find the language, generate, align.

faster-whisper gives tokenizer and features; its `transcribe` always pads to 30 s and knows neither
forced prefixes nor batches of strangers, so CTranslate2 is called directly.
Its rules (all requests of a call must have equally long prompts; forced tokens are replayed one
step each; `suppress_blank` forbids an empty answer) are behind the shape of this file.
"""

import math
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.tokenizer import Tokenizer

from wyoming_streamwhisper.core import guards
from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import fit
from wyoming_streamwhisper.core.window import LONGEST
from wyoming_streamwhisper.core.words import Hypothesis, text_of
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import EngineInfo, Request, Result, Timing
from wyoming_streamwhisper.engine.context import FULL, audio_context, choose_rule
from wyoming_streamwhisper.engine.device import Device, choose_device, compute_type, select, storage
from wyoming_streamwhisper.engine.features import FRAMES, make_features
from wyoming_streamwhisper.engine.folder import ModelFolder
from wyoming_streamwhisper.engine.options import EngineOptions
from wyoming_streamwhisper.engine.row import Row, choose_language

_TEXT_CONTEXT = 448
_PROMPT_BUDGET = _TEXT_CONTEXT // 2 - 1
_PROMPT_GRID = 16
"""Prompt lengths are multiples of this, so that requests with prompts can share a batch."""
_CAREFUL = 2
"""The attempt from which no phrase of three tokens may come twice."""
_LARGEST_BEAM = 5
"""Beam of a careful attempt, unless a profile's own is larger."""
_SQUARE = FULL**2 / 2
"""Of a file's batch on a CPU: eight requests up to 7.5 s of context, one from 15 s on. Two replicas
of base in full context take 310 MB at one request each, 1.6 GB at eight, which are 4 % faster."""
_MEDIAN = 3
"""Width of the filter over the attention, as the demo model was judged with; Whisper's own is 7,
and the two were never compared."""


class CTranslate2Backend:
    """A loaded Whisper; as many callers at once as it has replicas."""

    def __init__(self, folder: ModelFolder, options: EngineOptions, replicas: int = 1) -> None:
        """Load the model in a folder.

        On a CPU it gets `replicas`, which share the weights and the threads: faster for many
        requests, slower for a single one (docs/decisions/0013).

        Raises:
            RuntimeError, ValueError: CTranslate2 cannot load it, or has no such device.

        """
        rule = choose_rule(options.audio_context, folder.declared.audio_context)
        device = choose_device(options.device)
        replicas = 1 if device.kind != "cpu" else replicas
        self._model: Any = ctranslate2.models.Whisper(
            str(folder.path),
            device=device.kind,
            device_index=device.index,
            compute_type=compute_type(options.compute_type, device),
            intra_threads=max((options.cpu_threads or os.cpu_count() or 1) // replicas, 1),
            inter_threads=replicas,
        )
        self._hf_tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder.tokenizer))
        self._features = make_features(options.features, folder.mels, device)
        self._tokenizers: dict[tuple[str, str], Any] = {}
        self.info = EngineInfo(
            model=folder.name,
            languages=folder.languages,
            description=folder.declared.description,
            piece_min=folder.declared.piece_min or 8.0,
            carry_text=folder.declared.carry_text,
            replicas=replicas,
            parallel=_parallel(device, replicas),
            square=math.inf if device.kind != "cpu" else _SQUARE,
            chunk_max=12.0 if rule.finals < FULL else 28.0,
            running=_running(self._model, device),
            context=rule,
            fingerprint=" ".join(
                (
                    folder.fingerprint,
                    self._model.device,
                    self._model.compute_type,
                    ctranslate2.__version__,
                )
            ),
        )

    def warm_up(self) -> None:
        """Decode the shortest and the largest there can be, so that all memory is taken at once.

        The first utterance then finds everything allocated, and an operator sees at the start what
        the daemon will need. It must be speech: a beam takes its memory with the second token.
        """
        speech = clip.read()
        longest = np.tile(speech, LONGEST // len(speech))
        for request in (
            Request("", "", Kind.PARTIAL, speech),
            Request("", "", Kind.FINAL, longest, attempt=_CAREFUL, beam_size=_LARGEST_BEAM),
        ):
            self.decode([request])

    def key(self, request: Request) -> tuple[float, ...]:
        """Return audio context, beam size, temperature and whether it is a careful attempt."""
        careful = request.attempt >= _CAREFUL
        return (self._context(request), request.beam_size, request.temperature, careful)

    def decode(self, requests: Sequence[Request]) -> list[Result]:
        """Decode requests of one key; those with prompts of one length share a pass."""
        context = self._context(requests[0])
        results: dict[str, Result] = {}
        groups: dict[int, list[Row]] = defaultdict(list)
        for request in requests:
            prompt = self._prompt_tokens(request)
            groups[len(prompt)].append(Row(request, prompt))
        for rows in groups.values():
            timing = self._pass(rows, context)
            for row in rows:
                results[row.request.id] = Result(self._hypothesis(row), timing, context)
        return [results[request.id] for request in requests]

    def _context(self, request: Request) -> float:
        """Return the seconds of audio context; what mends a doubtful answer is made in full."""
        if request.attempt:
            return FULL
        shortest = self.info.context.shortest(request.kind)
        if request.context is not None:
            shortest = request.context
        return audio_context(request.kind, request.seconds, shortest)

    # The stages of one pass

    def _pass(self, rows: Sequence[Row], context: float) -> Timing:
        clock = [time.perf_counter()]
        samples = [row.request.samples for row in rows]
        features = self._features(samples, round(context * FRAMES))
        clock.append(time.perf_counter())
        encoded = self._model.encode(storage(features))
        clock.append(time.perf_counter())
        self._find_languages(rows, encoded)
        self._generate(rows, encoded)
        clock.append(time.perf_counter())
        self._align(rows, encoded)
        clock.append(time.perf_counter())
        features_s, encode_s, generate_s, align_s = np.diff(clock).tolist()
        return Timing(0.0, features_s, encode_s, generate_s, align_s, len(rows))

    def _find_languages(self, rows: Sequence[Row], encoded: Any) -> None:
        for row in rows:
            if len(row.request.languages) == 1:
                row.language = row.request.languages[0]
            elif not self._model.is_multilingual:
                row.language = "en"
        if all(row.language for row in rows):
            return
        for row, found in zip(rows, self._model.detect_language(encoded), strict=True):
            if not row.language:
                scores = {token[2:-2]: probability for token, probability in found}
                row.language, row.probability = choose_language(scores, row.request)

    def _generate(self, rows: Sequence[Row], encoded: Any) -> None:
        prompts = [
            [*row.prompt, *self._start(row), *self._no_timestamps(), *row.request.prefix]
            for row in rows
        ]
        budgets = [
            len(row.request.prefix) + guards.token_budget(row.request.seconds) for row in rows
        ]
        # CTranslate2 counts forced tokens too, and stops at the smaller of half of `max_length` and
        # what the prompt leaves of it.
        wanted, before = max(budgets), len(rows[0].prompt) + len(self._start(rows[0])) + 1
        longest = min(max(2 * wanted, wanted + before), _TEXT_CONTEXT)
        limit = min(longest // 2, longest - before)
        first = rows[0].request
        sampled = first.temperature > 0
        answers = self._model.generate(
            encoded,
            prompts,
            beam_size=1 if sampled else first.beam_size,
            sampling_topk=0 if sampled else 1,
            sampling_temperature=first.temperature or 1.0,
            max_length=longest,
            no_repeat_ngram_size=3 if first.attempt >= _CAREFUL else 0,
            suppress_blank=False,
            return_scores=True,
            return_no_speech_prob=True,
        )
        end = self._tokenizer(rows[0]).eot
        for row, answer, budget in zip(rows, answers, budgets, strict=True):
            forced = len(row.request.prefix)
            ids = answer.sequences_ids[0]
            new = [token for token in ids[forced:] if token < end][: budget - forced]
            row.tokens = new
            row.cut_off = len(new) >= min(budget, limit) - forced
            # The score is a mean over forced tokens too, which count as certain, and leaves the end
            # of text out. Of a text that was cut off it counts what a mate's budget let follow.
            mean = answer.scores[0] * len(ids) / (len(ids) - forced + 1) if ids else 0.0
            row.logprob = -math.inf if row.cut_off else mean
            row.no_speech = answer.no_speech_prob

    def _align(self, rows: Sequence[Row], encoded: Any) -> None:
        """Find the times of new tokens, where they are wanted.

        A call has one language, and texts of one length: CTranslate2 fills up shorter ones and
        weighs the filling too, so that a text's times would depend on its company.
        """
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            if row.request.timed and row.tokens:
                length = len(row.request.prefix) + len(row.tokens)
                alike[length, *self._start(row)].append(index)
        for (_, *start), indices in alike.items():
            group = [rows[index] for index in indices]
            aligned = self._model.align(
                select(encoded, indices),
                start,
                [[*row.request.prefix, *row.tokens] for row in group],
                [max(len(row.request.samples) * FRAMES // RATE, 2) for row in group],
                median_filter_width=_MEDIAN,
            )
            for row, alignment in zip(group, aligned, strict=True):
                row.align(alignment)

    # Tokens and words

    def _tokenizer(self, row: Row) -> Any:
        key = (row.language, row.request.task)
        if key not in self._tokenizers:
            self._tokenizers[key] = Tokenizer(
                self._hf_tokenizer,
                self._model.is_multilingual,
                task=row.request.task,
                language=row.language or "en",
            )
        return self._tokenizers[key]

    def _start(self, row: Row) -> list[int]:
        return list(self._tokenizer(row).sot_sequence)

    def _no_timestamps(self) -> list[int]:
        return [self._hf_tokenizer.token_to_id("<|notimestamps|>")]

    def _prompt_tokens(self, request: Request) -> list[int]:
        """Return the tokens before the start of the transcript, the marker included."""
        prompt = request.prompt
        if request.attempt or not (prompt.pinned or prompt.recent):
            return []
        pinned, recent = (
            self._hf_tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []
            for text in (prompt.pinned, prompt.recent)
        )
        tokens = fit(pinned, recent, _PROMPT_BUDGET, _PROMPT_GRID)
        return [self._hf_tokenizer.token_to_id("<|startofprev|>"), *tokens] if tokens else []

    def _hypothesis(self, row: Row) -> Hypothesis:
        words = tuple(row.words(self._tokenizer(row)))
        text = text_of(words)
        prompt = f"{row.request.prompt.pinned} {row.request.prompt.recent}" if row.prompt else ""
        fault = guards.judge(
            text, row.logprob, row.request.seconds, prompt=prompt, cut_off=row.cut_off
        )
        return Hypothesis(
            words,
            row.language,
            row.probability,
            fault is None,
            row.logprob,
            row.no_speech,
            row.end,
        )


def _parallel(device: Device, replicas: int) -> int:
    """Return how many chunks of files are to be under way at once."""
    if device.kind != "cpu":
        return 16
    # A daemon's one replica has speech to attend to; else all are to find company.
    return 1 if replicas == 1 else 16 * replicas


def _running(model: Any, device: Device) -> str:
    note = f" ({device.note})" if device.note else ""
    return f"{model.device}, {model.compute_type}{note}"
