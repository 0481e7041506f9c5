"""The daemon keeps its name, and every name can be announced."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf._utils.name import service_type_name

from wyoming_streamwhisper.server.identity import Identity, clean_name, host_name, state_folder


def test_the_state_folder_is_the_option_or_systemds_or_the_users() -> None:
    systemd = {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/xdg"}
    assert state_folder("/chosen", systemd) == Path("/chosen")
    assert state_folder("", systemd) == Path("/var/lib/a")
    assert state_folder("", {"XDG_STATE_HOME": "/xdg"}) == Path("/xdg/wyoming-streamwhisper")
    user = Path("~/.local/state/wyoming-streamwhisper").expanduser()
    assert state_folder("", {}) == user


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Kitchen", "Kitchen"),
        (" a\tb\n c ", "a b c"),
        ("v1.2", "v1-2"),
        ("Küche", "Küche"),
        ("\ud800x", "x"),
        ("ü" * 50, "ü" * 29),
        ("\0", ""),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(st.text())
def test_any_clean_name_can_be_announced(name: str) -> None:
    cleaned = clean_name(name)
    assert clean_name(cleaned) == cleaned
    if cleaned:
        service_type_name(f"{cleaned}-99._wyoming._tcp.local.", strict=True)
        host = host_name(cleaned)
        assert host.isascii()
        assert 0 < len(host) <= 63
        assert not set(host) & set(". ")


def test_host_names_differ_where_only_other_scripts_do() -> None:
    assert host_name("streamwhisper-12ab34cd") == "streamwhisper-12ab34cd"
    assert host_name("厨房") != host_name("客厅")


def test_the_name_is_made_once(tmp_path: Path) -> None:
    own = Identity(tmp_path / "state").own
    assert own.startswith("streamwhisper-")
    assert len(own) == len("streamwhisper-") + 8
    assert Identity(tmp_path / "state").own == own
    assert Identity(tmp_path / "other").own != own


def test_a_rename_is_kept_and_counts_on(tmp_path: Path) -> None:
    identity = Identity(tmp_path)
    assert identity.current("Kitchen") == "Kitchen"
    assert identity.rename("Kitchen") == "Kitchen-2"
    assert identity.rename("Kitchen") == "Kitchen-3"
    again = Identity(tmp_path)
    assert again.current("Kitchen") == "Kitchen-3"
    assert again.current("Bath") == "Bath"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"name": 5, "renamed": {}}',
        '{"name": "x.y", "renamed": {}}',
        '{"name": "x", "renamed": []}',
        '{"name": "x", "renamed": {"a": "\\u0000"}}',
    ],
)
def test_a_broken_file_is_made_anew(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "discovery.json").write_text(text)
    own = Identity(tmp_path).own
    assert own.startswith("streamwhisper-")
    assert Identity(tmp_path).own == own
    assert "discovery.json" in caplog.text


def test_where_nothing_can_be_kept_the_name_is_the_machines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    own = Identity(tmp_path / "file" / "state").own
    assert own.startswith("streamwhisper-")
    assert Identity(tmp_path / "file" / "elsewhere").own == own
    assert "cannot be kept" in caplog.text
