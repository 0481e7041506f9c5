"""Voice activity becomes stretches, whatever the portions in which it is learned."""

from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_streamwhisper.core.voice import FRAME, Voice

tracks = st.lists(st.sampled_from([0.0, 0.0, 0.4, 0.9, 0.9, 0.9]), max_size=60)


def stretches(voice: Voice) -> list[tuple[int, int]]:
    return [(s.start // FRAME, s.end // FRAME) for s in voice.stretches]


def follow(track: list[float]) -> Voice:
    voice = Voice(0.5)
    voice.feed(track)
    return voice


def test_clicks_do_not_count_and_hysteresis_holds() -> None:
    assert stretches(follow([0.9, 0.9, 0.0])) == []
    assert stretches(follow([0.0, 0.9, 0.4, 0.4, 0.3, 0.9])) == [(1, 4)]
    assert stretches(follow([0.9] * 3)) == [(0, 3)]


def test_the_longest_stretch() -> None:
    voice = follow([0.9] * 4 + [0.0] * 2 + [0.9] * 6 + [0.0])
    assert voice.longest(99 * FRAME) == 6 * FRAME
    assert voice.longest(5 * FRAME) == 4 * FRAME
    assert follow([0.0]).longest(99 * FRAME) == 0


def test_pauses_and_quiet() -> None:
    voice = follow([0.9] * 4 + [0.0] * 5 + [0.9] * 3)
    assert voice.speaking
    assert voice.pauses() == [(4 * FRAME, 9 * FRAME), (12 * FRAME, 12 * FRAME)]
    assert voice.quiet == 0
    voice.feed([0.0] * 2 + [0.9])
    assert voice.pauses()[-1] == (12 * FRAME, 14 * FRAME), "speech may just begin again"
    voice.feed([0.0])
    assert voice.quiet == 4 * FRAME


@given(tracks, st.integers(1, 7))
def test_portions_do_not_matter(track: list[float], size: int) -> None:
    voice = Voice(0.5)
    for at in range(0, len(track), size):
        voice.feed(track[at : at + size])
    assert stretches(voice) == stretches(follow(track))
    assert voice.spoken == sum(s.end - s.start for s in voice.stretches)


@settings(max_examples=500)
@given(tracks, tracks, st.integers(0, 60))
def test_forgetting_loses_only_what_is_before(
    track: list[float], more: list[float], before: int
) -> None:
    voice, full = follow(track), follow(track + more)
    known = min(before, len(track)) * FRAME
    voice.forget(known)
    voice.feed(more)
    # One that still grows is kept, however little of it is left.
    growing = full.stretches[-1].start // FRAME if full.speaking else None
    kept = [
        (max(a, known // FRAME), b) for a, b in stretches(full) if b * FRAME > known or a == growing
    ]
    assert [(max(a, known // FRAME), b) for a, b in stretches(voice)] == kept
    assert voice.spoken == full.spoken
    assert voice.quiet == full.quiet
