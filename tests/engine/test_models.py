"""A model is found where it lies, fetched where it may be, or one sentence says what to do."""

import errno
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import huggingface_hub.constants
import pytest
from faster_whisper.utils import available_models

from tests.engine.fake_model import LANGUAGES, model_binary, model_files
from tests.engine.hub_server import SHA, Hub, running_hub
from wyoming_streamwhisper.engine import models
from wyoming_streamwhisper.engine.hub import progress_bar
from wyoming_streamwhisper.engine.models import ModelCard, ModelError, ModelOptions, resolve

TINY = "Systran/faster-whisper-tiny"
FILES = model_files()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep this machine's own cache out of the tests."""
    folder = tmp_path / "hub-cache"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as server:
        server.repositories[TINY] = {**FILES, "README.md": b"not wanted"}
        yield server


def write(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def without(*names: str) -> dict[str, bytes]:
    return {name: content for name, content in FILES.items() if name not in names}


def find(name: str | Path, endpoint: str | None = None, **options: object) -> models.ModelFolder:
    options.setdefault("local_files_only", endpoint is None)
    return resolve(ModelOptions(model=str(name), **options), endpoint=endpoint)  # type: ignore[arg-type]


def sentence(caught: pytest.ExceptionInfo[ModelError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


# -- what is here


def test_the_demo_model_is_always_here_and_tells_what_it_knows() -> None:
    model = find("demo")
    assert model.multilingual
    assert (model.languages, model.mels) == (("en", "de"), 80)
    assert model.declared.audio_context == "short"
    assert model.declared.description
    assert model.tokenizer == model.path / "tokenizer.json"


def test_a_local_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine")
    model = find(folder)
    assert (model.path, model.name) == (folder, str(folder))
    assert (model.multilingual, model.languages) == (True, LANGUAGES)
    assert model.declared == ModelCard()


def test_a_known_name_is_no_folder_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError):
        find("tiny")


@pytest.mark.parametrize(
    "place",
    [
        "tiny",
        TINY,
        f"models--Systran--faster-whisper-tiny/snapshots/{SHA}",
    ],
)
def test_data_folders_are_searched_in_both_layouts(tmp_path: Path, place: str) -> None:
    folder = write(tmp_path / "b" / place)
    model = find("tiny", data_dir=(str(tmp_path / "a"), str(tmp_path / "b")))
    assert (model.path, model.name) == (folder, "tiny")


def test_the_branch_main_is_preferred_in_a_cache(tmp_path: Path) -> None:
    cache = tmp_path / "models--Systran--faster-whisper-tiny"
    write(cache / "snapshots" / "older")
    write(cache / "snapshots" / "newer")
    assert find("tiny", data_dir=(str(tmp_path),)).path.name == "newer"
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("older")
    assert find("tiny", data_dir=(str(tmp_path),)).path.name == "older"


def test_the_hub_cache_and_the_download_folder_are_searched(tmp_path: Path, cache: Path) -> None:
    place = f"models--Systran--faster-whisper-tiny/snapshots/{SHA}"
    in_cache = write(cache / place)
    assert find("tiny").path == in_cache
    in_downloads = write(tmp_path / "downloads" / place)
    assert find("tiny", download_dir=str(tmp_path / "downloads")).path == in_downloads


def test_a_broken_candidate_does_not_hide_a_whole_one(tmp_path: Path) -> None:
    write(tmp_path / "a" / "tiny", without("model.bin"))
    whole = write(tmp_path / "b" / "tiny")
    assert find("tiny", data_dir=(str(tmp_path / "a"), str(tmp_path / "b"))).path == whole


# -- what a model says of itself


@pytest.mark.parametrize(
    ("tokens", "name", "multilingual", "languages"),
    [
        (51864, "tiny.en", False, ("en",)),
        (51865, "tiny", True, LANGUAGES),
        (51866, "large-v3", True, LANGUAGES),
        (51865, "distil-large-v2", True, ("en",)),
    ],
)
def test_the_languages_are_true(
    tmp_path: Path, tokens: int, name: str, multilingual: bool, languages: tuple[str, ...]
) -> None:
    write(tmp_path / name, model_files(tokens))
    model = find(name, data_dir=(str(tmp_path),))
    assert (model.multilingual, model.languages) == (multilingual, languages)


def test_old_folders_with_lines_and_without_language_ids(tmp_path: Path) -> None:
    tokens = "".join(f"{token}\n" for token in json.loads(FILES["vocabulary.json"]))
    files = without("vocabulary.json", "preprocessor_config.json")
    files |= {"vocabulary.txt": tokens.encode(), "config.json": b"{}"}
    model = find(write(tmp_path / "old", files))
    assert (model.multilingual, model.languages, model.mels) == (True, LANGUAGES, 80)


def test_large_models_have_128_mel_bands(tmp_path: Path) -> None:
    assert find(write(tmp_path / "large", model_files(51866, 128))).mels == 128


def test_models_that_were_taught_short_contexts_are_known_by_their_name(tmp_path: Path) -> None:
    assert find(write(tmp_path / "ACFT-whisper-small")).declared.audio_context == "short"
    assert find(write(tmp_path / "whisper-small")).declared.audio_context == ""
    card = {"streamwhisper.json": b'{"audio_context": "full"}'}
    assert find(write(tmp_path / "acft", FILES | card)).declared.audio_context == "full"


def test_a_fingerprint_is_of_the_weights_and_not_of_the_name(tmp_path: Path) -> None:
    one, same = (find(write(tmp_path / name)).fingerprint for name in ("one", "same"))
    other = FILES["model.bin"][:-30] + b"x" + FILES["model.bin"][-29:]
    folder = write(tmp_path / "other", FILES | {"model.bin": other})
    assert one == same != models.folder.inspect(folder, "other").fingerprint


def test_a_card_counts_and_its_unknown_keys_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card = {
        "audio_context": "full",
        "piece_min": 12,
        "carry_text": False,
        "languages": ["de"],
        "colour": "blue",
    }
    write(tmp_path / "mine", {**FILES, "streamwhisper.json": json.dumps(card).encode()})
    model = find(tmp_path / "mine")
    assert model.declared == ModelCard("full", 12, False, ("de",))
    assert model.languages == ("de",)
    assert "colour" in caplog.text


@pytest.mark.parametrize(
    "card",
    [
        b"{",
        b"[]",
        b'{"audio_context": "tiny"}',
        b'{"piece_min": "8"}',
        b'{"piece_min": true}',
        b'{"carry_text": "no"}',
        b'{"languages": "en"}',
        b'{"description": 5}',
    ],
)
def test_a_broken_card_is_an_error(tmp_path: Path, card: bytes) -> None:
    write(tmp_path / "mine", {**FILES, "streamwhisper.json": card})
    with pytest.raises(ModelError, match=r"streamwhisper\.json") as caught:
        find(tmp_path / "mine")
    sentence(caught)


# -- broken folders


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"model.bin": None}, "model.bin is missing"),
        ({"config.json": None}, "config.json is missing"),
        ({"vocabulary.json": None}, "vocabulary.json is missing"),
        ({"model.bin": b""}, "model.bin is empty"),
        ({"model.bin": FILES["model.bin"][:-1]}, "model.bin is cut off"),
        ({"model.bin": FILES["model.bin"][:900]}, "model.bin is cut off"),
        ({"model.bin": FILES["model.bin"][:30]}, "model.bin is cut off"),
        ({"model.bin": b"version https://git-lfs"}, "model.bin is no CTranslate2 model"),
        ({"model.bin": model_binary(kind="TransformerSpec")}, "no Whisper"),
        ({"model.bin": model_binary(128)}, "128 mel bands"),
        ({"config.json": b"{"}, "config.json is no JSON"),
        ({"tokenizer.json": FILES["config.json"][:9]}, "tokenizer.json is no JSON"),
        ({"vocabulary.json": b"{}"}, "vocabulary.json is no list"),
        ({"preprocessor_config.json": b"]"}, "preprocessor_config.json is no JSON"),
    ],
)
def test_a_broken_folder_is_named_with_its_fault(
    tmp_path: Path, change: dict[str, bytes | None], fault: str
) -> None:
    files = {name: body for name, body in {**FILES, **change}.items() if body is not None}
    folder = write(tmp_path / "mine", files)
    with pytest.raises(ModelError, match=fault) as caught:
        find(folder)
    assert str(folder) in sentence(caught)


def test_every_cut_of_a_model_file_is_found(tmp_path: Path) -> None:
    whole = FILES["model.bin"]
    folder = write(tmp_path / "mine")
    for length in [*range(120), *range(1900, len(whole))]:
        (folder / "model.bin").write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"model\.bin is"):
            find(folder)


def test_a_missing_tokenizer_is_not_fetched_where_that_is_forbidden(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", without("tokenizer.json"))
    with pytest.raises(ModelError, match=r"no tokenizer\.json.*openai/whisper-tiny into") as caught:
        find(folder)
    sentence(caught)


def test_a_missing_tokenizer_is_fetched_once_and_said(
    tmp_path: Path, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.repositories["openai/whisper-tiny.en"] = {"tokenizer.json": b"{}", "model.bin": b"large"}
    folder = write(
        tmp_path / "mine", {**model_files(51864), **without("tokenizer.json", "vocabulary.json")}
    )
    (folder / "tokenizer.json").unlink()
    found = find(folder, hub.url).tokenizer
    assert "openai/whisper-tiny.en" in caplog.text
    assert [file.name for file in found.parent.iterdir()] == ["tokenizer.json"]
    hub.asked.clear()
    assert find(folder, hub.url).tokenizer == found
    assert find(folder).tokenizer == found
    assert not hub.asked


# -- names


@pytest.mark.parametrize("name", ["tinny", "large-v33", "Tiny", "x", ""])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ModelError, match="large-v3-turbo") as caught:
        find(name)
    assert "demo" in sentence(caught)


def test_an_unknown_name_gets_a_guess() -> None:
    with pytest.raises(ModelError, match="did you mean 'large-v3'"):
        find("large-v33")


@pytest.mark.parametrize("path", ["/nowhere/model", "./model", "~/no-such-model", "a/b/c"])
def test_a_path_that_is_not_there_is_not_looked_for_on_the_hub(path: str, hub: Hub) -> None:
    with pytest.raises(ModelError, match="no folder"):
        find(path, hub.url)
    assert not hub.asked


def test_every_name_of_the_trade_is_known() -> None:
    assert {*available_models(), "demo", "tiny-int8", "medium-int8"} <= set(models.names())


def test_what_is_not_here_and_may_not_be_downloaded(tmp_path: Path) -> None:
    write(tmp_path / "tiny", without("model.bin"))
    with pytest.raises(ModelError, match=r"local_files_only.*model\.bin is missing") as caught:
        find("tiny", data_dir=(str(tmp_path),))
    sentence(caught)


# -- the hub


def test_a_model_is_downloaded_once(tmp_path: Path, hub: Hub) -> None:
    data = (str(tmp_path / "data"),)
    model = find("tiny", hub.url, data_dir=data)
    assert tmp_path / "data" in model.path.parents
    assert sorted(file.name for file in model.path.iterdir()) == sorted(FILES)
    assert {file.name: file.read_bytes() for file in model.path.iterdir()} == FILES
    hub.asked.clear()
    assert find("tiny", hub.url, data_dir=data) == model
    assert find("tiny", data_dir=data) == model
    assert not hub.asked


def test_a_hub_id_is_downloaded_to_the_hub_cache(hub: Hub, cache: Path) -> None:
    hub.repositories["me/mine"] = FILES
    assert cache in find("me/mine", hub.url).path.parents


def test_an_interrupted_download_is_completed(hub: Hub, tmp_path: Path) -> None:
    model = find("tiny", hub.url, download_dir=str(tmp_path))
    (model.path / "model.bin").unlink()
    assert find("tiny", hub.url, download_dir=str(tmp_path)) == model
    assert (model.path / "model.bin").read_bytes() == FILES["model.bin"]


def test_a_damaged_download_is_replaced(hub: Hub, tmp_path: Path) -> None:
    model = find("tiny", hub.url, download_dir=str(tmp_path))
    (model.path / "model.bin").resolve().write_bytes(FILES["model.bin"][:500])
    assert find("tiny", hub.url, download_dir=str(tmp_path)) == model
    assert (model.path / "model.bin").read_bytes() == FILES["model.bin"]


def test_progress_ends_with_all_bytes(hub: Hub) -> None:
    told: list[tuple[int, int]] = []
    options = ModelOptions(model="tiny")
    resolve(options, endpoint=hub.url, progress=lambda done, total: told.append((done, total)))
    size = sum(map(len, FILES.values()))
    assert told[-1] == (size, size)


def test_progress_is_logged_where_there_is_no_terminal(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        find("tiny", hub.url)
    assert f"Downloading {TINY}" in caplog.text
    assert f"{TINY}: 100 %" in caplog.text


def test_progress_is_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell = progress_bar("models--me--mine")
    tell(50, 200)
    tell(200, 200)
    assert "me/mine: 100%" in capsys.readouterr().err


def test_a_model_that_the_hub_does_not_have(hub: Hub) -> None:
    with pytest.raises(ModelError, match="no model me/none, or it is private") as caught:
        find("me/none", hub.url)
    sentence(caught)


def test_a_gated_model(hub: Hub) -> None:
    hub.gated.add(TINY)
    with pytest.raises(ModelError, match="gated; accept its terms") as caught:
        find("tiny", hub.url)
    sentence(caught)


def test_a_hub_that_fails(hub: Hub) -> None:
    hub.failing = 418
    with pytest.raises(ModelError, match="HTTP 418") as caught:
        find("tiny", hub.url)
    sentence(caught)


def test_a_hub_that_is_gone(hub: Hub) -> None:
    with running_hub() as gone:
        url = gone.url
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        find("tiny", url)
    assert "data folder" in sentence(caught)


def test_a_name_that_the_hub_cannot_have(hub: Hub) -> None:
    with pytest.raises(ModelError, match="no name that the hub can have"):
        find("me/a--b..c", hub.url)


def test_a_repository_without_a_whole_model(hub: Hub) -> None:
    hub.repositories[TINY] = without("model.bin")
    with pytest.raises(ModelError, match=r"no Whisper for CTranslate2 \(model\.bin is") as caught:
        find("tiny", hub.url)
    sentence(caught)
    assert not [path for path in hub.asked if "resolve" in path]


def test_a_disk_without_room(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ModelError, match="too full") as caught:
        find("tiny", hub.url, download_dir=str(tmp_path))
    assert str(tmp_path) in sentence(caught)


@pytest.mark.parametrize(
    ("number", "text"), [(errno.ENOSPC, "too full"), (errno.EROFS, "cannot be written")]
)
def test_a_disk_that_fails_in_the_middle(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, text: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(ModelError, match=text) as caught:
        find("tiny", hub.url, download_dir=str(tmp_path))
    sentence(caught)


def test_a_download_folder_that_is_none(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match=r"cannot be written \(Not a directory\)") as caught:
        find("tiny", hub.url, download_dir=str(tmp_path / "file" / "models"))
    sentence(caught)
