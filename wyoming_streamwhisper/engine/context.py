"""How much audio context a decode gets: only the audio, or Whisper's full 30 s.

Whisper's encoder was trained on 30 s, mostly padding for a command, and on a CPU that is most of
the cost. Some models take fewer frames without harm, others do not, so it is decided by model.
Contexts come in steps that depend on the request alone: a request decoded in company gets the
context, and so the text, that it gets alone.
"""

import math

from wyoming_streamwhisper.core.wish import Kind
from wyoming_streamwhisper.engine.api import Request

FULL = 30.0
_STEPS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, FULL)
# None of these is 1.6 s (80 mels) or 2.56 s (128 mels): CTranslate2 takes encoder output of as many
# positions as there are mels for features, and encodes it once more.
_BEHIND = 3.0
"""Padding behind the audio that is to be decoded to its end: where a model does not see that
nothing follows, it holds the last word back."""
_BEHIND_CHUNK = 0.5
"""The same behind a chunk of a file, which holds some of the pause that it ends in."""
_FLOOR = 10.0
"""Below about a third of the full context, whisper.cpp's users saw stock models loop."""


def audio_context(request: Request, rule: str) -> float:
    """Return the seconds of context for a request.

    `rule` is `full`, `short` (a model that declares it, or a user who forces it) or `partials`
    (any other model: short partials down to a floor, everything that is kept in full).
    An attempt to mend a doubtful answer is always made in full.
    """
    if rule == "full" or request.attempt:
        return FULL
    if rule == "partials" and request.kind is not Kind.PARTIAL:
        return FULL
    if rule == "short" and request.kind is Kind.BULK:
        # Many wait together, so that fine steps find company too; they are none of those above.
        return min(math.ceil(2 * (request.seconds + _BEHIND_CHUNK)) / 2, FULL)
    needed = request.seconds if request.kind is Kind.PARTIAL else request.seconds + _BEHIND
    floor = _FLOOR if rule == "partials" else 0.0
    return next((step for step in _STEPS if step >= max(needed, floor)), FULL)
