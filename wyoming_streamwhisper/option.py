"""How a room declares what can be chosen about it: one dataclass field per option.

Each room keeps its options in a frozen dataclass; `config` gathers them, and everything a person
meets (YAML, environment, flags, the documented example, error messages) is made from these
declarations. This module is below every room and knows none of them.
"""

from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints


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


@dataclass(frozen=True, slots=True)
class Option:
    """One declared option with all that its dataclass field says about it."""

    name: str
    kind: type[object]
    """Type of the value, or of one item where `many`."""
    many: bool
    """Whether the value is a tuple of any length."""
    default: object
    declared: Declared

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + (self.declared.flag or self.name).replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return "STREAMWHISPER_" + (self.declared.flag or self.name).replace("-", "_").upper()


def option(default: Any = MISSING, help: str = "", **declared: Any) -> Any:
    """Return a dataclass field that carries its declaration; a secret stays out of `repr`."""
    said = Declared(help=help, **declared)
    return field(default=default, metadata={"option": said}, repr=not said.secret)


def declared(options: type[object]) -> list[Option]:
    """List the options that a dataclass declares, in order."""
    assert is_dataclass(options)
    hints = get_type_hints(options)
    return [_resolved(f, hints[f.name]) for f in fields(options) if "option" in f.metadata]


def _resolved(f: Field[object], hint: type[object]) -> Option:
    many = get_origin(hint) is tuple  # only tuple[X, ...]: options are frozen
    kind = get_args(hint)[0] if many else hint
    return Option(f.name, kind, many, f.default, f.metadata["option"])
