"""What a listener to an utterance is told, whatever the protocol behind it."""

from wyoming_streamwhisper.core.events import Failed, Final, Partial, Speech

__all__ = ["Event", "Failed", "Final", "Partial", "Speech"]

Event = Speech | Partial | Final | Failed
"""The last one is a `Final` or a `Failed`, and there is no other."""
