"""An option says everything about itself in one dataclass field."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import declared, option


@dataclass(frozen=True, slots=True)
class Kettle:
    water: float = option(1.0, "How much.", unit="l", low=0.1)
    cup_names: tuple[str, ...] = option((), "Whose.", flag="cup")
    password: str = option("", "Who may.", secret=True)
    colour: str = "red"  # no option: nobody can choose it


def test_the_type_comes_from_the_annotation() -> None:
    water, cups, _ = declared(Kettle)
    assert (float, False, 1.0, "l") == (water.kind, water.many, water.default, water.declared.unit)
    assert (str, True, ()) == (cups.kind, cups.many, cups.default)


def test_fields_without_declaration_are_no_options() -> None:
    assert [o.name for o in declared(Kettle)] == ["water", "cup_names", "password"]


def test_names_outside_python_follow_the_field_or_its_flag() -> None:
    water, cups, _ = declared(Kettle)
    assert (water.flag, water.variable) == ("--water", "STREAMWHISPER_WATER")
    assert (cups.flag, cups.variable) == ("--cup", "STREAMWHISPER_CUP")


def test_a_secret_stays_out_of_the_representation() -> None:
    assert "hush" not in repr(Kettle(password="hush"))
