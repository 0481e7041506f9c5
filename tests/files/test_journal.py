"""What was decoded is found again, whole lines only, by content and options."""

import stat
from pathlib import Path

from wyoming_streamwhisper.core.chunks import Chunk
from wyoming_streamwhisper.core.words import Hypothesis, Word
from wyoming_streamwhisper.files.journal import Journal, key_of

HEARD = Hypothesis((Word(" ja", 1.0, 1.5, 0.5, ()),), "de", 0.75, False, -1.5, 0.25)


def filled(path: Path) -> Path:
    with Journal(path, resume=False) as journal:
        journal.add(Chunk(0, 10), HEARD)
        journal.add(Chunk(10, 20), HEARD)
    return path


def count(path: Path) -> int:
    """Return how many chunks a later run finds."""
    with Journal(path, resume=True) as journal:
        return len(journal)


def test_chunks_come_back(tmp_path: Path):
    with Journal(filled(tmp_path / "j"), resume=True) as journal:
        assert journal.find(Chunk(0, 10)) == HEARD
        assert journal.find(Chunk(0, 11)) is None
        assert journal.duration is None


def test_without_resume_all_is_forgotten(tmp_path: Path):
    path = filled(tmp_path / "j")
    with Journal(path, resume=False):
        pass
    assert count(path) == 0


def test_half_a_line_is_forgotten_and_written_over(tmp_path: Path):
    path = filled(tmp_path / "j")
    path.write_bytes(path.read_bytes()[:-5])
    with Journal(path, resume=True) as journal:
        assert len(journal) == 1
        journal.add(Chunk(20, 30), HEARD)
    assert count(path) == 2


def test_what_is_no_journal_is_forgotten(tmp_path: Path):
    (tmp_path / "j").write_text("[1, 2]\nnonsense\n")
    assert count(tmp_path / "j") == 0


def test_the_end_is_noted(tmp_path: Path):
    with Journal(filled(tmp_path / "j"), resume=True) as journal:
        journal.finish(12.5, "damaged")
    with Journal(tmp_path / "j", resume=True) as again:
        assert (again.duration, again.fault, len(again)) == (12.5, "damaged", 2)


def test_nobody_else_may_read_it(tmp_path: Path):
    assert stat.S_IMODE(filled(tmp_path / "deep" / "j").stat().st_mode) == 0o600


def test_removed_it_is_gone(tmp_path: Path):
    with Journal(tmp_path / "j", resume=False) as journal:
        journal.remove()
    assert not (tmp_path / "j").exists()


def test_the_key_follows_content_and_terms(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    (tmp_path / "c").write_bytes(b"2")
    assert key_of(tmp_path / "a", "terms") == key_of(tmp_path / "b", "terms")
    assert key_of(tmp_path / "a", "terms") != key_of(tmp_path / "c", "terms")
    assert key_of(tmp_path / "a", "terms") != key_of(tmp_path / "a", "others")
