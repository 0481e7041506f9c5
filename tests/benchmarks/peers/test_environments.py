"""Each peer has a folder of its own, and a missing one is told before anything runs."""

from pathlib import Path

import pytest

from benchmarks.peers.environments import PACKAGES, default_cache, python
from benchmarks.peers.wyoming_faster_whisper import wyoming_faster_whisper


def test_a_peer_that_is_missing_is_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"benchmarks\.peers install wyoming-faster-whisper"):
        wyoming_faster_whisper(Path("model"), cache=tmp_path)


def test_the_version_is_part_of_the_folder(tmp_path: Path) -> None:
    for one in PACKAGES:
        folder = tmp_path / "peers" / f"{one.name}-{one.version}"
        folder.mkdir(parents=True)
        with pytest.raises(SystemExit):  # Broken off: there is a folder, but not all is in it.
            python(one.name, tmp_path)
        (folder / "complete").touch()
        assert python(one.name, tmp_path) == folder / "bin" / "python"


def test_environments_are_kept_where_caches_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().is_relative_to(tmp_path)
