"""Where a model comes from: its name, a folder, the hub's cache, the hub, or this package."""

import difflib
import logging
import os.path
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from wyoming_streamwhisper.core.languages import LANGUAGES
from wyoming_streamwhisper.engine import folder, hub
from wyoming_streamwhisper.engine.folder import ModelCard, ModelError, ModelFolder
from wyoming_streamwhisper.engine.hub import Progress
from wyoming_streamwhisper.engine.options import ModelOptions

__all__ = ["ModelCard", "ModelError", "ModelFolder", "ModelOptions", "Progress", "names", "resolve"]

_log = logging.getLogger(__name__)

_DEMO = "demo"
_DEMO_FOLDER = Path(__file__).parent.parent / "demo_model"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@cache
def _repositories() -> dict[str, str]:
    """Give the hub ids of all names."""
    # Imported late: it brings CTranslate2, and these options are read for `--version` too.
    from faster_whisper.utils import _MODELS

    sizes = ("tiny", "base", "small", "medium")  # names that wyoming-faster-whisper's users know
    known: dict[str, str] = dict(_MODELS)
    return known | {f"{size}-int8": f"rhasspy/faster-whisper-{size}-int8" for size in sizes}


def names() -> tuple[str, ...]:
    """List all names that a model has besides its folder or its hub id."""
    return (_DEMO, *_repositories())


def guess_languages(name: str) -> tuple[str, ...]:
    """Return the languages that a model of this name should know, before it was looked at."""
    if name == _DEMO:
        return folder.read_card(_DEMO_FOLDER).languages
    if name.endswith(".en") or "distil" in name:
        return ("en",)
    newest = "large-v3" in name or "turbo" in name
    return tuple(code for code in LANGUAGES if newest or code != "yue")


def resolve(
    options: ModelOptions, *, progress: Progress | None = None, endpoint: str | None = None
) -> ModelFolder:
    """Find the model's folder; download it if it is not here and may be.

    Looked for are, in this order: a local folder of that name, the data folders, the download
    folder, the hub's cache, and then the hub at `endpoint` (its library's default if None). It
    blocks as long as a download takes; `progress` replaces the bar or the log lines. Raises
    ModelError.
    """
    name = options.model
    if name == _DEMO:
        return _take(_DEMO_FOLDER, options, endpoint)
    # A known name means the model, even where a folder of that name happens to lie about.
    if name and name not in _repositories() and os.path.isdir(_folder(name)):
        return _take(_folder(name).resolve(), options, endpoint)
    repository = _repository(name)
    broken = ""
    for path in _candidates(options, repository):
        fault = folder.find_fault(path)
        if fault is None:
            return _take(path, options, endpoint)
        # Often a download that broke off, which the hub can complete.
        broken = f"; {path} is no whole model ({fault})"
        _log.warning("%s is no whole model (%s); looking elsewhere", path, fault)
    if options.local_files_only:
        raise ModelError(
            f"The model {name!r} is not here and local_files_only forbids to download it"
            f"{broken}; put its folder into a data folder or allow the download."
        )
    return _take(_download(options, repository, endpoint, progress), options, endpoint)


def _download(
    options: ModelOptions, repository: str, endpoint: str | None, progress: Progress | None
) -> Path:
    place = _download_cache(options)
    path = hub.download(repository, place, endpoint=endpoint, progress=progress)
    fault = folder.find_fault(path)
    if fault is None or fault.endswith("is missing"):
        return path
    # The hub's library keeps a file that it once finished, however a disk has damaged it since.
    _log.warning("%s is damaged (%s); downloading it again", path, fault)
    return hub.download(repository, place, endpoint=endpoint, progress=progress, again=True)


def _repository(name: str) -> str:
    """Give the hub id that a name stands for."""
    if name in _repositories():
        return _repositories()[name]
    if name.startswith(("/", "./", "../", "~")) or name.count("/") > 1:
        raise ModelError(f"There is no folder {name!r} that may be read; check the model's path.")
    if _REPOSITORY.fullmatch(name):
        return name
    close = difflib.get_close_matches(name.lower(), names(), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ModelError(
        f"There is no model {name!r}; {hint}choose a folder, a hub id (ORGANISATION/NAME) "
        f"or one of {', '.join(names())}."
    )


def _candidates(options: ModelOptions, repository: str) -> Iterator[Path]:
    """Give the folders that should hold the model, best first."""
    for data in map(_folder, options.data_dir):
        for plain in (data / options.model, data / repository):
            if os.path.isdir(plain):
                yield plain
        yield from hub.snapshots(data, repository)
    for place in dict.fromkeys((_download_cache(options), hub.default_cache())):
        yield from hub.snapshots(place, repository)


def _download_cache(options: ModelOptions) -> Path:
    chosen = options.download_dir or next(iter(options.data_dir), "")
    return _folder(chosen) if chosen else hub.default_cache()


def _folder(text: str) -> Path:
    # Path's own way raises for a user without a home, as containers have them.
    return Path(os.path.expanduser(text))


def _take(path: Path, options: ModelOptions, endpoint: str | None) -> ModelFolder:
    """Describe a folder that is to be used, whole or not."""
    if fault := folder.find_fault(path):
        raise ModelError(
            f"The folder {path} holds no whole Whisper for CTranslate2 ({fault}); "
            "copy or download it again, or choose a model converted for CTranslate2."
        )
    tokenizer = None
    if not (path / folder.TOKENIZER).exists():
        tokenizer = _foreign_tokenizer(path, options, endpoint)
    return folder.inspect(path, options.model, tokenizer)


def _foreign_tokenizer(path: Path, options: ModelOptions, endpoint: str | None) -> Path:
    """Find a tokenizer for a model without one, from caches or the hub.

    faster-whisper would ask the hub for it at every start, even where that is forbidden.
    """
    repository = folder.tokenizer_repository(path)
    cache = _download_cache(options)
    for place in dict.fromkeys((*map(_folder, options.data_dir), cache, hub.default_cache())):
        for snapshot in hub.snapshots(place, repository):
            if (file := snapshot / folder.TOKENIZER).exists():
                return file
    if options.local_files_only:
        raise ModelError(
            f"The folder {path} has no {folder.TOKENIZER} and local_files_only forbids to "
            f"download it; copy the one of {repository} into the folder."
        )
    _log.warning("%s has no %s; taking the one of %s", path, folder.TOKENIZER, repository)
    files = (folder.TOKENIZER,)
    return hub.download(repository, cache, files=files, endpoint=endpoint) / folder.TOKENIZER
