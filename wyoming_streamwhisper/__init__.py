"""Live, private speech-to-text for every voice satellite from one shared Whisper."""

__version__ = "0.1.0"
