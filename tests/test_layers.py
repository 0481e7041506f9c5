"""Imports go one way: core <- engine <- session <- server, and only the daemon knows all."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "wyoming_streamwhisper"
ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "option": set[str](),
    "core": {"core", "option"},
    "engine": {"engine", "core", "option", "metrics"},
    "session": {"session", "engine", "core", "option", "metrics"},
    "server": {"server", "session", "files", "engine.api", "core", "option", "metrics"},
    "files": {"files", "session", "engine.api", "core", "option", "metrics"},
    "build": {"config", "service", "session", "engine", "core", "option"},
    "check": {"build", "config", "service", "session", "engine"},
    "transcribe": {"transcribe", "build", "config", "files", "session", "engine", "core"}
    | {"log", "service"},
    "client": {"client"},
    "log": {"option"},
    "metrics": set[str](),
    "service": set[str](),
}
"""What each room may know of the others; rooms not named here (config, daemon) may know all."""

IMPURE = {"asyncio", "threading", "time", "os", "pathlib", "socket", "subprocess"} | {
    "faster_whisper", "ctranslate2", "onnxruntime", "torch", "logging", "random",
}  # fmt: skip
"""What would give the core a clock, a thread, a file or a model."""

HAS_SERVER_OPTIONS = {"config.catalogue", "config.settings", "config.values", "config.example"}
"""Besides the daemon, only the configuration knows the doors: their options."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts).removesuffix("__init__")


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


MODULES = {module_name(p).rstrip("."): p for p in sorted((ROOT / PACKAGE).rglob("*.py"))}
OUTSIDE = {
    name: {i for i in imports(path) if i.split(".")[0] != PACKAGE} for name, path in MODULES.items()
}


def own(name: str) -> set[str]:
    """Name the modules of ours that a module imports; the package itself is only a version."""
    found = set()
    for dotted in imports(MODULES[name]):
        first, _, rest = dotted.partition(".")
        if first == PACKAGE:
            found.add(rest if rest in MODULES else rest.rpartition(".")[0])
    return found - {name, ""}


def is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


@pytest.mark.parametrize("name", MODULES)
def test_a_room_knows_only_rooms_below_it(name: str) -> None:
    allowed = MAY_IMPORT.get(name.split(".")[0])
    if allowed is not None:
        above = {m for m in own(name) if not any(is_in(m, room) for room in allowed)}
        assert not above


@pytest.mark.parametrize("name", [name for name in MODULES if is_in(name, "core")])
def test_the_core_is_pure(name: str) -> None:
    assert not {dotted.split(".")[0] for dotted in OUTSIDE[name]} & IMPURE


def test_only_the_daemon_knows_the_doors() -> None:
    knowing = {n for n in MODULES if any(is_in(m, "server") for m in own(n))}
    assert not {n for n in knowing if not is_in(n, "server")} - HAS_SERVER_OPTIONS - {"daemon"}


def test_no_module_imports_itself_through_others() -> None:
    reach = {name: own(name) & MODULES.keys() for name in MODULES}
    for middle in MODULES:
        for name in MODULES:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    assert not [name for name in MODULES if name in reach[name]]
