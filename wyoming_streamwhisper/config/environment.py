"""The environment as a source: `STREAMWHISPER_NAME`, or `STREAMWHISPER_NAME_FILE` with a path."""

from collections.abc import Mapping

from wyoming_streamwhisper.config.catalogue import OPTIONS
from wyoming_streamwhisper.config.values import UNSET, ConfigError, Given, did_you_mean, read_file

_PREFIX = "STREAMWHISPER_"
CONFIG_VARIABLE = _PREFIX + "CONFIG"
_VARIABLES = {option.variable: name for name, option in OPTIONS.items()}


def read_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    """Return the options that are set."""
    return {
        name: given
        for variable, name in _VARIABLES.items()
        if (given := _variable(variable, environ)) is not None
    }


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return one sentence for each variable that looks like ours and is none."""
    known = {CONFIG_VARIABLE, *_VARIABLES, *(f"{variable}_FILE" for variable in _VARIABLES)}
    return [
        f"the environment variable {name} is not an option{did_you_mean(name, known)}"
        for name in sorted(environ)
        if name.startswith(_PREFIX) and name not in known
    ]


def _variable(variable: str, environ: Mapping[str, str]) -> Given | None:
    text = environ.get(variable, "")
    path = environ.get(f"{variable}_FILE", "")
    where = f"the environment variable {variable}"
    if text not in UNSET and path not in UNSET:
        raise ConfigError(f"{where} and {variable}_FILE are both set, expected one of them")
    if path not in UNSET:
        where = f"{path}, named by {where}_FILE,"
        text = read_file(path, where).strip()
    return None if text in UNSET else Given(text, where)
