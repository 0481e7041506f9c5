"""WhisperLiveKit: streaming Whisper with the AlignAtt policy (SimulStreaming) over a WebSocket.

It encodes 30 s for every decode, with CTranslate2 where it is given such an encoder, and decodes
with PyTorch in float32. It says `ready_to_stop` when all audio is worked off: that is its answer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from wyoming.event import Event

import wyoming_streamwhisper
from benchmarks.cost_models import HEADS
from benchmarks.peers.dialect import Message
from benchmarks.peers.environments import python
from benchmarks.peers.shown import Shown
from benchmarks.serving import Server, listens

Encoder = Literal["ct2-int8", "ct2-float32", "pytorch"]

WARM_UP = Path(wyoming_streamwhisper.__file__).parent / "assets" / "check.wav"
"""A second of speech; without a file of ours it would fetch one from the network."""


class WhisperLiveKit:
    """Its protocol: PCM as it is, an empty message at the end, whole transcripts back."""

    patience_s = None

    def __init__(self) -> None:
        self._shown = Shown()

    def path(self, language: str | None) -> str:
        """Return the path with the session's language."""
        return f"/asr?language={language or 'auto'}"

    def hello(self, language: str | None) -> None:
        """Say nothing: all is in the path."""

    def is_ready(self, message: Message) -> bool:
        """Whether this is its configuration, which comes first."""
        return message.get("type") == "config"

    def ending(self) -> bytes:
        """Return the empty message."""
        return b""

    def ended(self) -> list[Event]:
        """Return nothing: the server says when it has finished."""
        return []

    def heard(self, message: Message) -> list[Event]:
        """Show the lines that are sure and, behind them, what it still holds back."""
        if message.get("type") == "ready_to_stop":
            return self._shown.finish(self._shown.text)
        if "lines" not in message:
            return []
        # Words begin with their own space; lines do not.
        lines = " ".join(line.get("text") or "" for line in message["lines"])
        return self._shown.show(lines + (message.get("buffer_transcription") or ""))

    def given_up(self) -> list[Event]:
        """Return what is there."""
        return self._shown.finish(self._shown.text)


def whisperlivekit(
    model: Path,
    *,
    encoder: Encoder = "ct2-int8",
    beams: int = 1,
    frame_threshold: int = 25,
    threads: int = 2,
    cache: Path | None = None,
) -> Server:
    """Return it with a cost model: `model` holds its formats, `openai` and `ct2-...` among them.

    Smaller `frame_threshold` (20 ms each; its own default is 25) is earlier and less sure.
    """
    from benchmarks.peers.websocket import connector  # Needs the extra `bench`.

    interpreter = python("whisperlivekit", cache)
    options = [
        *("--backend-policy", "simulstreaming", "--pcm-input", "--warmup-file", str(WARM_UP)),
        *("--decoder-model-path", str(model / "openai" / "model.pt")),
        # Without them it would follow half of all heads.
        *("--custom-alignment-heads", (model / "openai" / HEADS).read_text()),
        *("--beams", str(beams), "--frame-threshold", str(frame_threshold)),
        *("--log-level", "WARNING"),
    ]
    if encoder == "pytorch":
        options += ["--backend", "whisper"]
    else:
        options += ["--backend", "faster-whisper", "--encoder-model-path", str(model / encoder)]

    def command(port: int) -> Sequence[str]:
        where = ["--host", "127.0.0.1", "--port", str(port)]
        return [str(interpreter), "-m", "whisperlivekit.basic_server", *where, *options]

    return Server(
        f"WhisperLiveKit, {encoder} encoder",
        command,
        "whisperlivekit",
        "ws",
        connector(WhisperLiveKit),
        listens,
        {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads)},
    )
