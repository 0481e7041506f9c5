"""Announces the daemon by zeroconf so that Home Assistant finds it."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """How the daemon is announced."""

    zeroconf: str = option(
        "auto",
        "Announce the daemon under this name; `auto` makes a lasting one, `off` does not announce.",
    )
    state_dir: str = option(
        "",
        "Folder for what must survive a restart; empty takes systemd's state directory or "
        "`~/.local/state/wyoming-streamwhisper`.",
    )
