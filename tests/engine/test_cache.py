"""Findings that are kept: found again under their key, and never a reason to fail."""

from pathlib import Path

from wyoming_streamwhisper.engine.cache import Findings, cache_folder


def test_a_finding_is_found_again_under_its_key_only(tmp_path: Path) -> None:
    findings = Findings("kind", tmp_path / "new")
    assert findings.read("a") is None
    findings.write("a", {"n": 1})
    findings.write("b", {"n": 2})
    findings.write("a", {"n": 3})
    assert Findings("kind", tmp_path / "new").read("a") == {"n": 3}
    assert findings.read("c") is None
    assert Findings("other", tmp_path / "new").read("a") is None
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_what_is_broken_is_not_found_and_can_be_replaced(tmp_path: Path) -> None:
    findings = Findings("kind", tmp_path)
    findings.write("a", {"n": 1})
    (file,) = tmp_path.iterdir()
    for broken in (b"", b"{", b"[]", b"\xff"):
        file.write_bytes(broken)
        assert findings.read("a") is None
    findings.write("a", {"n": 2})
    assert findings.read("a") == {"n": 2}


def test_without_a_folder_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file"):
        findings = Findings("kind", folder)
        findings.write("a", {})
        assert findings.read("a") is None


def test_the_folder_is_systemds_or_the_users() -> None:
    assert cache_folder({"CACHE_DIRECTORY": "/c/w:/x", "XDG_CACHE_HOME": "/y"}) == Path("/c/w")
    assert cache_folder({"XDG_CACHE_HOME": "/y"}) == Path("/y/wyoming-streamwhisper")
    assert cache_folder({"XDG_CACHE_HOME": "~nobody-like-that/x"}) is None
