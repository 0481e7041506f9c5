"""The client: speech from files and microphones to any Wyoming daemon, words as they come."""

from wyoming_streamwhisper.client.command import main

__all__ = ["main"]
