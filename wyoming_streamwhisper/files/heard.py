"""What goes from the decodes of a recording, or its journal, to where they are joined."""

from dataclasses import dataclass

from wyoming_streamwhisper.core.chunks import Chunk
from wyoming_streamwhisper.core.words import Hypothesis


@dataclass(frozen=True, slots=True)
class Heard:
    """A chunk and what was heard in it; the times of words are those of the recording."""

    chunk: Chunk
    hypothesis: Hypothesis
