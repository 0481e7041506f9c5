"""When has the speaker finished: how much silence is needed behind which text.

A pause says little by itself: those within commands last as long as those behind them. So the
text decides how long the silence has to be (docs/decisions/0006 has the figures).
"""

from dataclasses import dataclass
from enum import Enum

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.core.voice import Voice
from wyoming_streamwhisper.core.words import Hypothesis, ends_sentence

PATIENCE = {"aggressive": 0.6, "default": 1.0, "relaxed": 1.8}
"""How each sensitivity scales the silence waited for, in about Home Assistant's proportions."""
_SURE = 0.7
"""Probability from which a sentence counts as whole. Of a sentence that goes on ("on March 25.")
the demo model says about 0.45, and of most whole ones more than 0.9."""


class Text(Enum):
    """What a text says of whether its speaker has finished."""

    COMPLETE = "complete"
    UNCLEAR = "unclear"
    UNFINISHED = "unfinished"


def judge(heard: Hypothesis) -> Text:
    """Return whether a text is a whole utterance.

    A single word is never surely one: models put a full stop behind any ("Please."). Neither is a
    number where it may be an ordinal ("am 25."), but "um 8 Uhr 35." is told by its probability.
    """
    sure = heard.plausible and heard.words and heard.words[-1].probability * heard.end >= _SURE
    if not ends_sentence(heard.words, heard.language):
        number = ends_sentence(heard.words, "")
        return Text.UNCLEAR if number and sure else Text.UNFINISHED
    single = sum(not word.is_punctuation for word in heard.words) == 1
    return Text.COMPLETE if sure and not single else Text.UNCLEAR


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Finds the end of an utterance in its voice activity and text, if it was asked to."""

    mode: str
    """`off`, `early` or `own`, as the option `endpointing` says."""
    silences: dict[Text, int]
    """Samples of silence behind speech that mean the end, by what its text says."""
    timeout: int
    """Samples without any word after which nobody is going to speak."""
    latest: int
    """Samples after which an utterance ends that only we can end."""

    @classmethod
    def of(cls, options: Streaming, sensitivity: str) -> "Endpoint":
        """Make one from options; an unknown sensitivity is taken for the default."""
        patience = PATIENCE.get(sensitivity, 1.0)
        # Who asks for patience dictates: a whole sentence is no reason to end there.
        one_sentence = sensitivity != "relaxed"
        silences = {
            Text.COMPLETE: options.end_complete if one_sentence else options.end_silence,
            Text.UNCLEAR: options.end_silence,
            Text.UNFINISHED: options.end_unfinished,
        }
        return cls(
            options.endpointing,
            {text: int(seconds * patience * RATE) for text, seconds in silences.items()},
            int(options.no_speech_timeout * RATE),
            int(options.end_latest * RATE),
        )

    def reached(self, voice: Voice, text: Text | None, *, waiting: bool) -> bool:
        """Whether the utterance is over.

        `text`: what the words so far say; None where none was heard, for a cough is no utterance.
        `waiting`: a decode is under way that will tell. Only with `own` does an utterance
        without words end, and one that never falls silent: otherwise the client watches for both.
        """
        if self.mode == "off":
            return False
        if self.mode == "own" and voice.known >= self.latest:
            return True
        if waiting or voice.rising:
            return False
        if text is None and (self.mode == "early" or voice.known < self.timeout):
            return False
        return voice.quiet >= self.silences[text or Text.UNCLEAR]
