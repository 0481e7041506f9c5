"""How a room declares what can be chosen about it: one dataclass field per option.

Each room keeps its options in a frozen dataclass; `config` gathers them, and everything a person
meets (YAML, environment, flags, the documented example, error messages) is made from these
declarations. This module is below every room and knows none of them.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Declared:
    """What is said about an option besides its type, which is the field's annotation."""

    help: str
    """One sentence: what it does, and why one would change it."""
    unit: str = ""
    """Unit of the value as written by people: `s`, `ms`, `Hz`, `bytes`; empty for none."""
    low: float | None = None
    """Smallest allowed value."""
    high: float | None = None
    """Largest allowed value."""
    choices: tuple[str, ...] = ()
    """All allowed values, where they can be listed."""
    flag: str = ""
    """Name on the command line where it is not the field's own, without dashes."""
    secret: bool = False
    """Never printed; may be given as a file's name by `STREAMWHISPER_..._FILE`."""


def option(default: Any = MISSING, help: str = "", **declared: Any) -> Any:  # noqa: A002
    """Return a dataclass field that carries its declaration; a list default is copied."""
    metadata = {"option": Declared(help=help, **declared)}
    if isinstance(default, list | dict):
        made = type(default)
        return field(default_factory=lambda: made(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def declared(options: type[Any]) -> list[tuple[Field[Any], Declared]]:
    """List a dataclass's declared options, in order, with their fields."""
    return [
        (f, cast(Declared, f.metadata["option"])) for f in fields(options) if "option" in f.metadata
    ]
