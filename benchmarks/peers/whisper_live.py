"""WhisperLive: decodes the buffer of a client over and over, over a WebSocket.

A segment is `completed` when a later one appears or when it has come out the same several times.
At END_OF_AUDIO its server hangs up and drops what it has not decoded, so a client that wants all
words waits for the last segment first; its own waits until 15 s have brought nothing new. Audio
of less than a second is not decoded at all.
"""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path

from wyoming.event import Event

from benchmarks.peers.dialect import Message, Refused
from benchmarks.peers.environments import python
from benchmarks.peers.shown import Shown
from benchmarks.serving import Server, listens

LAUNCHER = Path(__file__).with_name("whisper_live_server.py")
"""Not imported: it needs the peer's environment."""


class WhisperLive:
    """Its protocol: options first, then audio; lists of the last segments back."""

    patience_s = 15.0

    def __init__(self, same_output_threshold: int, use_vad: bool) -> None:
        self._same_output_threshold = same_output_threshold
        self._use_vad = use_vad
        self._shown = Shown()
        self._completed: dict[str, str] = {}
        self._is_complete = False
        self._has_ended = False

    def path(self, language: str | None) -> str:
        """Return the root: there is one service."""
        return "/"

    def hello(self, language: str | None) -> str:
        """Return the options of a session; where we set none, those of its own client."""
        options = {
            "uid": str(uuid.uuid4()),
            "language": language,
            "task": "transcribe",
            "model": "small",  # Its server has a model of its own; this is what clients send.
            "use_vad": self._use_vad,
            "audio_format": "int16",
            "send_last_n_segments": 10,
            "no_speech_thresh": 0.45,
            "clip_audio": False,
            "same_output_threshold": self._same_output_threshold,
        }
        return json.dumps(options)

    def is_ready(self, message: Message) -> bool:
        """Whether it has loaded its model; raises Refused where it is full."""
        if "status" in message:
            raise Refused(f"{message['status']}: {message.get('message')}")
        return message.get("message") == "SERVER_READY"

    def ending(self) -> None:
        """Say nothing: END_OF_AUDIO would drop what is not decoded yet."""

    def ended(self) -> list[Event]:
        """Return the answer where the last segment was completed before."""
        self._has_ended = True
        return self._shown.finish(self._shown.text) if self._is_complete else []

    def heard(self, message: Message) -> list[Event]:
        """Show the segments; the last one completed behind the end is the answer."""
        segments = message.get("segments")
        if not segments:
            return []
        self._completed |= {one["start"]: one["text"] for one in segments if one["completed"]}
        self._is_complete = segments[-1]["completed"]
        texts = [*self._completed.values(), *(s["text"] for s in segments if not s["completed"])]
        # In long streams only the last segments are repeated.
        text = " ".join(text.strip() for text in texts)
        done = self._is_complete and self._has_ended
        return self._shown.finish(text) if done else self._shown.show(text)

    def given_up(self) -> list[Event]:
        """Return what stands there."""
        return self._shown.finish(self._shown.text)


def whisper_live(
    model: Path,
    *,
    batch: bool = False,
    same_output_threshold: int = 1,
    use_vad: bool = True,
    threads: int = 2,
    cache: Path | None = None,
) -> Server:
    """Return it with a CTranslate2 model, for any number of clients.

    With `batch` it decodes several clients' audio together, greedily instead of with a beam of 5.
    A segment is completed when it has come out the same more than `same_output_threshold` times
    beyond the first. Its own client asks for 10: on two cores that is longer than the client waits.
    """
    from benchmarks.peers.websocket import connector  # Needs the extra `bench`.

    # -P: our file beside the launcher has the package's own name.
    server = [str(python("whisper-live", cache)), "-P", str(LAUNCHER), str(model)]

    def command(port: int) -> Sequence[str]:
        return [*server, str(port), *(["--batch"] if batch else [])]

    return Server(
        "WhisperLive" + (", batches" if batch else ""),
        command,
        "whisperlive",
        "ws",
        connector(lambda: WhisperLive(same_output_threshold, use_vad)),
        listens,
        {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads)},
    )
