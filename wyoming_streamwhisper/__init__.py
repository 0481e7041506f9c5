"""Live, private speech-to-text for every voice satellite from one shared Whisper."""

import os

__version__ = "0.1.0"

# ONNX Runtime 1.29 and newer tells its maker how it is used, unless this is there before it is
# imported, by us or by another library. Nothing leaves the machine.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
