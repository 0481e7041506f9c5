"""Tells systemd how we are, by notices and exit statuses; notices need somebody who listens.

It speaks through systemd-python (the extra `systemd`), which systemd's own people keep, and only
if the unit is `Type=notify`, in which case systemd hands us a socket in NOTIFY_SOCKET.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping

EX_CONFIG = 78
"""The same start will fail again: systemd shall not try it for ever (sysexits.h)."""
EX_UNAVAILABLE = 69

_LOGGER = logging.getLogger(__name__)

Notify = Callable[[str], object]
"""Hands lines of `sd_notify(3)` to systemd."""


class Service:
    """What systemd is told about this process."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify

    def ready(self, status: str) -> None:
        """Say that the start, or the reload, is over and utterances are taken."""
        self._notify(f"READY=1\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._notify(f"STATUS={_line(text)}")

    def reloading(self) -> None:
        """Say that options are being read again; `ready` ends it."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._notify("STOPPING=1\nSTATUS=Finishing what runs")


def service(environ: Mapping[str, str] = os.environ) -> Service:
    """Return the service that systemd runs us as, or one that tells nobody."""
    if not environ.get("NOTIFY_SOCKET"):
        return Service(lambda state: None)
    try:
        from systemd import daemon
    except ImportError:
        _LOGGER.error(
            "systemd waits to hear that the service is ready, but the extra for it is not "
            "installed: run `pip install 'wyoming-streamwhisper[systemd]'` in this environment, "
            "or set Type=exec in the unit"
        )
        return Service(lambda state: None)
    return Service(daemon.notify)


def _line(text: str) -> str:
    """Keep a status from setting another variable."""
    return " ".join(text.split())
