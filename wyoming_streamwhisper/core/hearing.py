"""What was heard of an utterance: its samples, and who speaks in them when.

Both are forgotten at the same place, and no answer given here lies beyond the last sample: the last
frame of all is filled up, and what it is filled with is no audio.
"""

from wyoming_streamwhisper.core.audio import RATE, Samples
from wyoming_streamwhisper.core.voice import FRAME, SHORTEST_SPEECH, Voice
from wyoming_streamwhisper.core.window import Window

_LEAD = int(0.3 * RATE)
"""Audio kept before speech: voice activity is noticed a little late."""
_LEEWAY = 4 * FRAME
"""Samples that voice activity may lag behind at most (docs/decisions/0009)."""


class Hearing:
    """The window and the voice of one utterance, in its sample indices."""

    def __init__(self, threshold: float, settle: int) -> None:
        """Hear speech from a probability of `threshold`; a pause tells after `settle` samples."""
        self.window = Window()
        self.voice = Voice(threshold)
        self._settle = settle

    def samples(self, start: int, end: int) -> Samples:
        """Return the audio of a range that was not forgotten."""
        return self.window.samples(start, end)

    def forget(self, before: int) -> None:
        """Forget everything before a sample index."""
        self.window.trim(before)
        self.voice.forget(before)

    @property
    def known(self) -> int:
        """Sample index up to which it is known who speaks."""
        return min(self.voice.known, self.window.end)

    @property
    def leeway(self) -> int:
        """Samples that may lie unjudged while nobody waits for a partial.

        In a pause every frame counts. Else it is enough to learn of a change well before a pause
        tells something.
        """
        if self.voice.stretches and not self.voice.speaking:
            return 0
        return min(_LEEWAY, self._settle // 2)

    def pauses(self) -> list[tuple[int, int]]:
        """List the silences behind each kept stretch of speech (begin, end)."""
        return [(begin, min(end, self.window.end)) for begin, end in self.voice.pauses()]

    def settled(self) -> int | None:
        """Return the end of the range that will be the final if nobody speaks on, once it is sure.

        Not the end of what was heard, for that depends on how the audio was chunked.
        """
        if not self.voice.stretches or self.voice.speaking:
            return None
        begin, end = self.pauses()[-1]
        return begin + self._settle if end - begin >= self._settle else None

    def last_end(self, total: int) -> int:
        """Return the end of the final's range, where the audio ends at `total`.

        The same as `settled` wherever the silence is long enough, so that the decode made in
        advance is the one that is wanted.
        """
        return min(self.voice.stretches[-1].end + self._settle, total)

    def silence(self) -> tuple[int, int]:
        """Return up to where nobody speaks, and how many samples of that are worth forgetting.

        While nobody speaks it is done now and then; once somebody does, to the sample, for there
        the piece begins.
        """
        stretches = self.voice.stretches
        # The last frames may turn out to be the begin of speech.
        speech = stretches[0].start if stretches else self.voice.known - SHORTEST_SPEECH
        return min(speech - _LEAD, self.window.end), 1 if stretches else _LEAD
