"""The open piece: what is sure of it, where partials begin, and what the next one takes over."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.core.audio import RATE
from wyoming_streamwhisper.core.piece import Piece
from wyoming_streamwhisper.core.policy import make_policy
from wyoming_streamwhisper.core.words import Hypothesis, Word

EAGER = make_policy("alignatt", 0.0, 1.0)


def words(text: str) -> list[Word]:
    parts = text.replace(".", " .").split()
    return [
        Word("." if part == "." else f" {part}", i / 2, i / 2 + 0.5, 0.99, (i,))
        for i, part in enumerate(parts)
    ]


def heard(text: str) -> Hypothesis:
    return Hypothesis(tuple(words(text)), "en")


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=6))
def test_what_was_sent_is_never_taken_back(hypotheses: list[list[str]]) -> None:
    piece = Piece(0)
    for said in hypotheses:
        before = list(piece.sure)
        more = piece.commit(words(" ".join(said)), EAGER, float("inf"))
        assert piece.sure[: len(before)] == before
        assert more == (len(piece.sure) > len(before))


def test_a_sentence_is_believed_only_once_more_was_heard() -> None:
    piece = Piece(0)
    assert piece.judge_sentence(4 * RATE, heard("turn it on.")) is None
    more = heard("turn it on. and off")
    assert piece.judge_sentence(4 * RATE, more) == (4 * RATE, heard("turn it on."))
    assert piece.judge_sentence(4 * RATE, heard("turn it on and off")) is None, "it goes on"
    assert (piece.sentence, piece.refused) == (None, 4 * RATE)


def test_what_ends_no_sentence_is_refused() -> None:
    piece = Piece(0)
    assert piece.judge_sentence(4 * RATE, heard("turn it")) is None
    assert (piece.sentence, piece.refused) == (None, 4 * RATE)


def test_a_partial_leaves_the_begin_once_that_saves_enough() -> None:
    piece = Piece(0)
    piece.sure = words("a b c d e f g h")
    assert piece.footing() == 0
    piece.sure = words("a b c d e f g h i j k")
    assert piece.sure[piece.footing()].start == 3.5


def test_words_behind_the_cut_remain_sent() -> None:
    piece = Piece(0)
    piece.sure = words("stop. play jazz")
    after = piece.next(RATE, words("stop."))
    assert [word.text for word in after.sure] == [" play", " jazz"]
    assert piece.next(RATE, words("shop.")).sure == [], "what came before was wrong"
    assert piece.next(2 * RATE, words("stop.")).sure == [], "it was spoken before the cut"
