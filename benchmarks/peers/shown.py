"""What a client shows of a peer's answer, told as Wyoming events, so that one record serves all.

Text that grows is a chunk, text that changes is a new revision: so the same code measures delays,
revisions and texts of all servers.
"""

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Event


class Shown:
    """The text that stands on the screen of a client of one utterance."""

    def __init__(self) -> None:
        self.text = ""
        self._begun = False

    def show(self, text: str) -> list[Event]:
        """Return what tells that `text` stands there now; nothing, if it did before."""
        text = text.strip()
        if text == self.text:
            return []
        grown = self._begun and text.startswith(self.text)
        further = text[len(self.text) :] if grown else text
        self.text, self._begun = text, True
        chunk = TranscriptChunk(further).event()
        return [chunk] if grown else [TranscriptStart().event(), chunk]

    def finish(self, text: str) -> list[Event]:
        """Return what tells that `text` is the answer."""
        events = [*self.show(text), Transcript(self.text).event()]
        return [*events, TranscriptStop().event()] if self._begun else events
