"""Builds cost models: the demo model's texts at the cost of a real Whisper's size.

    python -m benchmarks.cost_models OUT --size base --formats ct2-int8,openai

The packaged demo model is all that it needs. What was built before is kept.
"""

import argparse
import base64
import gzip
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import wyoming_streamwhisper
from benchmarks.ct2_weights import read_state, write_folder
from tools.demo_model.sizes import SIZES, Size
from tools.demo_model.widening import State, resized

DEMO = Path(wyoming_streamwhisper.__file__).parent / "demo_model"
HEADS = "alignment_heads.txt"
Write = Callable[[State, Size, Path], None]


def _ctranslate2(quantization: str) -> Write:
    def write(state: State, size: Size, folder: Path) -> None:
        write_folder(state, size, DEMO, folder, quantization)

    return write


def _openai(state: State, size: Size, folder: Path) -> None:
    """Write the one file, and the heads that follow the audio, for which it has no room.

    The heads are in the form in which openai-whisper keeps those of its own models.
    """
    from tools.demo_model.weights import write_openai  # Needs torch.

    write_openai(state, size, folder / "model.pt")
    heads = json.loads((DEMO / "config.json").read_text())["alignment_heads"]
    mask = np.zeros((size.decoder_layers, size.heads), bool)
    mask[tuple(np.transpose(heads))] = True
    packed = base64.b85encode(gzip.compress(mask.tobytes(), mtime=0)).decode()
    (folder / HEADS).write_text(packed)


def _hugging_face(state: State, size: Size, folder: Path) -> None:
    from tools.demo_model.export import write_hugging_face  # Needs all that the recipe needs.

    write_hugging_face(state, size, folder)


FORMATS: dict[str, Write] = {
    "ct2-int8": _ctranslate2("int8"),
    "ct2-float16": _ctranslate2("float16"),
    "ct2-float32": _ctranslate2("float32"),
    "openai": _openai,
    "hf": _hugging_face,
}
"""Folder of each format, and what writes it."""


def build(out: Path, size: str, formats: Sequence[str] = ("ct2-int8",)) -> list[Path]:
    """Write the formats that are missing below `out`, each into a folder of its name.

    Raises ImportError where a format's library is not installed.
    """
    folders = [out / name for name in formats]
    missing = [folder for folder in folders if not folder.exists()]
    state = resized(read_state(DEMO, SIZES["demo"]), SIZES[size]) if missing else {}
    for folder in missing:
        # Under another name until it is whole: what is there counts as built.
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        FORMATS[folder.name](state, SIZES[size], unfinished)
        unfinished.rename(folder)
    return folders


def main(argv: Sequence[str] | None = None) -> int:
    """Build what is asked for and print where it is."""
    ask = argparse.ArgumentParser(
        prog="python -m benchmarks.cost_models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ask.add_argument("out", type=Path, metavar="OUT", help="folder; its size is not in its name")
    ask.add_argument("--size", choices=tuple(SIZES), default="base", help="(%(default)s)")
    ask.add_argument(
        "--formats",
        default="ct2-int8",
        metavar="A,B",
        help=f"of {', '.join(FORMATS)} (%(default)s); openai needs torch, hf the recipe's needs",
    )
    options = ask.parse_args(argv)
    formats = options.formats.split(",")
    if unknown := [name for name in formats if name not in FORMATS]:
        ask.error(f"no such format: {', '.join(unknown)}")
    for folder in build(options.out, options.size, formats):
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
