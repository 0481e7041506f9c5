"""What it would have been without us: the same weights in one pass of faster-whisper."""

import multiprocessing
import re
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wyoming_streamwhisper.core.edits import distance


@dataclass(frozen=True, slots=True)
class OnePass:
    """A sequential transcription."""

    text: str
    elapsed: float
    """Seconds, without loading the model."""
    peak_memory: int
    """Most bytes that its process had resident."""


def one_pass(file: Path, model: Path, compute_type: str, threads: int, language: str) -> OnePass:
    """Transcribe in a process of its own, so that its memory can be told; greedy, as we do."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_one_pass, file, model, compute_type, threads, language).result()


def word_differences(text: str, other: str) -> float:
    """Return how many words of a text the other has otherwise, as a share; case does not count."""
    ours, theirs = _words(text), _words(other)
    return distance(ours, theirs) / len(ours) if ours else float(bool(theirs))


def _one_pass(file: Path, model: Path, compute_type: str, threads: int, language: str) -> OnePass:
    from faster_whisper import WhisperModel

    whisper = WhisperModel(str(model), compute_type=compute_type, cpu_threads=threads)
    begun = time.perf_counter()
    segments, _ = whisper.transcribe(
        str(file),
        language=language or None,
        beam_size=1,
        condition_on_previous_text=False,
    )
    text = " ".join(segment.text.strip() for segment in segments)
    elapsed = time.perf_counter() - begun
    return OnePass(text, elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _words(text: str) -> list[str]:
    return re.sub(r"[^\w\s:]", " ", text.lower()).split()
