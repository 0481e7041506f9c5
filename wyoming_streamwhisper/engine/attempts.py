"""What becomes of an answer that is not to be believed: pure, a more careful request or none."""

from dataclasses import replace

from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.engine.api import Request, Result

_ATTEMPTS = 3
"""As asked; in full and without prompt; the same with a beam and without repetitions."""
_CAREFUL_BEAM = 5


def next_attempt(request: Request, result: Result) -> Request | None:
    """Return a more careful request where an answer is not to be believed.

    Partials are not worth it. The second attempt sees the full context and no prompt, the third
    searches with a beam in which no phrase comes twice; whisper's own remedy, sampling at higher
    temperatures, would answer the same audio differently each time. Where somebody asked for
    sampling, the third is made without.
    """
    if result.hypothesis.plausible or request.kind is Kind.PARTIAL:
        return None
    attempt = request.attempt + 1
    if attempt >= _ATTEMPTS:
        return None
    again = replace(request, attempt=attempt, prompt=Prompt())
    if attempt == 1:
        return again
    return replace(again, beam_size=max(request.beam_size, _CAREFUL_BEAM), temperature=0.0)
