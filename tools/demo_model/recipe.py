"""The stages of the recipe, each kept in the work folder and run again only where it is missing.

speech    WORK/speech       the training corpus (`corpus`)
evalset   WORK/eval         the evaluation set (`evalset`)
train     WORK/run          checkpoints, log and curves (`training`, `curves`)
export    WORK/export       the formats of Whisper's tools (`export`)
evaluate  WORK/figures.*    errors as JSON and Markdown (`evaluation`, `peers`)
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import corpus, curves, evalset, evaluation, peers
from .batching import Source
from .blending import blend
from .corpus import Corpus
from .examples import Mix
from .export import export
from .hearing import LONGEST, Hearing
from .sizes import Size
from .training import Plan, Trainer, train
from .vocabulary import Vocabulary

PACKAGED = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")
SEED = 1
EVALUATION_SEED = 78


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    espeak: int = 60_000
    natural: int = 2_000
    batch_s: float = 100.0
    fewest_uses: int = 3  # of a token; one that is used less is not worth a row
    plan: Plan = field(default_factory=lambda: Plan(12_000))
    counts: evalset.Counts = field(default_factory=evalset.Counts)
    peers: int = 20
    longest: int = LONGEST  # tokens that the evaluation waits for


SMOKE = Scale(
    espeak=40,
    natural=0,
    batch_s=12.0,
    fewest_uses=1,
    plan=Plan(steps=3, warm_up=2, save_every=2, log_every=1),
    counts=evalset.Counts(1, 1, 1, 1, 0, 1, 1, 1, 8.0),
    peers=1,
    longest=12,  # an untrained model never ends by itself
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the work is kept, how much of it, on what."""

    work: Path
    scale: Scale
    workers: int = 2
    device: str = "cpu"
    begin_from: Path | None = None
    mix: Mix = field(default_factory=Mix)
    share: float = 1.0
    """Of the run's weights in what is exported; the others are those that it began from."""

    @property
    def run_folder(self) -> Path:
        """Name the folder of the training run."""
        return self.work / "run"

    def speech(self) -> None:
        """Speak the training corpus."""
        if not (self.work / "speech" / "index.jsonl").exists():
            jobs = corpus.plan(self.scale.espeak, self.scale.natural, SEED)
            corpus.speak(jobs, self.work / "speech", self.workers)

    def evalset(self) -> None:
        """Speak the evaluation set."""
        if not (self.work / "eval" / "manifest.jsonl").exists():
            evalset.make(self.work / "eval", self.scale.counts, EVALUATION_SEED)

    def vocabulary(self) -> Vocabulary:
        """Choose the tokens to train: once for a run, from its corpus (and what it begins from)."""
        path = self.run_folder / "kept.json"
        if path.exists():
            return Vocabulary(json.loads(path.read_text()))
        rows = Corpus(self.work / "speech").rows
        texts = (text for row in rows for text in (row["text"], row["other"]) if text)
        vocabulary = Vocabulary.of(
            texts, self.scale.fewest_uses, Vocabulary.kept_by(self.begin_from)
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([int(token) for token in vocabulary.kept]))
        return vocabulary

    def train(self) -> None:
        """Train, or go on, up to the plan's steps; draw the curves."""
        vocabulary = self.vocabulary()
        trainer = Trainer(vocabulary, self.scale.plan, self.run_folder, self.device)
        if not trainer.resume() and self.begin_from:
            trainer.begin_from(self.begin_from)
        if trainer.progress < 1:
            # Another seed after each interruption: the same pools are not drawn twice.
            kept = tuple(int(token) for token in vocabulary.kept)
            seed = SEED * 1000 + trainer.step
            train(trainer, Source(self.work / "speech", kept, self.scale.batch_s, seed, self.mix))
        curves.plot(self.run_folder / "log.jsonl", self.run_folder / "curves.png")

    def export(self, size: Size | None = None, name: str = "export") -> None:
        """Write the averaged weights in every format."""
        checkpoint = self.run_folder / "checkpoint.pt"
        if self.begin_from and self.share < 1:
            blend(self.begin_from, checkpoint, self.share, self.run_folder / "blend.pt")
            checkpoint = self.run_folder / "blend.pt"
        export(checkpoint, self.work / name, size or Size())

    def evaluate(self) -> None:
        """Measure the int8 model, and the implementations against each other."""
        hearing = Hearing(
            self.work / "export" / "ct2-int8", self.workers, longest=self.scale.longest
        )
        found = evaluation.Evaluation(hearing, self.work / "eval").run()
        figures = found.figures()
        sets = ("command", "long")
        figures["implementations"] = peers.compare(
            self.work / "export", self.work / "eval", sets, self.scale.peers, self.scale.longest
        )
        evaluation.write(figures, self.work / "figures")

    def install(self, package: Path) -> None:
        """Put the int8 model where the package ships it."""
        package.mkdir(parents=True, exist_ok=True)
        for name in (*PACKAGED, "preprocessor_config.json"):
            shutil.copyfile(self.work / "export" / "ct2-int8" / name, package / name)

    def build(self) -> None:
        """Run every stage."""
        self.speech()
        self.evalset()
        self.train()
        self.export()
        self.evaluate()
