"""Everything a person can choose, from a file, the environment and flags; see `settings`."""

from wyoming_streamwhisper.config.settings import Settings, load
from wyoming_streamwhisper.config.values import ConfigError

__all__ = ["ConfigError", "Settings", "load"]
