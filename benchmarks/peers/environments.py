"""Where the peers live: each in an environment of its own, made from versions that are pinned.

Nothing of a peer is installed beside our daemon, so that each runs with the libraries it asks for.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TORCH = "torch==2.13.0"
"""Exact: an open range may bring gigabytes for GPUs."""


@dataclass(frozen=True, slots=True)
class Package:
    """A peer in the package registry, and what has to be installed for it."""

    name: str
    version: str
    needs: tuple[str, ...] | None = None
    """What it imports on the way that is measured; None leaves that to its own metadata."""

    @property
    def folder(self) -> str:
        """The environment's name below the cache."""
        return f"{self.name}-{self.version}"


# torchaudio has no build for a CPU beside this torch. Both peers that ask for it never import it on
# the way that is measured; whisper-live asks for OpenVINO, PyAudio and more besides, which it
# imports for other back ends and for its client only.
PACKAGES = (
    Package("wyoming-faster-whisper", "3.8.1"),
    Package(
        "whisperlivekit",
        "0.2.26",
        (
            TORCH,
            "fastapi==0.141.1",
            "faster-whisper==1.2.1",
            "librosa==0.11.0",
            "python-multipart==0.0.31",
            "soundfile==0.14.0",
            "tiktoken==0.14.0",
            "uvicorn==0.40.0",
            "websockets==17.4",
        ),
    ),
    Package(
        "whisper-live",
        "0.10.0",
        (
            TORCH,
            "fastapi==0.141.1",
            "faster-whisper==1.2.0",
            "python-multipart==0.0.31",
            "uvicorn==0.40.0",
            "websockets==17.4",
        ),
    ),
)


def default_cache() -> Path:
    """Return where the environments and cost models are kept: below XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "wyoming-streamwhisper" / "benchmarks"


def package(name: str) -> Package:
    """Return a peer by its name in the registry; raises KeyError."""
    return next(one for one in PACKAGES if one.name == name)


def python(name: str, cache: Path | None = None) -> Path:
    """Return the interpreter of a peer's environment; exits with a sentence if there is none."""
    found = _environment(name, cache) / "bin" / "python"
    if not found.exists():
        raise SystemExit(f"{name} is not installed: python -m benchmarks.peers install {name}")
    return found


def install(name: str, cache: Path | None = None) -> Path:
    """Make a peer's environment anew and return it."""
    folder, peer = _environment(name, cache), package(name)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    own = f"{peer.name}=={peer.version}"
    if peer.needs is None:
        _pip(folder, own)
    else:
        _pip(folder, *peer.needs)
        _pip(folder, "--no-deps", own)
    return folder


def _environment(name: str, cache: Path | None) -> Path:
    return (cache or default_cache()) / "peers" / package(name).folder


def _pip(folder: Path, *arguments: str) -> None:
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *arguments]
    subprocess.run(command, check=True)
