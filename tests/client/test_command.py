"""The command line: what is printed, and the exit status."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from wyoming.asr import TranscriptStart

from tests.client.test_sources import tone, write_wav
from tests.scripted_server import Line, Scripted, fails, says, scripted
from wyoming_streamwhisper.client import main


def client(*argv: str, scripts: Sequence[list[Line]] = ()) -> tuple[int, Scripted]:
    """Run the command against a scripted daemon, each with its own event loop."""

    async def run() -> tuple[int, Scripted]:
        async with scripted(*scripts) as server:
            return await asyncio.to_thread(main, ["--uri", server.uri, *argv]), server

    return asyncio.run(run())


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(write_wav(tmp_path / "clip.wav", tone(16_000)))


def test_a_file_becomes_a_line_of_text(clip: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = client(clip, "--fast", scripts=[says("Turn it on.")])
    assert status == 0
    out, err = capsys.readouterr()
    assert out.startswith("clip.wav: Turn it on.  [en, ")
    assert err == ""


def test_json_is_all_that_is_printed(clip: str, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = [says("one"), says("two")]
    status, _ = client(clip, clip, "--fast", "--json", scripts=scripts)
    assert status == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(o["file"], o["text"]) for o in objects] == [
        ("clip.wav", "one"),
        ("clip.wav (2)", "two"),
    ]


def test_what_is_asked_reaches_the_daemon(clip: str) -> None:
    argv = ["--language", "de", "--name", "base", "--names", "Ida, Käthe", "--program", "p"]
    _, server = client(
        clip, "--fast", *argv, "--context", "satellite_id=hall", scripts=[says("ja")]
    )
    asked = server.heard[0].transcribe
    assert (asked.language, asked.name) == ("de", "base")
    assert asked.transcript_names == ["Ida", "Käthe"]
    assert asked.context == {"satellite_id": "hall"}
    assert server.heard[0].types[0] == "select-program"


def test_an_error_is_status_one_and_a_sentence(
    clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = client(clip, "--fast", scripts=[fails("overloaded")])
    assert status == 1
    assert capsys.readouterr().err == "clip.wav: it did not work (overloaded).\n"


def test_a_daemon_that_says_nothing_is_given_up(
    clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = client(clip, "--fast", "--patience", "0.05", scripts=[[]])
    assert status == 1
    assert "(timeout)" in capsys.readouterr().err


def test_sources_have_names(clip: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--source", f"me={clip}", "--source", f"system={clip}", "--fast"]
    status, _ = client(*argv, scripts=[says("ja")])
    assert status == 0
    names = {line.partition(":")[0] for line in capsys.readouterr().out.splitlines()}
    assert names == {"me", "system"}


def test_describe_prints_what_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = client("--describe")
    assert status == 0
    assert "model parrot: 2 languages" in capsys.readouterr().out
    status, _ = client("--describe", "--json")
    assert json.loads(capsys.readouterr().out)["asr"][0]["name"] == "scripted"


def test_describe_of_nobody_is_status_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--describe", "--uri", "tcp://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err == "no connection to tcp://127.0.0.1:1: Connection refused.\n"


def test_a_microphone_without_its_extra_is_status_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main(["--mic"]) == 1
    assert "needs the extra `client`" in capsys.readouterr().err


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_a_file_is_played_ends_the_client_quietly(tmp_path: Path) -> None:
    """As a shell expects it: status 130, no traceback."""
    clip = write_wav(tmp_path / "long.wav", np.zeros(30 * 16_000, np.int16))
    code = "import sys; from wyoming_streamwhisper.client import main; sys.exit(main(sys.argv[1:]))"

    async def run() -> tuple[int | None, bytes]:
        async with scripted([Line(0.03, [TranscriptStart()])]) as server:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", code, "--verbose", "--uri", server.uri, str(clip)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            assert process.stdout is not None
            await process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
            return process.returncode, err

    assert asyncio.run(run()) == (130, b"")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["no such file.wav"],
        ["--satellites", "2"],
        ["--satellites", "2", "--mic"],
        ["--satellites", "none", __file__],
        ["--source", "mic"],
        ["--source", "a=no such file.wav"],
        ["--context", "satellite", __file__],
        ["--trailing-silence", "-1", __file__],
        ["--unknown"],
    ],
)
def test_wrong_usage_is_status_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "wyoming-streamwhisper client: " in capsys.readouterr().err


def test_a_load_test_counts_waiting_and_errors(
    clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three satellites say a clip twice each; one of the six utterances fails."""
    scripts = [says("ja"), fails("overloaded"), says("ja")]
    argv = ["--satellites", "3", "--rounds", "2", "--fast", "--context", "home=mine"]
    status, server = client(clip, *argv, scripts=scripts)
    out, err = capsys.readouterr()
    assert status == 1
    assert "3 satellites, 6 utterances" in out
    assert "errors: 1 overloaded" in out
    assert "stop → transcript │ 5" in out
    assert err.count("overloaded") == 1
    contexts = [heard.transcribe.context or {} for heard in server.heard]
    assert sorted(context["satellite_id"] for context in contexts) == [
        f"load-{index}" for index in (0, 0, 1, 1, 2, 2)
    ]
    assert all(context["home"] == "mine" for context in contexts)


def test_a_load_test_in_json_is_one_object_per_utterance(
    clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = client(clip, "--satellites", "2", "--fast", "--json", scripts=[says("ja")])
    assert status == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {o["file"] for o in objects} == {"clip.wav (satellite 0)", "clip.wav (satellite 1)"}
