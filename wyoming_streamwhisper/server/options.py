"""Where to listen, and what a peer cannot pass."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class Listener:
    """One address to listen on, and what its connections get."""

    uri: str
    profile: str = ""
    """Profile of its connections; empty for the first one."""
    satellite: str = ""
    """Name of the one satellite behind it; empty where connections are told apart otherwise."""


@dataclass(frozen=True, slots=True)
class WyomingOptions:
    """Where to listen, and the limits that a peer cannot pass."""

    uris: tuple[Listener, ...] = option(
        (Listener("tcp://0.0.0.0:10300"),),
        "Address to listen on (`tcp://HOST:PORT` or `unix://PATH`); may be repeated; in YAML each "
        "may be a mapping `{uri, profile, satellite}`.",
        flag="uri",
    )
    max_connections: int = option(
        256, "Most connections at once; a further one gets an error.", low=1, high=100000
    )
    max_utterance: float = option(
        3600.0,
        "Longest utterance; a longer one is ended with what was heard.",
        unit="s",
        low=1.0,
        high=864000.0,
    )
    idle_timeout: float = option(
        300.0,
        "A connection on which nothing happens for so long is closed.",
        unit="s",
        low=1.0,
        high=86400.0,
    )
