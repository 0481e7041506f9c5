"""The library and the command, with the demo model."""

import json
import logging
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.clips import CLIPS, FOLDER, TURN_ON
from wyoming_streamwhisper.config import ConfigError
from wyoming_streamwhisper.files.reader import BadRecording
from wyoming_streamwhisper.transcribe import Transcriber
from wyoming_streamwhisper.transcribe.command import main
from wyoming_streamwhisper.transcribe.transcriber import journals

SPOKEN = [c for c in CLIPS if c.language == "en" and c.kind == "command"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def _own_log():
    """Leave the log as it was: the command sets it up for its process."""
    root, package = logging.getLogger(), logging.getLogger("wyoming_streamwhisper")
    before = root.level, package.level, list(root.handlers)
    yield
    root.setLevel(before[0])
    package.setLevel(before[1])
    root.handlers[:] = before[2]


@pytest.fixture(scope="module")
def transcriber():
    with Transcriber(model="demo", language="en") as loaded:
        yield loaded


def recording(path: Path, clips, silence: float = 1.0) -> Path:
    """Put clips one behind the other, with pauses."""
    import wave

    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        for one in clips:
            out.writeframes(one.pcm + bytes(int(32_000 * silence)))
    return path


def test_a_file_gives_what_is_said(transcriber):
    result = transcriber.transcribe(FOLDER / TURN_ON.name)
    assert result.text == TURN_ON.text
    assert result.language == "en"
    assert result.metrics.speed > 0
    assert result.metrics.peak_memory > 0
    assert {"read", "voice", "encode", "generate"} <= result.metrics.stages.keys()


def test_many_sentences_come_in_order(transcriber, tmp_path: Path):
    file = recording(tmp_path / "a.wav", [TURN_ON] * 12)
    result = transcriber.transcribe(str(file))
    assert [s.text for s in result.segments] == [TURN_ON.text] * 12
    starts = [s.start for s in result.segments]
    assert np.diff(starts) == pytest.approx(len(TURN_ON.pcm) / 32_000 + 1.0, abs=0.3)


def test_it_is_told_how_far_it_is(transcriber, tmp_path: Path):
    seen = []
    transcriber.transcribe(recording(tmp_path / "a.wav", [TURN_ON] * 3), watch=seen.append)
    assert seen[-1].done == seen[-1].read == pytest.approx(seen[-1].duration)


def test_nothing_is_left_behind_by_a_run_that_ends(transcriber):
    transcriber.transcribe(FOLDER / TURN_ON.name)
    assert list(journals().glob("*")) == []


def test_a_bad_file_spoils_nothing(transcriber, tmp_path: Path):
    with pytest.raises(BadRecording, match="cannot be read"):
        transcriber.transcribe(tmp_path / "gone.mp3")
    assert transcriber.transcribe(FOLDER / TURN_ON.name).text == TURN_ON.text


def test_a_cached_result_is_not_made_again():
    with Transcriber(model="demo", language="en", cache=True) as loaded:
        first = loaded.transcribe(FOLDER / TURN_ON.name)
        second = loaded.transcribe(FOLDER / TURN_ON.name)
    assert first.segments[0].text == second.segments[0].text
    assert (first.metrics.resumed, second.metrics.resumed) == (0, 1)


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(ConfigError, match="did you mean language"):
        Transcriber(langauge="en")


def command(*arguments: object) -> int:
    return main(["--model", "demo", "--language", "en", *map(str, arguments)])


def test_text_goes_to_stdout_and_figures_do_not(capsys):
    assert command(FOLDER / TURN_ON.name) == 0
    out, err = capsys.readouterr()
    assert out == TURN_ON.text + "\n"
    assert "times real time" in err


def test_formats_go_to_a_folder(tmp_path: Path, capsys):
    assert command(FOLDER / TURN_ON.name, "--output-dir", tmp_path / "out", "--format", "all") == 0
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [
        ".json", ".srt", ".tsv", ".txt", ".vtt",
    ]  # fmt: skip
    said = json.loads((tmp_path / "out" / "turn-on.json").read_text("utf-8"))
    assert said["text"] == TURN_ON.text
    assert capsys.readouterr().out == ""


def test_a_file_that_fails_does_not_stop_the_others(tmp_path: Path, capsys):
    (tmp_path / "no.wav").write_text("no sound")
    assert command(tmp_path / "no.wav", FOLDER / TURN_ON.name, "--quiet") == 1
    out, err = capsys.readouterr()
    assert out == TURN_ON.text + "\n"
    assert err.count("\n") == 1


def test_usage_and_configuration_have_their_statuses(capsys):
    assert main([]) == 2
    assert command("a.wav", "--format", "srt", "--format", "vtt") == 2
    assert command("a/x.wav", "b/x.wav", "--output-dir", "out") == 2
    assert command("a.wav", "b.wav", "--format", "srt") == 2
    assert len(capsys.readouterr().err.splitlines()) < 20
    assert command("a.wav", "--beam-size", "many") == 78
    assert main(["a.wav", "--model", "/nowhere/at/all"]) == 78


def test_both_ways_can_be_compared(capsys):
    assert command(FOLDER / TURN_ON.name, "--compare") == 0
    err = capsys.readouterr().err
    assert "one pass" in err
    assert "0.0 % of its words differ" in err


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_what_is_finished_and_resume_goes_on(tmp_path: Path):
    file = recording(tmp_path / "long.wav", SPOKEN * (150 // len(SPOKEN)))
    out = tmp_path / "out"
    arguments = ["--model", "demo", "--language", "en", "--max-workers", "1", str(file)]
    call = [sys.executable, "-m", "wyoming_streamwhisper", "transcribe", *arguments]
    call += ["--output-dir", str(out)]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as process:
        folder = journals()
        while not any(p.stat().st_size > 3000 for p in folder.glob("*.jsonl")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        told = process.stderr.read()
        assert process.wait(60) == 130
    assert "--resume goes on" in told
    (left,) = folder.glob("*.jsonl")
    partial = (out / "long.txt").read_text("utf-8")
    assert partial
    again = subprocess.run([*call, "--resume"], capture_output=True, text=True, timeout=100)
    assert again.returncode == 0
    assert "from before" in again.stderr
    assert (out / "long.txt").read_text("utf-8").startswith(partial)
    assert not left.exists()
