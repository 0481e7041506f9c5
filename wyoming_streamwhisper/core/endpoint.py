"""When has the speaker finished."""

from dataclasses import dataclass

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.voice import Voice

PATIENCE = {"aggressive": 0.6, "default": 1.0, "relaxed": 1.8}
"""How each sensitivity scales the silence waited for, in about Home Assistant's proportions."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Finds the end of an utterance in its voice activity, if it was asked to."""

    mode: str
    """`off`, `early` or `own`, as the option `endpointing` says."""
    silence: int
    """Samples of silence behind speech that mean the end."""
    timeout: int
    """Samples without any speech after which nobody is going to speak."""

    @classmethod
    def of(cls, options: Streaming, sensitivity: str) -> "Endpoint":
        """Make one from options; an unknown sensitivity is taken for the default."""
        patience = PATIENCE.get(sensitivity, 1.0)
        return cls(
            options.endpointing,
            int(options.end_silence * patience * RATE),
            int(options.no_speech_timeout * RATE),
        )

    def reached(self, voice: Voice, *, answered: bool, spoken: bool) -> bool:
        """Whether the utterance is over.

        `answered`: the text of everything spoken is there. `spoken`: somebody has spoken at all.
        Only with `own` does silence from the begin end it: otherwise the client watches for that.
        """
        if self.mode == "off":
            return False
        if not spoken:
            return self.mode == "own" and voice.known >= self.timeout
        return answered and voice.quiet >= self.silence
