"""All servers that can be measured side by side: ours and its peers."""

from benchmarks.peers.whisper_live import whisper_live
from benchmarks.peers.whisperlivekit import whisperlivekit
from benchmarks.peers.wyoming_faster_whisper import wyoming_faster_whisper
from benchmarks.serving import Running, Server, ours

__all__ = [
    "Running",
    "Server",
    "ours",
    "whisper_live",
    "whisperlivekit",
    "wyoming_faster_whisper",
]
