"""The text of an utterance as it was sent: closed pieces, the open one, and revisions."""

from collections.abc import Sequence

from wyoming_streamwhisper.core.words import Hypothesis, Word, append, extends, text_of


class Transcript:
    """Grows by pieces; whatever takes back what was sent begins a new revision."""

    def __init__(self) -> None:
        self._closed = ""
        self.sent = ""
        """The text so far, as everybody has seen it."""
        self.tail = ""
        """What was heard behind it and may be taken back."""
        self.revision = 0
        self.language = ""
        self.language_probability = 0.0

    @property
    def closed(self) -> str:
        """The text of the closed pieces."""
        return self._closed

    def close(self, heard: Hypothesis) -> str:
        """Add the text of a closed piece, and return it."""
        text = text_of(heard.words)
        self._closed = append(self._closed, text)
        if text or not self.language:
            self.language = heard.language
            self.language_probability = heard.language_probability
        return text

    def show(self, sure: Sequence[Word], unsure: Sequence[Word] = ()) -> bool:
        """Send the closed pieces and what is sure of the open one; returns whether that is news."""
        text = append(self._closed, text_of(sure))
        tail = append(self._closed, text_of([*sure, *unsure]))[len(text) :]
        if (text, tail) == (self.sent, self.tail):
            return False
        if not extends(self.sent, text):
            self.revision += 1
        self.sent, self.tail = text, tail
        return True
