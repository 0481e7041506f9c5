"""The bundled clip: two seconds of a synthetic voice, to warm up and to check a model with."""

from pathlib import Path

from wyoming_streamwhisper.core.audio import AudioFormat, Converter, Samples

PATH = Path(__file__).parent.parent / "assets" / "check.wav"
FORMAT = AudioFormat(16_000, 2, 1)


def read() -> Samples:
    """Return the clip's samples."""
    return Converter(FORMAT).feed(PATH.read_bytes())
