"""wyoming-faster-whisper: the server that Home Assistant's users have today.

It collects the audio of an utterance and transcribes it as a whole at audio-stop, or where its own
voice activity detection hears an end.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.environments import python
from benchmarks.serving import Server

ENDPOINTING_S = 0.7
"""Silence that ends a command, as its documentation shows; it has no default."""


def wyoming_faster_whisper(
    model: Path,
    *,
    beam: int | None = None,
    vad_endpointing: bool = False,
    threads: int = 2,
    cache: Path | None = None,
) -> Server:
    """Return it with a CTranslate2 model; without `beam` it takes its default, 5 on a PC."""
    # Resolved here, so that a peer that is missing is told before anything runs.
    interpreter = str(python("wyoming-faster-whisper", cache))
    options = ["--model", str(model), "--data-dir", str(model), "--cpu-threads", str(threads)]
    if beam is not None:
        options += ["--beam-size", str(beam)]
    if vad_endpointing:
        options += ["--vad-endpointing", str(ENDPOINTING_S)]

    def command(port: int) -> Sequence[str]:
        uri = f"tcp://127.0.0.1:{port}"
        return [interpreter, "-m", "wyoming_faster_whisper", "--uri", uri, *options]

    name = f"wyoming-faster-whisper, beam {beam or 'default'}"
    if vad_endpointing:
        name += f", own endpointing {ENDPOINTING_S} s"
    return Server(name, command, environ={"HF_HUB_OFFLINE": "1"})
