"""Examples to tensors, and a process of its own that makes them beside the training."""

from __future__ import annotations

import math
import multiprocessing
import os
import queue
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .corpus import Corpus
from .examples import Example, Maker, Mix, batches
from .features import log_mel
from .sizes import AUDIO_CONTEXT
from .sound import RATE
from .vocabulary import EOT, NO_SPEECH, NO_TIMESTAMPS, TIMESTAMP_0, Vocabulary

STEP = 6400  # samples: windows are padded to multiples of 0.4 s
IGNORED = -100
WAIT_S = 5  # for a batch, before the process that makes them is looked after
LONG_PAD_SHARE = 0.06  # of the batches: short speech in a long context
WARPS = (0.86, 0.9, 0.94, 0.97, 1.0, 1.0, 1.0, 1.03, 1.06, 1.1, 1.15)


@dataclass(slots=True)
class Batch:
    """What a training step needs.

    `heard` says which window each row of tokens is written for; `spans` are (row, token, first
    position, position behind); `first` are the positions at which the windows begin.
    """

    mel: Tensor
    heard: Tensor
    tokens: Tensor
    targets: Tensor
    spans: Tensor
    first: Tensor
    sounds: list[list[int]]

    def to(self, device: str) -> Batch:
        """Move the tensors to a device."""
        mel, tokens = self.mel.to(device), self.tokens.to(device)
        targets, spans = self.targets.to(device), self.spans.to(device)
        heard, first = self.heard.to(device), self.first.to(device)
        return Batch(mel, heard, tokens, targets, spans, first, self.sounds)


def _padding(rng: random.Random, examples: list[Example]) -> tuple[list[Example], int]:
    """Choose the samples of the window; a long one holds fewer examples."""
    n = max(len(e.audio) for e in examples)
    seconds = n / RATE
    extra = rng.choice([0, 0, 0, 0.2, 0.5, 1, 2]) if seconds < 20 else 0
    if rng.random() < LONG_PAD_SHARE and seconds < 10:
        extra = 30.0 if rng.random() < 0.3 else rng.uniform(3, 25)
        examples = rng.sample(examples, max(1, min(len(examples), int(140 / (seconds + extra)))))
    return examples, min(30 * RATE, math.ceil((n + extra * RATE) / STEP) * STEP)


def targets_of(example: Example) -> Tensor:
    """Give the next tokens; those of the prompt and the task, which are given, count for nothing.

    Where there is no speech the target behind SOT is NO_SPEECH, else the language.
    """
    goal = torch.tensor(example.tokens[1:])
    goal[: example.first] = IGNORED
    goal[example.first + 1] = IGNORED
    if example.tokens[example.first + 3] == NO_TIMESTAMPS:
        goal[example.first + 2] = IGNORED
    if example.silent:
        goal[example.first] = NO_SPEECH
    return goal


def collate(examples: list[Example], rng: random.Random, vocabulary: Vocabulary) -> Batch:
    """Pad and stack; half of the batches pad the features with 0.0 as faster-whisper does."""
    examples, n = _padding(rng, examples)
    audio = torch.zeros(len(examples), n)
    begins = []
    writings: list[tuple[int, Example]] = []  # window, what is written for it
    for b, e in enumerate(examples):
        audio[b, : len(e.audio)] = torch.from_numpy(e.audio[:n])
        ways = [e, e.again] if e.again else [e]
        begins.append(begin(ways, n // 320, rng))
        writings += [(b, shifted(way, begins[b])) for way in ways]
    width = -(-max(len(e.tokens) for _, e in writings) // 4) * 4
    tokens = torch.full((len(writings), width), EOT)
    targets = torch.full((len(writings), width - 1), IGNORED)
    spans = []
    for w, (_, e) in enumerate(writings):
        tokens[w, : len(e.tokens)] = torch.tensor(e.tokens)
        goal = targets_of(e)
        targets[w, : len(goal)] = goal
        for i, start, end in e.spans:
            first = int(start * 50)
            if first < n // 320:
                spans.append((w, i - 1, first, max(first + 1, math.ceil(end * 50))))
    row = torch.from_numpy(vocabulary.row)
    mel = log_mel(audio, rng.choice(WARPS))
    if rng.random() < 0.5:
        for b, e in enumerate(examples):
            mel[b, :, len(e.audio) // 160 + rng.randrange(2) :] = 0.0
    if rng.random() < 0.5:
        mask(mel, rng)
    goals = torch.where(targets >= 0, row[targets.clamp(min=0)], targets)
    sounds = [e.sounds for e in examples]
    where = torch.tensor(spans, dtype=torch.long).reshape(-1, 4)
    heard, first_positions = torch.tensor([b for b, _ in writings]), torch.tensor(begins)
    return Batch(mel, heard, row[tokens[:, :-1]], goals, where, first_positions, sounds)


def begin(ways: list[Example], positions: int, rng: random.Random) -> int:
    """Choose the position that a window begins at: 0, or sometimes any.

    So the decoder learns to follow speech at every position of a long window from short ones.
    """
    room = AUDIO_CONTEXT - positions
    latest = max(max(way.tokens) for way in ways)
    if latest >= TIMESTAMP_0:
        room = min(room, AUDIO_CONTEXT - (latest - TIMESTAMP_0))
    return rng.randint(0, room) if room > 0 and rng.random() < 0.5 else 0


def shifted(example: Example, positions: int) -> Example:
    """Give the example with its timestamps moved on (a timestamp a position)."""
    if not positions:
        return example
    tokens = [t + positions if t >= TIMESTAMP_0 else t for t in example.tokens]
    return replace(example, tokens=tokens)


def mask(mel: Tensor, rng: random.Random) -> None:
    """Hide a few bands and moments."""
    middle = mel.mean()
    for _ in range(2):
        band, moment = rng.randrange(70), rng.randrange(max(1, mel.shape[2] - 12))
        mel[:, band : band + rng.randrange(10)] = middle
        mel[:, :, moment : moment + rng.randrange(12)] = middle


def _pack(batch: Batch) -> dict[str, Any]:
    names = ("mel", "heard", "tokens", "targets", "spans", "first")
    arrays = {name: getattr(batch, name).numpy() for name in names}
    arrays["mel"] = arrays["mel"].astype(np.float16)
    return {**arrays, "sounds": batch.sounds}


def _unpack(packed: dict[str, Any]) -> Batch:
    tensors = {k: torch.from_numpy(v) for k, v in packed.items() if k != "sounds"}
    tensors["mel"] = tensors["mel"].float()
    return Batch(**tensors, sounds=packed["sounds"])


@dataclass(frozen=True, slots=True)
class Source:
    """Where batches come from."""

    corpus: Path
    kept: tuple[int, ...]
    seconds: float
    seed: int
    mix: Mix = field(default_factory=Mix)


def make(source: Source, progress: float, count: int) -> list[Batch]:
    """Make batches in this process, for tests and short runs."""
    vocabulary, rng = Vocabulary(source.kept), random.Random(source.seed)
    maker = Maker(Corpus(source.corpus), vocabulary, source.seed, source.mix)
    out: list[Batch] = []
    while len(out) < count:
        groups = batches(maker, source.seconds, progress)
        out += [collate(examples, rng, vocabulary) for examples in groups]
    return out[:count]


def _end_with_training() -> None:
    """End this process when the other does: killed, that one cannot see to it."""
    training = multiprocessing.parent_process()
    assert training is not None
    training.join()
    os._exit(1)


def _produce(source: Source, out: Any, progress: Synchronized[float]) -> None:
    threading.Thread(target=_end_with_training, daemon=True).start()
    torch.set_num_threads(1)
    vocabulary, rng = Vocabulary(source.kept), random.Random(source.seed)
    maker = Maker(Corpus(source.corpus), vocabulary, source.seed, source.mix)
    while True:
        for examples in batches(maker, source.seconds, progress.value):
            out.put(_pack(collate(examples, rng, vocabulary)))


class Loader:
    """Batches for ever, made by a process beside this one; `progress` tells it how far we are."""

    def __init__(self, source: Source) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue = context.Queue(maxsize=12)
        self._progress = context.Value("d", 0.0)
        self._process = context.Process(
            target=_produce, args=(source, self._queue, self._progress), daemon=True
        )
        self._process.start()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            try:
                yield _unpack(self._queue.get(timeout=WAIT_S))
            except queue.Empty:
                if not self._process.is_alive():
                    raise RuntimeError("the process that makes batches has ended") from None

    def tell(self, progress: float) -> None:
        """Say how far the training is, 0 to 1."""
        self._progress.value = progress

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
