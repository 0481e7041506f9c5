"""The yardstick for accuracy: the same weights over the same files in one pass, computed once."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.accuracy import Clip


@dataclass(frozen=True, slots=True)
class OnePass:
    """What faster-whisper makes of a file as a whole, greedy and with the language given."""

    timestamps: str
    plain: str
    """Without timestamp tokens."""


def one_pass(
    folder: Path, clips: Sequence[Clip], model: str, cache: Path | None, compute_type: str = "int8"
) -> dict[str, OnePass]:
    """Return each clip's one-pass texts, from the cache file as far as it has them."""
    key = f"{model} {compute_type}"
    known = _read(cache, key)
    missing = [clip for clip in clips if clip.file not in known]
    if missing:
        known |= _transcribe(folder, missing, model, compute_type)
        if cache is not None:
            texts = {file: asdict(texts) for file, texts in sorted(known.items())}
            cache.write_text(
                json.dumps({"model": key, "texts": texts}, ensure_ascii=False, indent=1)
            )
    return known


def _read(cache: Path | None, key: str) -> dict[str, OnePass]:
    if cache is None or not cache.is_file():
        return {}
    content = json.loads(cache.read_text())
    if content["model"] != key:
        raise SystemExit(f"{cache} holds one-pass texts of {content['model']}, not of {key}.")
    return {file: OnePass(**texts) for file, texts in content["texts"].items()}


def _transcribe(
    folder: Path, clips: Sequence[Clip], model: str, compute_type: str
) -> dict[str, OnePass]:
    from faster_whisper import WhisperModel  # Only here: with a full cache nothing is loaded.

    whisper = WhisperModel(model, device="auto", compute_type=compute_type)

    def text(clip: Clip, without_timestamps: bool) -> str:
        segments, _ = whisper.transcribe(
            str(folder / clip.file),
            language=clip.lang,
            beam_size=1,
            temperature=0,
            condition_on_previous_text=False,
            without_timestamps=without_timestamps,
        )
        return "".join(segment.text for segment in segments).strip()

    return {clip.file: OnePass(text(clip, False), text(clip, True)) for clip in clips}
