"""The whole evaluation, against a scripted daemon and a cached reference."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.evaluate import main
from benchmarks.one_pass import one_pass
from benchmarks.serving import ours
from benchmarks.speech import manifest
from tests.client.test_sources import write_wav
from tests.scripted_server import Line, fails, says, scripted

ROWS = (
    ("command", "en", "Turn on.", [[0.0, 0.1], [0.1, 0.2]]),
    ("command", "en", "Turn off.", None),
    ("command", "de", "Mach an.", None),
    ("noise", "en", "", None),
)
TEXTS = {f"{i}.wav": {"timestamps": row[2], "plain": row[2]} for i, row in enumerate(ROWS)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four clips of different lengths."""
    with (tmp_path / "manifest.jsonl").open("w") as file:
        for i, (name, lang, text, marks) in enumerate(ROWS):
            audio = np.full(4000 - 400 * i, 1000, np.int16)
            write_wav(tmp_path / f"{i}.wav", audio)
            row = {"file": f"{i}.wav", "set": name, "lang": lang, "text": text, "words": marks}
            file.write(json.dumps({**row, "seconds": len(audio) / 16_000}) + "\n")
    (tmp_path / "one-pass.json").write_text(json.dumps({"model": "demo int8", "texts": TEXTS}))
    return tmp_path


def evaluate(folder: Path, *argv: str, scripts: Sequence[list[Line]]) -> dict[str, Any]:
    out = folder / "out.json"

    async def run() -> None:
        async with scripted(*scripts) as server:
            fixed = [str(folder), "--uri", server.uri, "--json", str(out), "--parallel", "1"]
            model = ["--model", "demo", "--reference", str(folder / "one-pass.json")]
            await asyncio.to_thread(main, [*fixed, *model, *argv])

    asyncio.run(run())
    return dict(json.loads(out.read_text()))


def test_sets_and_limits_choose_clips(folder: Path) -> None:
    assert [clip.file for clip in manifest(folder, ["command"], 1)] == ["0.wav", "2.wav"]
    assert len(manifest(folder, [], None)) == 4
    assert manifest(folder, ["command"], 1)[0].marks == ((0.0, 0.1), (0.1, 0.2))


def test_every_clip_is_spoken_and_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first utterance warms up and does not count; the longest clip is next."""
    scripts = [says("warm"), says("Turn on."), says("Turn up."), says("Mach an."), says("")]
    result = evaluate(folder, scripts=scripts)
    by_name = {group["name"]: group for group in result["groups"]}
    assert by_name["command en"]["wer"] == 0.25
    assert by_name["command en"]["wer_plain"] == 0.0
    assert by_name["command en"]["misheard_last_words"] == 1
    assert by_name["command de"]["wer"] == 0.0
    assert by_name["noise en"]["invented_words"] == 0
    assert by_name["all"]["joined"] == 1.0
    first = result["utterances"][0]
    assert first["file"] == "0.wav"
    assert first["partials"][-1][1] == "Turn on."
    # All words come at audio-stop: 0.7 s of silence behind the clip, which is 0.25 s long.
    early, late = first["delays"]
    assert early > late > 0.65
    assert "| command en | 2 | 0 | 25.0 | 0.0 | 0.0 |" in capsys.readouterr().out


def test_texts_that_differ_from_another_run_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = folder / "earlier.json"
    rows = [{"file": "0.wav", "text": "Turn on."}, {"file": "1.wav", "text": "Turn off."}]
    earlier.write_text(json.dumps({"utterances": rows}))
    argv = ["--fast", "--sets", "command", "--same-as", str(earlier)]
    evaluate(folder, *argv, scripts=[says("Turn on.")])
    assert f"1 texts differ from {earlier}: 1.wav" in capsys.readouterr().out


def test_errors_are_counted_and_are_the_status(folder: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        evaluate(folder, "--fast", scripts=[fails("overloaded")])
    assert caught.value.code == 1
    result = json.loads((folder / "out.json").read_text())
    assert result["groups"][-1]["errors"] == 4
    assert result["groups"][-1]["wer"] == 1.0


def test_one_pass_texts_of_another_model_are_refused(folder: Path) -> None:
    clips = manifest(folder, [], None)
    assert one_pass(folder, clips, "demo", folder / "one-pass.json")["0.wav"].plain == "Turn on."
    with pytest.raises(SystemExit, match="not of base int8"):
        one_pass(folder, clips, "base", folder / "one-pass.json")


def test_a_daemon_that_does_not_start_is_told() -> None:
    async def run() -> None:
        async with ours("--no-such-option").start():
            pass

    with pytest.raises(SystemExit, match="The daemon ended with status"):
        asyncio.run(run())
