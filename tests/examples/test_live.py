"""The microphone and the two sources, with files, and a recorder, in place of sound hardware."""

import os
from pathlib import Path

from tests.clips import FOLDER, SHORT, SILENCE, TURN_ON
from tests.examples.conftest import Run, Wav

TERMINAL = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100", "LINES": "20"}
BLUE, YELLOW, DIM_BLUE = "\x1b[34m", "\x1b[33m", "\x1b[2;34m"


def test_words_come_in_place_and_stay_when_they_are_final(example: Run, wav: Wav) -> None:
    path = wav("me.wav", TURN_ON.pcm + SILENCE + SHORT.pcm)
    done = example("microphone.py", path, **TERMINAL)
    assert (done.returncode, done.stderr) == (0, "")
    for said in (TURN_ON, SHORT):
        assert f"{BLUE}{said.text}\x1b[0m" in done.stdout
    assert DIM_BLUE in done.stdout  # the tail, which may change
    begin = done.stdout.index(f"{BLUE}{TURN_ON.text.split()[0]}")
    assert begin < done.stdout.index(f"{BLUE}{TURN_ON.text}")


def test_without_a_terminal_there_are_only_texts(example: Run, wav: Wav) -> None:
    path = wav("me.wav", TURN_ON.pcm + SILENCE + SHORT.pcm + SILENCE)
    done = example("microphone.py", path, "--fast")
    assert done.stdout.splitlines() == [f"mic  {TURN_ON.text}", f"mic  {SHORT.text}"]


def test_two_sources_are_heard_at_once_each_in_its_colour(example: Run) -> None:
    done = example("two_sources.py", FOLDER / SHORT.name, FOLDER / TURN_ON.name, **TERMINAL)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{BLUE}{SHORT.text}\x1b[0m" in done.stdout
    assert f"{YELLOW}{TURN_ON.text}\x1b[0m" in done.stdout
    # Both lines are drawn before the first of them is done.
    assert done.stdout.index("system") < done.stdout.index(f"{BLUE}{SHORT.text}")


def test_what_the_system_plays_comes_from_its_recorder(
    example: Run, wav: Wav, tmp_path: Path
) -> None:
    sound = tmp_path / "sound"
    sound.write_bytes(TURN_ON.pcm)
    recorder = tmp_path / "parec"
    recorder.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\nexec cat {sound}\n')
    recorder.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = example("two_sources.py", wav("me.wav", SHORT.pcm), "system", PATH=path)
    assert sorted(done.stdout.splitlines()) == [f"mic  {SHORT.text}", f"system  {TURN_ON.text}"]
    assert "--device=@DEFAULT_MONITOR@" in (tmp_path / "asked").read_text()


def test_a_source_that_fails_is_told_and_the_other_goes_on(example: Run, tmp_path: Path) -> None:
    missing = tmp_path / "none.wav"
    done = example("two_sources.py", missing, FOLDER / SHORT.name, "--fast")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"system  {SHORT.text}"]
    assert done.stderr == f"mic: {missing} cannot be read as audio: No such file or directory.\n"


def test_without_a_recorder_it_says_what_to_install(example: Run, tmp_path: Path) -> None:
    done = example("two_sources.py", FOLDER / SHORT.name, "system", "--fast", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt install pulseaudio-utils" in done.stderr


def test_a_recorder_that_gives_nothing_is_told(example: Run, tmp_path: Path) -> None:
    recorder = tmp_path / "parec"
    recorder.write_text("#!/bin/sh\nexit 1\n")
    recorder.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = example("microphone.py", "system", PATH=path)
    assert (done.returncode, done.stderr) == (1, "mic: parec gives no sound of this system.\n")


def test_without_a_server_there_is_one_sentence(example: Run) -> None:
    done = example("microphone.py", FOLDER / SHORT.name, "--url", "ws://127.0.0.1:1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
