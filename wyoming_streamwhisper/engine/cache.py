"""Small findings about models that are kept from start to start, as JSON in the cache folder.

They may be deleted at any time, and a folder that cannot be written only means that they are found
again. A finding belongs to a key; another key is another finding.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Name the folder: systemd's or the user's; None for a user without a home."""
    if systemd := environment.get("CACHE_DIRECTORY", "").partition(":")[0]:
        return Path(systemd)
    home = os.path.expanduser(environment.get("XDG_CACHE_HOME") or "~/.cache")
    return None if home.startswith("~") else Path(home) / "wyoming-streamwhisper"


class Findings:
    """Findings of one kind."""

    def __init__(self, kind: str, folder: Path | None) -> None:
        self._kind = kind
        self._folder = folder

    def read(self, key: str) -> dict[str, Any] | None:
        """Return what is kept for a key, None where there is nothing that can be read."""
        try:
            kept = json.loads(self._file(key).read_bytes()) if self._folder else None
        except (OSError, ValueError):
            return None
        return kept["finding"] if isinstance(kept, dict) and kept.get("key") == key else None

    def write(self, key: str, finding: dict[str, Any]) -> None:
        """Keep a finding, in place of an earlier one of that key; never raises."""
        if not self._folder:
            return
        file = self._file(key)
        # Replaced in one step: after a crash there is the old file or the new one.
        part = file.with_suffix(f".{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"key": key, "finding": finding}, indent=1), "utf-8")
            part.replace(file)
        except OSError as error:
            _LOG.debug("%s cannot be kept: %s", self._kind, error)

    def _file(self, key: str) -> Path:
        assert self._folder is not None
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        return self._folder / f"{self._kind}-{name}.json"
