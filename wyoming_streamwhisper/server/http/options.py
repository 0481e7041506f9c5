"""Where HTTP is served, who may use it, and what a client cannot pass."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option

DEFAULT_URI = "tcp://127.0.0.1:10380"


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """The HTTP server: off unless it is asked for, and then on this machine only."""

    http: str = option(
        "off",
        f"Serve uploads, WebSockets and figures: `on` at {DEFAULT_URI}, `off`, or an address "
        "(`tcp://HOST:PORT` or `unix://PATH`). Needs the extra `http`.",
    )
    http_tokens: tuple[str, ...] = option(
        (),
        "Bearer tokens, one of which a client must show; empty lets everybody in who reaches the "
        "port.",
        flag="http-token",
        secret=True,
    )
    http_certificate: str = option(
        "", "File with the certificate chain (PEM) to serve HTTPS; empty serves plain HTTP."
    )
    http_key: str = option(
        "", "File with the certificate's private key (PEM); empty where the chain's file has it."
    )
    http_origins: tuple[str, ...] = option(
        (),
        "Web pages of other hosts that may use the server from a browser, as origins "
        "(`https://home.example`); `*` allows all.",
        flag="http-origin",
    )
    http_hosts: tuple[str, ...] = option(
        (),
        "Names by which the server is reached, beside addresses, this machine's own name, those "
        "without a dot and those of home networks (`.local`, `.lan`, `.internal`); `*` allows all. "
        "Others are refused where there is neither a token nor a certificate, because any web page "
        "can make its own name lead here.",
        flag="http-host",
    )
    http_max_clients: int = option(
        64, "Most WebSockets at once, those included that may come back.", low=1, high=100000
    )
    http_max_uploads: int = option(
        4, "Most uploads at once; a further one is answered with status 429.", low=1, high=1000
    )
    http_max_size: int = option(
        1 << 30,
        "Largest upload; it is kept in a temporary file.",
        unit="bytes",
        low=1024,
        high=1 << 40,
    )
    http_max_duration: float = option(
        21600.0, "Longest recording that is taken.", unit="s", low=1.0, high=864000.0
    )
    http_timeout: float = option(
        3600.0,
        "Longest time that one upload may take, from its first byte to its answer.",
        unit="s",
        low=1.0,
        high=864000.0,
    )
    http_resume: float = option(
        30.0,
        "How long a WebSocket that broke is waited for, its text and audio kept.",
        unit="s",
        low=0.0,
        high=3600.0,
    )

    @property
    def uri(self) -> str:
        """The address to listen on; empty for none."""
        return {"off": "", "on": DEFAULT_URI}.get(self.http, self.http)
