"""The demo model's recipe: from Debian's speech synthesizers to a small Whisper."""
