"""All servers that can be measured side by side: ours and its peers."""

from benchmarks.peers.wyoming_faster_whisper import wyoming_faster_whisper
from benchmarks.serving import Running, Server, ours

__all__ = ["Running", "Server", "ours", "wyoming_faster_whisper"]
