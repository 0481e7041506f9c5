"""The decode that is under way: one at a time, and no news of a number that is settled."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.wish import Wish
from wyoming_streamwhisper.core.wishes import Wishes

RANGES = st.sampled_from([(0, 512), (0, 1024), (512, 1024)])
STEPS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(list(Kind)), RANGES),
    st.tuples(st.just("urge"), st.sampled_from([Kind.FINAL, Kind.SPECULATIVE]), RANGES),
    st.tuples(st.sampled_from(["withdraw", "settle", "take"]), st.none(), st.none()),
)


def test_a_decode_of_the_same_range_is_made_urgent_and_not_asked_for_again() -> None:
    wishes = Wishes()
    wishes.add(Wish(0, Kind.SPECULATIVE, 0, 512))
    assert wishes.urge(Kind.PIECE, 0, 512), "it is more urgent than that already"
    assert wishes.urge(Kind.FINAL, 0, 512)
    assert not wishes.urge(Kind.FINAL, 0, 1024)
    (new,), urgent, withdrawn = wishes.take()
    assert (new.kind, urgent, withdrawn) == (Kind.SPECULATIVE, (new.number,), ())
    assert wishes.settle(new.number) == Wish(new.number, Kind.FINAL, 0, 512)
    assert wishes.settle(new.number) is None


def test_a_partial_never_becomes_the_final() -> None:
    wishes = Wishes()
    wishes.add(Wish(0, Kind.PARTIAL, 0, 512))
    assert not wishes.urge(Kind.FINAL, 0, 512)


@given(st.lists(STEPS))
def test_who_drives_it_never_hears_of_a_number_that_is_settled(steps: list[tuple]) -> None:
    wishes = Wishes()
    running: set[int] = set()
    given: set[int] = set()
    for name, kind, span in [*steps, ("take", None, None)]:
        match name:
            case "add":
                wishes.add(Wish(0, kind, *span))
            case "urge":
                wishes.urge(kind, *span)
            case "withdraw":
                wishes.withdraw()
                assert wishes.outstanding is None
            case "settle" if running:
                running -= {number for number in running if wishes.settle(number)}
            case "take":
                new, urgent, withdrawn = wishes.take()
                numbers = {wish.number for wish in new}
                assert not numbers & given, "a number is given once"
                given |= numbers
                running |= numbers
                assert set(urgent) <= running
                assert set(withdrawn) <= running
                running -= set(withdrawn)
                assert not wishes.moved
                assert len(running) <= 1
                assert running == ({wishes.outstanding.number} if wishes.outstanding else set())
