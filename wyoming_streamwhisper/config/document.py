"""The configuration file: YAML in which every plain value is a text, read like any other source."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import yaml

from wyoming_streamwhisper.config.catalogue import OPTIONS, PROFILE_OPTIONS
from wyoming_streamwhisper.config.values import ConfigError, Given, did_you_mean, read_file


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says: options, and the options of each named profile in the file's order."""

    options: Mapping[str, Given] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, Given]] = field(default_factory=dict)


class _Loader(yaml.BaseLoader):
    """Builds texts, lists and mappings only.

    So `language: no` is Norwegian and `zeroconf: off` is a word, where YAML 1.1 sees `false`.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """Refuse a key that stands twice, of which YAML would silently take the last."""
        seen: set[str] = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                problem = f"the key {key.value!r} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=True))


# Only what is not quoted: `initial_prompt: ""` takes a prompt away, `initial_prompt:` says nothing.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_Loader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)


def read_document(path: str) -> Document:
    """Read a configuration file; every error names it."""
    try:
        content = yaml.load(read_file(path, f"the configuration {path}"), _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigError(f"{path}, line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}".replace("\n", " ")) from error
    top = _mapping(content, path, "options")
    profiles = _mapping(top.pop("profiles", None), f"`profiles` in {path}", "profiles by name")
    return Document(
        _given(top, "", path, OPTIONS),
        {name: _profile(name, said, path) for name, said in profiles.items()},
    )


def _profile(name: str, said: object, path: str) -> dict[str, Given]:
    options = _mapping(said, f"`profiles.{name}` in {path}", "options of a profile")
    return _given(options, f"profiles.{name}.", path, PROFILE_OPTIONS)


def _mapping(content: object, where: str, of: str) -> dict[str, object]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{where} is {content!r}, expected a mapping of {of}")
    if not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{where} has an empty key, expected a mapping of {of}")
    return content


def _given(
    said: Mapping[str, object], above: str, path: str, known: Collection[str]
) -> dict[str, Given]:
    for key in said:
        if key not in known:
            kind = "an option of a profile" if above else "an option"
            hint = did_you_mean(key, known)
            raise ConfigError(f"`{above}{key}` in {path} is not {kind}{hint}")
    return {
        key: Given(value, f"`{above}{key}` in {path}")
        for key, value in said.items()
        if value is not None
    }
