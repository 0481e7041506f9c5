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
ENGINE = ("ctranslate2==4.8.5", "onnxruntime==1.31.1", "numpy==2.4.6")
"""The same for all, so that servers are compared and not the libraries below them."""
WEB = ("fastapi==0.165.0", "uvicorn==0.54.0", "python-multipart==0.0.34", "websockets==17.4")

_COMPLETE = "complete"
"""Written last: an installation that was broken off leaves an environment without it."""


@dataclass(frozen=True, slots=True)
class Package:
    """A peer in the package registry, and what has to be installed for it."""

    name: str
    version: str
    needs: tuple[str, ...]
    """What is installed first."""
    complete: bool = True
    """Whether its own metadata may bring the rest; else `needs` is all that it gets."""

    @property
    def folder(self) -> str:
        """The environment's name below the cache."""
        return f"{self.name}-{self.version}"


# torchaudio has no build for a CPU beside this torch, and the two peers that ask for it do not
# import it on the way that is measured; whisper-live asks for OpenVINO, PyAudio and more besides,
# for other back ends and for its client. So these two get only what they import.
PACKAGES = (
    Package("wyoming-faster-whisper", "3.8.1", (*ENGINE, "faster-whisper==1.2.1")),
    Package(
        "whisperlivekit",
        "0.2.26",
        (
            TORCH,
            *ENGINE,
            *WEB,
            "faster-whisper==1.2.1",
            "librosa==0.11.0",
            "soundfile==0.14.0",
            "tiktoken==0.14.0",
        ),
        complete=False,
    ),
    Package(
        "whisper-live",
        "0.10.0",
        (
            TORCH,
            *ENGINE,
            *WEB,
            "faster-whisper==1.2.0",
            "requests==2.34.2",  # faster-whisper 1.2.0 imports it and does not say so.
            "scipy==1.17.1",
        ),
        complete=False,
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
    folder = _environment(name, cache)
    if not (folder / _COMPLETE).exists():
        raise SystemExit(f"{name} is not installed: python -m benchmarks.peers install {name}")
    return folder / "bin" / "python"


def install(name: str, cache: Path | None = None) -> Path:
    """Make a peer's environment anew and return it."""
    folder, peer = _environment(name, cache), package(name)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    _pip(folder, *peer.needs)
    _pip(folder, *([] if peer.complete else ["--no-deps"]), f"{peer.name}=={peer.version}")
    (folder / _COMPLETE).touch()
    return folder


def _environment(name: str, cache: Path | None) -> Path:
    return (cache or default_cache()) / "peers" / package(name).folder


def _pip(folder: Path, *arguments: str) -> None:
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *arguments]
    subprocess.run(command, check=True)
