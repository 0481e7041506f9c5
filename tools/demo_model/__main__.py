"""Build the demo model: `script/build-demo-model --help`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

STAGES = ("speech", "evalset", "train", "export", "evaluate", "build", "install")
PACKAGE = Path(__file__).parents[2] / "wyoming_streamwhisper" / "demo_model"


def parser() -> argparse.ArgumentParser:
    """Declare the command line."""
    p = argparse.ArgumentParser(prog="build-demo-model", description=__doc__)
    p.add_argument("stage", choices=STAGES, nargs="?", default="build")
    p.add_argument("--work", type=Path, default=Path("build/demo-model"), help="working folder")
    p.add_argument("--smoke", action="store_true", help="a tiny run of every stage")
    p.add_argument("--steps", type=int, help="training steps in all; more than done: go on")
    p.add_argument("--rate", type=float, help="highest learning rate")
    p.add_argument("--hear", type=float, help="share of the steps for the encoder alone")
    p.add_argument("--write", type=float, help="share of the steps for the decoder alone, next")
    p.add_argument("--begin-from", type=Path, help="checkpoint.pt of an earlier run")
    p.add_argument(
        "--share", type=float, default=1.0, help="export: of the run, the rest of --begin-from"
    )
    p.add_argument("--device", default="cpu", help="cpu or cuda")
    p.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    p.add_argument("--threads", type=int, default=0, help="of the training; default: all cores")
    p.add_argument("--mix", default="", help="shares of the examples: long=0.3,longest_s=12,...")
    p.add_argument("--size", default="demo", help="export at the cost of: demo, base, small, turbo")
    return p


def parse_mix(text: str) -> dict[str, float]:
    """Read `name=share,...`."""
    pairs = (item.split("=") for item in text.split(",") if item)
    return {name.strip(): float(share) for name, share in pairs}


def main(argv: list[str] | None = None) -> None:
    """Run one stage, or all."""
    arguments = parser().parse_args(argv)
    # Imported late: `--help` needs none of the recipe's packages.
    from dataclasses import replace

    import torch

    from .examples import Mix
    from .recipe import SMOKE, Recipe, Scale
    from .sizes import SIZES

    torch.set_num_threads(arguments.threads or os.cpu_count() or 1)
    torch.manual_seed(0)
    scale = SMOKE if arguments.smoke else Scale()
    given = {name: getattr(arguments, name) for name in ("steps", "rate", "hear", "write")}
    plan = replace(scale.plan, **{k: v for k, v in given.items() if v is not None})
    recipe = Recipe(
        arguments.work,
        replace(scale, plan=plan),
        arguments.workers,
        arguments.device,
        arguments.begin_from,
        replace(Mix(), **parse_mix(arguments.mix)),
        arguments.share,
    )
    if arguments.stage == "install":
        recipe.install(PACKAGE)
    elif arguments.stage == "export" and arguments.size != "demo":
        recipe.export(SIZES[arguments.size], f"export-{arguments.size}")
    else:
        getattr(recipe, arguments.stage)()


if __name__ == "__main__":
    main()
