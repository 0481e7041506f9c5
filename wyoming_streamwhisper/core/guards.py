"""Whether a hypothesis can be believed: loops, texts too dense for their audio, echoed prompts.

The thresholds of compression and log-probability are those of openai-whisper's `transcribe`.
"""

import zlib
from collections.abc import Sequence
from enum import Enum

_MOST_COMPRESSED = 2.4
_LEAST_LOGPROB = -1.0
_LIKELY_SILENCE = 0.6
_LITTLE_SPEECH = 0.25  # seconds
_SOME_SILENCE = 0.05
_MOST_WORDS_A_SECOND = 8.0
_SHORTEST_LOOP = 3  # repetitions


class Fault(Enum):
    """Why a hypothesis is not believed."""

    LOOP = "loop"
    UNLIKELY = "unlikely"
    DENSE = "dense"
    ECHO = "echo"
    CUT_OFF = "cut off"


def token_budget(seconds: float) -> int:
    """Return how many tokens so much audio can need in any language."""
    return min(int(16 + 25 * seconds), 220)


def judge(
    text: str, average_logprob: float, seconds: float, *, prompt: str = "", cut_off: bool = False
) -> Fault | None:
    """Return what is wrong with a text heard in so many seconds of audio, or None."""
    words = text.split()
    if repetition(words) or compression(text) > _MOST_COMPRESSED:
        return Fault.LOOP
    if cut_off:
        return Fault.CUT_OFF
    if average_logprob < _LEAST_LOGPROB:
        return Fault.UNLIKELY
    if len(words) > 4 + _MOST_WORDS_A_SECOND * seconds:
        return Fault.DENSE
    if len(words) >= 3 and len(words) > 5 * seconds and text in prompt:
        return Fault.ECHO
    return None


def nobody(no_speech: float, average_logprob: float, spoken: float) -> bool:
    """Whether the model itself takes its text for one made up in silence.

    `spoken`: the longest stretch in seconds that voice activity takes for speech. A fifth of a
    second may be a note of music, so there a small doubt of the model counts (decision 0006).
    """
    if spoken < _LITTLE_SPEECH:
        return no_speech > _SOME_SILENCE
    return no_speech > _LIKELY_SILENCE and average_logprob < _LEAST_LOGPROB


def compression(text: str) -> float:
    """Return how many times smaller a text becomes by compression; a loop becomes very small."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if len(data) > 40 else 1.0


def repetition(words: Sequence[str]) -> bool:
    """Whether the words end in the same phrase of up to eight words, several times over."""
    for size in range(1, 9):
        times = _SHORTEST_LOOP + (3 if size == 1 else 0)
        if len(words) < size * times:
            continue
        tail = words[-size:]
        if all(words[-size * (n + 1) : len(words) - size * n] == tail for n in range(times)):
            return True
    return False
