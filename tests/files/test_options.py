"""One recording may have options of its own, as far as they go together."""

import pytest

from wyoming_streamwhisper.files.options import FileOptions

GIVEN = FileOptions(overlap_duration=1.0)


def test_what_is_asked_for_replaces_what_is_given():
    options = GIVEN.changed(chunk_duration=10.0, use_context=True, overlap_duration=None)
    assert options == FileOptions(chunk_duration=10.0, overlap_duration=1.0, use_context=True)
    assert GIVEN.changed() == GIVEN


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"chunk_duration": 40.0}, "chunk_duration is 40, expected 0 to 28"),
        ({"chunk_duration": float("nan")}, "chunk_duration is nan"),
        ({"chunk_duration": 1.5}, "chunk_duration is 1.5 s, expected at least 1 s more than over"),
        ({"overlap_duration": -1.0}, "overlap_duration is -1"),
        ({"min_chunk_duration": 9.0, "max_chunk_duration": 8.0}, "expected at most max_chunk"),
    ],
)
def test_what_does_not_go_together_is_told(asked, told):
    with pytest.raises(ValueError, match=told):
        GIVEN.changed(**asked)
