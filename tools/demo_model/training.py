"""Training: resumable, on CPU or CUDA, paced by steps (never by the clock, so it may be paused).

The loss is the cross-entropy of the tokens, with helpers: the encoder's output says phonemes (CTC)
and its own position, and guided attention teaches some of the decoder's heads the words' times.

First the encoder alone learns to hear, then the decoder alone learns to write from what is heard,
at half the cost of a step, then both learn together.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .batching import IGNORED, Batch, Loader, Source
from .joining import fit, join
from .muon import Muon
from .network import TRACKING_HEADS, Encoder, Whisper
from .vocabulary import Vocabulary
from .weights import EMBEDDING, STAMP_MAP

JOINED_FROM = 60  # batches
TRUSTED_STAMPS = 400  # of a run that trained each timestamp apart: those of short windows


class Phase(Enum):
    """Who learns."""

    HEAR = "the encoder"
    WRITE = "the decoder"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how: learning rates rise (in each phase), stay and fall by steps."""

    steps: int
    hear: float = 0.25  # share of the steps in which the encoder learns to hear
    write: float = 0.35  # share of all steps, behind those, in which the decoder learns to write
    rate: float = 1.0e-3
    warm_up: int = 100
    fall_from: float = 0.5  # share of the steps after which the rate falls to nothing
    weights: tuple[tuple[str, float], ...] = (
        ("token", 1.0), ("attention", 0.8), ("sounds", 0.4), ("place", 0.4),
    )  # fmt: skip
    mean_decay: float = 0.997
    save_every: int = 100
    log_every: int = 20

    def phase_at(self, step: int) -> tuple[Phase, int]:
        """Say who learns at a step, and since which."""
        write = round(self.hear * self.steps)
        both = round((self.hear + self.write) * self.steps)
        if step < write:
            return Phase.HEAR, 0
        return (Phase.WRITE, write) if step < both else (Phase.BOTH, both)

    def rate_at(self, step: int) -> float:
        """Give the learning rate of a step."""
        fallen = (step / self.steps - self.fall_from) / (1 - self.fall_from)
        risen = min(1, (step + 1 - self.phase_at(step)[1]) / self.warm_up)
        return self.rate * risen * (1 - max(0.0, min(0.99, fallen)))


def optimizers_of(model: Whisper, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the inner matrices, AdamW for the rest."""
    inner: list[Tensor] = []
    rest: list[Tensor] = []
    for name, weight in model.named_parameters():
        outer = any(part in name for part in ("embedding", "sounds", "place", "stamp_map"))
        is_inner = weight.ndim == 2 and not outer
        (inner if is_inner else rest).append(weight)
    return [
        Muon(inner, plan.rate),
        torch.optim.AdamW(rest, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.02),
    ]


def sound_loss(sounds: Tensor, goals: list[list[int]]) -> Tensor:
    """CTC of the phonemes from the encoder's output, where they are known and fit."""
    rows = [i for i, goal in enumerate(goals) if goal and len(goal) < sounds.shape[1] * 0.9]
    if not rows:
        return sounds.new_zeros(())
    chosen = [goals[i] for i in rows]
    return F.ctc_loss(
        sounds[rows].float().log_softmax(-1).transpose(0, 1),
        torch.tensor([sound for goal in chosen for sound in goal]),
        torch.full((len(rows),), sounds.shape[1]),
        torch.tensor([len(goal) for goal in chosen]),
        zero_infinity=True,
    )


def place_loss(places: Tensor, positions: Tensor, first: Tensor) -> Tensor:
    """How far what the encoder's output says of its positions is from them."""
    steps = torch.arange(places.shape[1], device=places.device)
    return (places.float() - positions[first[:, None] + steps].float()).square().mean()


def attention_loss(aligned: list[Tensor], spans: Tensor) -> Tensor:
    """How little of the guided heads' attention lies inside the words' times.

    At the position that predicts a token the alignment heads look at that token's time; the
    tracking heads look at a token's time when it is read, one position later.
    """
    frames = torch.arange(aligned[0].shape[2], device=spans.device)
    inside = (frames >= spans[:, 2:3]) & (frames < spans[:, 3:4])
    losses = []
    for number, weights in enumerate(aligned):
        late = 1 if number < len(TRACKING_HEADS) else 0
        at = (spans[:, 1] + late).clamp(max=weights.shape[1] - 1)
        mass = (weights[spans[:, 0], at] * inside).sum(-1)
        losses.append(-(mass + 1e-3).log().mean())
    return torch.stack(losses).mean()


def token_loss(model: Whisper, hidden: Tensor, targets: Tensor, offset: Tensor) -> Tensor:
    """Cross-entropy over the trained rows; logits are made only where there is a target."""
    wanted = targets != IGNORED
    logits = model.decoder.logits(hidden[wanted]).float() + offset
    return F.cross_entropy(logits, targets[wanted])


def compute_type(device: str) -> torch.dtype:
    """Say what a device computes in: a CPU without bfloat16 imitates it, fifty times slower."""
    native = device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.bfloat16 if native else torch.float32


class Trainer:
    """A model, its running mean and its optimizers, as they are saved and resumed."""

    def __init__(self, vocabulary: Vocabulary, plan: Plan, folder: Path, device: str) -> None:
        self.plan, self.folder, self.device = plan, folder, device
        self.vocabulary = vocabulary
        self.model = Whisper(vocabulary.rows).to(device)
        self.mean = Whisper(vocabulary.rows).to(device)
        self.mean.load_state_dict(self.model.state_dict())
        self._dtype = compute_type(device)
        self._lent = copy.deepcopy(self.model).to(self._dtype)  # what computes
        self.optimizers = optimizers_of(self.model, plan)
        self.offset = vocabulary.offset().to(device)
        self.step = 0
        self.before: Encoder | None = None  # what the decoder expects, until it is joined anew
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def progress(self) -> float:
        """Say how far the plan is done, 0 to 1."""
        return self.step / self.plan.steps

    def begin_from(self, checkpoint: Path) -> None:
        """Take the weights of another run, whose kept tokens and helpers may be others."""
        saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
        state = {name: w.float() for name, w in saved["mean"].items()}
        rows = self.vocabulary.carry(state[EMBEDDING], saved["kept"])
        new = self.vocabulary.new_to(saved["kept"])
        rows[new] += torch.randn(len(new), rows.shape[1]) * 0.02
        state[EMBEDDING] = rows
        own = self.model.state_dict()
        fits = {k: w for k, w in state.items() if k in own and w.shape == own[k].shape}
        for model in (self.model, self.mean):
            model.load_state_dict(own | fits)
            if STAMP_MAP not in fits:
                model.decoder.fit_stamps(TRUSTED_STAMPS)
        if self.plan.hear:
            self.before = copy.deepcopy(self.model.encoder)

    def resume(self) -> bool:
        """Go on from what this run has saved; whether there was something."""
        path = self.folder / "last.pt"
        if not path.exists():
            return False
        saved = torch.load(path, map_location=self.device, weights_only=False)
        self.model.load_state_dict(saved["model"])
        self.mean.load_state_dict(saved["mean"])
        for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.step = saved["step"]
        if saved["before"]:
            self.before = copy.deepcopy(self.model.encoder)
            self.before.load_state_dict(saved["before"])
        return True

    def save(self) -> None:
        """Save what `resume` needs, and the mean alone in half precision for the export."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "step": self.step,
            "before": self.before and self.before.state_dict(),
            "kept": self.vocabulary.kept,
        }
        _replace(state, self.folder / "last.pt")
        mean = self.mean.state_dict() | {EMBEDDING: self.mean.decoder.rows()}
        half = {name: w.detach().half().cpu() for name, w in mean.items()}
        _replace({"mean": half, "kept": self.vocabulary.kept}, self.folder / "checkpoint.pt")

    @property
    def is_parted(self) -> bool:
        """Whether the encoder has learnt alone and the decoder, which is next, must be joined."""
        return self.before is not None and self.plan.phase_at(self.step)[0] is not Phase.HEAR

    def rejoin(self, batches: list[Batch]) -> None:
        """Let the decoder take the encoder as it is now; the running mean begins anew."""
        assert self.before is not None
        moved = (batch.to(self.device) for batch in batches)
        fitted = fit(self.before, self.model.encoder, ((b.mel, b.first) for b in moved))
        join(self.model.decoder, fitted)
        self.mean.load_state_dict(self.model.state_dict())
        self.before = None

    def losses(self, batch: Batch, phase: Phase) -> dict[str, Tensor]:
        """Run what learns in a phase on a batch."""
        model, found = self._lent, dict[str, Tensor]()
        with torch.set_grad_enabled(phase is not Phase.WRITE):
            audio = model.encoder(batch.mel.to(self._dtype), batch.first)
        if phase is not Phase.WRITE:
            found["sounds"] = sound_loss(model.sounds(audio), batch.sounds)
            positions = model.encoder.positional_embedding
            found["place"] = place_loss(model.place(audio), positions, batch.first)
        if phase is not Phase.HEAR:
            guided = len(batch.spans) > 0
            hidden, aligned = model.decoder(batch.tokens, audio, batch.heard, want_weights=guided)
            found["token"] = token_loss(model, hidden, batch.targets, self.offset)
            if guided:
                found["attention"] = attention_loss(aligned, batch.spans)
        return found

    def learn(self, batch: Batch) -> dict[str, float]:
        """Take one step."""
        rate = self.plan.rate_at(self.step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        self._lend()
        losses = self.losses(batch.to(self.device), self.plan.phase_at(self.step)[0])
        weights = dict(self.plan.weights)
        total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        self._collect()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self._average()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    @torch.no_grad()
    def _lend(self) -> None:
        """Give the computing copy the weights as they are now."""
        torch._foreach_copy_(list(self._lent.parameters()), list(self.model.parameters()))
        self._lent.zero_grad(set_to_none=True)

    def _collect(self) -> None:
        """Take the computing copy's gradients over."""
        for weight, lent in zip(self.model.parameters(), self._lent.parameters(), strict=True):
            weight.grad = None if lent.grad is None else lent.grad.float()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.plan.mean_decay, (1 + self.step) / (20 + self.step))
        means: list[Tensor] = [*self.mean.parameters()]
        weights: list[Tensor] = [*self.model.parameters()]
        torch._foreach_lerp_(means, weights, 1 - decay)


def _replace(state: dict[str, Any], path: Path) -> None:
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def train(trainer: Trainer, source: Source) -> None:
    """Train until the plan is done, saving and logging on the way."""
    plan, totals = trainer.plan, dict[str, float]()
    loader = Loader(source)
    loader.tell(trainer.progress)
    started = time.process_time()
    try:
        with (trainer.folder / "log.jsonl").open("a") as log:
            batches = iter(loader)
            for batch in batches:
                if trainer.is_parted:
                    trainer.rejoin([batch, *itertools.islice(batches, JOINED_FROM)])
                for name, value in trainer.learn(batch).items():
                    totals[name] = totals.get(name, 0.0) + value
                loader.tell(trainer.progress)
                if trainer.step % plan.log_every == 0:
                    means = {k: round(v / plan.log_every, 4) for k, v in totals.items()}
                    rate, cpu = plan.rate_at(trainer.step), time.process_time() - started
                    row = {"step": trainer.step, "rate": rate, "cpu_s": round(cpu), **means}
                    log.write(json.dumps(row) + "\n")
                    log.flush()
                    totals = {}
                if trainer.step % plan.save_every == 0 or trainer.step >= plan.steps:
                    trainer.save()
                if trainer.step >= plan.steps or not all(map(math.isfinite, totals.values())):
                    break
    finally:
        loader.close()
