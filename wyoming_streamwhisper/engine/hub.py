"""Finds models in the hub's cache and downloads them, and says in one sentence why it cannot.

The hub's own library does the transfer; its errors, which differ from version to version, end here
as ModelError. Progress is measured on the disk, because that is the same in all its versions.
"""

import errno
import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from tqdm import tqdm

from wyoming_streamwhisper.engine.folder import ModelError

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called about twice a second with the bytes that are here and the bytes of all."""

MODEL_FILES = (
    "config.json",
    "preprocessor_config.json",
    "model.bin",
    "tokenizer.json",
    "vocabulary.*",
    "streamwhisper.json",
)
"""What a model needs, and nothing else that its repository may hold."""

_NEEDED = ("model.bin", "config.json")

_LOOK_EVERY = 0.5  # s
_LOG_EVERY = 5.0  # s; few enough for a journal, often enough to see that it goes on
_UNREACHABLE = "check the network, or put the model's folder into a data folder"


def default_cache() -> Path:
    """Return the folder in which all programs of this user keep what the hub gave."""
    return Path(constants.HF_HUB_CACHE)


def snapshots(cache: Path, repository: str) -> list[Path]:
    """List what a cache holds of a repository: the branch `main` first, then newest first."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    try:
        found = sorted(
            (folder / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True
        )
    except OSError:  # nothing there, or nothing that we may read
        return []
    try:
        main = (folder / "refs" / "main").read_text("utf-8").strip()
    except (OSError, ValueError):
        main = ""
    return sorted(found, key=lambda path: path.name != main)


def download(
    repository: str,
    cache: Path,
    *,
    files: tuple[str, ...] = MODEL_FILES,
    endpoint: str | None = None,
    progress: Progress | None = None,
    again: bool = False,
) -> Path:
    """Download what is missing of a repository into a cache; return the snapshot's folder.

    `files` are names or patterns; `again` replaces what is there. Raises ModelError.
    """
    from faster_whisper.utils import disabled_tqdm  # late, as in `models`

    try:
        size = _size(repository, files, endpoint)
        _log.info("Downloading %s, %.0f MB, to %s", repository, size / 1e6, cache)
        _check_space(repository, cache, size)
        with _watched(cache / f"models--{repository.replace('/', '--')}", size, progress):
            return Path(
                huggingface_hub.snapshot_download(
                    repository,
                    cache_dir=cache,
                    endpoint=endpoint,
                    allow_patterns=list(files),
                    force_download=again,
                    tqdm_class=disabled_tqdm,  # one bar for all is ours
                )
            )
    except ModelError:
        raise
    except Exception as error:  # the library's transports raise kinds of their own
        raise ModelError(_explain(error, repository, cache)) from error


def _size(repository: str, files: tuple[str, ...], endpoint: str | None) -> int:
    """Ask for the bytes of all wanted files."""
    info = huggingface_hub.HfApi(endpoint=endpoint).model_info(
        repository, files_metadata=True, timeout=20
    )
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    # Most Whispers on the hub are not converted; that is better said before they are fetched.
    for missing in (name for name in files if name in _NEEDED and name not in sizes):
        raise ModelError(
            f"The hub's {repository} is no Whisper for CTranslate2 ({missing} is missing); "
            "choose a converted one."
        )
    return sum(
        size for name, size in sizes.items() if any(fnmatch(name, wanted) for wanted in files)
    )


def _check_space(repository: str, cache: Path, size: int) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(_not_writable(cache, error)) from error
    free = shutil.disk_usage(cache).free + _used(cache / f"models--{repository.replace('/', '--')}")
    if size > free:
        raise ModelError(_disk_full(repository, cache) + f" ({size / 1e6:.0f} MB are needed).")


def _disk_full(repository: str, cache: Path) -> str:
    return (
        f"The disk of {cache} is too full for the model {repository}; "
        "make room or choose another download folder"
    )


def _not_writable(cache: Path, error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"The download folder {cache} cannot be written ({reason}); choose another one."


def _explain(error: BaseException, repository: str, cache: Path) -> str:
    """Find the one sentence that helps a person."""
    # From the special to the general: the first two are kinds of the third.
    if isinstance(error, GatedRepoError):
        return (
            f"The model {repository} is gated; "
            "accept its terms on the hub and set HF_TOKEN to your token."
        )
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"The hub has no model {repository}, or it is private; "
            "check the name, and set HF_TOKEN for a private one."
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, HfHubHTTPError) and status is not None:
        return f"The hub refused the model {repository} (HTTP {status}); try again later."
    if isinstance(error, ValueError):
        return f"{repository!r} is no name that the hub can have; check it."
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(repository, cache) + "."
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _not_writable(cache, error)
    return (
        f"The hub cannot be reached for the model {repository} "
        f"({type(error).__name__}); {_UNREACHABLE}."
    )


@contextmanager
def _watched(folder: Path, size: int, progress: Progress | None) -> Iterator[None]:
    """Report how much of a download is on the disk, from a thread, until the block ends."""
    before, done = _used(folder), threading.Event()
    tell = progress or (
        progress_bar(folder.name) if sys.stderr.isatty() else _log_line(folder.name)
    )

    def watch() -> None:
        while not done.wait(_LOOK_EVERY):
            tell(min(size, max(0, _used(folder) - before)), size)

    thread = threading.Thread(target=watch, name="download-progress", daemon=True)
    thread.start()
    try:
        yield
        # Stopped first, so that the last word is that all is here.
        done.set()
        thread.join()
        tell(size, size)
    finally:
        done.set()
        thread.join()


def _used(folder: Path) -> int:
    """Count the bytes of a folder's files; links to them count nothing."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_size if file.is_file() and not file.is_symlink() else 0
        except OSError:  # gone meanwhile: a part that has become whole
            continue
    return total


def progress_bar(name: str) -> Progress:
    """Make a reporter for terminals, of the repository that a cache folder's name tells."""
    bar = tqdm(desc=name.removeprefix("models--").replace("--", "/"), unit="B", unit_scale=True)

    def tell(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return tell


def _log_line(name: str) -> Progress:
    """Make a reporter for journals: a line every few seconds, and one at the end."""
    next_line = time.monotonic() + _LOG_EVERY
    model = name.removeprefix("models--").replace("--", "/")

    def tell(done: int, total: int) -> None:
        nonlocal next_line
        if done < total and time.monotonic() < next_line:
            return
        next_line = time.monotonic() + _LOG_EVERY
        percent = 100 * done // total if total else 100
        _log.info("%s: %d %% of %.0f MB", model, percent, total / 1e6)

    return tell
