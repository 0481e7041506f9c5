"""Keeps the names under which the daemon is announced, because they must survive restarts.

Home Assistant knows a discovered service by its name: another name is another device. What is
kept lies in one small file in the state folder.
"""

import hashlib
import json
import logging
import os
import re
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

_log = logging.getLogger(__name__)

_FILE = "discovery.json"
_LONGEST = 63
"""Bytes of an instance name (RFC 6763 §4.1.1)."""
_SUFFIX = 4
"""Bytes kept free for the number of a renamed one."""


def state_folder(option: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Name the folder for what must survive a restart: the option's, systemd's, or the user's."""
    if option:
        return Path(os.path.expanduser(option))
    if systemd := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(systemd)
    home = os.path.expanduser(environment.get("XDG_STATE_HOME") or "~/.local/state")
    # A user without a home, as containers have them, must not get a folder named `~`.
    return Path("/var/lib" if home.startswith("~") else home) / "wyoming-streamwhisper"


def clean_name(name: str, longest: int = _LONGEST - _SUFFIX) -> str:
    """Make a name fit for announcing: no dots or controls, at most so many bytes; may be empty."""
    printable = "".join(c if c.isprintable() else " " for c in name.replace(".", "-"))
    # Cut in bytes, because the protocol counts those; half a letter at the end falls away.
    cut = " ".join(printable.split()).encode("utf-8", "ignore")[:longest]
    return cut.decode("utf-8", "ignore").strip()


def host_name(name: str) -> str:
    """Derive a legal host name from an instance name, for the address records to stand under."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    # Names in other scripts would all become the same, so what is lost shows in the digest.
    return label if label == name else f"{label[:40]}-{digest}".strip("-")


class Identity:
    """The names in force; each change is on the disk before it is announced.

    Reads the folder once and never raises: where nothing can be kept, the name comes from the
    machine, so that it still is the same tomorrow.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE
        self._own, self._renamed = self._load()
        if not self._own:
            self._own = f"streamwhisper-{secrets.token_hex(4)}"
            if not self._save():
                self._own = f"streamwhisper-{_machine()}"

    @property
    def own(self) -> str:
        """The name that was made for this daemon."""
        return self._own

    def current(self, wanted: str) -> str:
        """Give the name to announce where `wanted` was asked for."""
        return self._renamed.get(wanted, wanted)

    def rename(self, wanted: str) -> str:
        """Choose the next name because another one has the current; keep and return it."""
        current = self.current(wanted)
        number = current[len(wanted) :].removeprefix("-")
        name = f"{wanted}-{int(number) + 1 if number.isdecimal() else 2}"
        self._renamed[wanted] = name
        self._save()
        return name

    def _load(self) -> tuple[str, dict[str, str]]:
        try:
            kept = json.loads(self._file.read_bytes())
            own, renamed = kept["name"], kept["renamed"]
            texts = [own, *renamed, *renamed.values()]
        except FileNotFoundError:
            return "", {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("%s cannot be read (%s); making it anew", self._file, error)
            return "", {}
        if not all(isinstance(text, str) and clean_name(text, _LONGEST) == text for text in texts):
            _log.warning("%s holds names that cannot be announced; making it anew", self._file)
            return "", {}
        return own, renamed

    def _save(self) -> bool:
        text = json.dumps({"name": self._own, "renamed": self._renamed}, indent=2)
        # Replaced in one step: after a crash there is the old file or the new one.
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, "utf-8")
            part.replace(self._file)
        except OSError as error:
            _log.warning("The name of this daemon cannot be kept: %s", error)
            return False
        return True


def _machine() -> str:
    """Give 8 hex digits that stay the same on this machine and tell nothing about it."""
    try:
        machine = Path("/etc/machine-id").read_text("ascii").strip()
    except (OSError, ValueError):
        machine = ""
    return hashlib.sha256(f"streamwhisper {machine or socket.gethostname()}".encode()).hexdigest()[
        :8
    ]
