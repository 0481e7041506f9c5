"""Groups of utterances and their table."""

from benchmarks.accuracy import Clip, Measured
from benchmarks.one_pass import OnePass
from benchmarks.report import group, groups, markdown


def measured(
    reference: str, text: str, *, file: str = "a", lang: str = "en", kind: str = "command"
) -> Measured:
    return Measured(
        clip=Clip(file, kind, lang, 1.0, reference),
        text=text,
        error=None,
        revisions=1,
        joined=True,
        extends=True,
        delays=(0.2, 0.4),
        first_partial_s=0.5,
        stop_to_transcript_s=0.01,
        lag_s=0.001,
    )


def test_sets_with_several_languages_have_a_line_together() -> None:
    made = groups(
        [measured("a", "a"), measured("a", "a", lang="de"), measured("", "", kind="noise")], {}
    )
    assert [one.name for one in made] == [
        "command de",
        "command en",
        "command",
        "noise en",
        "all",
    ]


def test_a_last_word_counts_as_lost_where_one_pass_has_it() -> None:
    """Not where even one pass over the file misses it."""
    members = [measured("turn it on", "turn it", file=name) for name in ("a", "b")]
    reference = {"a": OnePass("turn it", "turn it on"), "b": OnePass("turn it", "turn it")}
    made = group("x", members, reference)
    assert (made.lost_last_words, made.misheard_last_words) == (1, 0)
    assert made.wer_plain == 1 / 6
    assert group("x", members, {}).lost_last_words is None


def test_words_on_noise_are_invented() -> None:
    made = group("noise en", [measured("", "Thank you."), measured("", "")], {})
    assert made.invented_words == 2
    assert made.wer is None


def test_the_table_has_a_line_for_each_group() -> None:
    table = markdown(groups([measured("a b", "a c")], {})).splitlines()
    assert len(table) == 4
    assert table[2].startswith("| command en | 1 | 0 | 50.0 | – | – | 100.0 | 100.0 | 100.0 |")
    assert "0.30 / 0.39" in table[2]
