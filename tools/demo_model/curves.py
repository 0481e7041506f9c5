"""The training's curves as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

LOSSES = ("token", "attention", "sounds", "place")


def plot(log: Path, out: Path) -> None:
    """Draw the losses and the learning rate of a log over its steps."""
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    steps = [row["step"] for row in rows]
    figure, (losses, rate) = plt.subplots(
        2, 1, sharex=True, figsize=(8, 6), height_ratios=(3, 1), layout="constrained"
    )
    for name in LOSSES:
        losses.plot(steps, [row.get(name) for row in rows], label=name, linewidth=1)
    losses.set_ylabel("loss")
    losses.legend()
    rate.plot(steps, [row["rate"] for row in rows], linewidth=1)
    rate.set_ylabel("learning rate")
    rate.set_xlabel("step")
    figure.savefig(out, dpi=110)
    plt.close(figure)
