"""The codes and limits in docs/protocol.md are those of the code, no more and no less."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from wyoming_streamwhisper import daemon
from wyoming_streamwhisper.server import messages, peer
from wyoming_streamwhisper.server.options import WyomingOptions
from wyoming_streamwhisper.server.wire import Limits
from wyoming_streamwhisper.session.context import ContextOptions

ROOT = Path(__file__).parent.parent.parent
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text("utf-8")
CODE = re.compile(r"[a-z]+(-[a-z]+)+|overloaded|truncated|timeout|replaced")
RAISED = {
    "Invalid", "WireError", "Refused", "_refused", "EngineError", "Failed", "fail", "_fail",
    "complain",
}  # fmt: skip
INSIDE = {"replaced"}
"""Codes for partials that nobody waits for; they never reach a client."""


def called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def said(value: ast.expr) -> str:
    """Return a literal, with `*` for what is put into it."""
    match value:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(said(part) for part in parts)
        case _:
            return "*"


def codes_in_source() -> Iterator[str]:
    for room in ("server", "session", "engine", "core"):
        for path in sorted((ROOT / "wyoming_streamwhisper" / room).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and called(node) in {*RAISED, "program"}:
                    for code in map(said, node.args[:2]):
                        if CODE.fullmatch(code.replace("*", "x")):
                            yield code
    for node in ast.walk(ast.parse((ROOT / "wyoming_streamwhisper/daemon.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and called(node) == "fail_running":
            yield said(node.args[0])


def codes_in_table() -> list[str]:
    table = PROTOCOL.partition("## Errors")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)


def test_every_code_is_in_the_table() -> None:
    patterns = {code.replace("*", "[a-z]+") for code in codes_in_source()} - INSIDE
    assert patterns
    missing = {p for p in patterns if not any(re.fullmatch(p, code) for code in codes_in_table())}
    assert not missing


def test_every_code_of_the_table_exists() -> None:
    patterns = {code.replace("*", "[a-z]+") for code in codes_in_source()} - INSIDE
    invented = {c for c in codes_in_table() if not any(re.fullmatch(p, c) for p in patterns)}
    assert not invented
    assert len(codes_in_table()) == len({*codes_in_table()})


def test_the_limits_are_those_of_the_code() -> None:
    framing, options, contexts = Limits(), WyomingOptions(), ContextOptions()
    for row in (
        f"| header line | {framing.header >> 10} KiB |",
        f"| data block | {framing.data >> 20} MiB |",
        f"| payload | {framing.payload >> 20} MiB: {framing.payload // 32000} s of 16 kHz",
        f"| nesting of JSON | {framing.depth} |",
        f"`satellite_id` | {messages._LONGEST_TEXT} characters |",
        f"`transcript_terms` | {messages._MOST_NAMES} entries each |",
        f"| connections | {options.max_connections} | `max_connections` |",
        f"| utterances at once | {contexts.max_utterances} | `max_utterances` |",
        f"| length of an utterance | {options.max_utterance / 3600:g} h | `max_utterance` |",
        f"| {options.idle_timeout:g} s | `idle_timeout` |",
        f"then it is cut off | {peer._WRITE_TIMEOUT:g} s |",
        f"we read on for up to {peer._LINGER:g} s first",
        f"running utterances get {daemon._FINISH:g} s to finish",
    ):
        assert row in PROTOCOL
