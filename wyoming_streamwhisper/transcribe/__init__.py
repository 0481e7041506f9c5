"""Transcribing files without a daemon: as a library, and the `transcribe` sub-command."""

from wyoming_streamwhisper.transcribe.transcriber import Interrupted, Transcriber

__all__ = ["Interrupted", "Transcriber"]
