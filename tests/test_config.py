"""What people write becomes settings, or one sentence that says what is wrong."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_streamwhisper.config import ConfigError, Settings, load
from wyoming_streamwhisper.config.catalogue import OPTIONS, ROOMS
from wyoming_streamwhisper.config.document import read_document
from wyoming_streamwhisper.config.environment import unknown_variables
from wyoming_streamwhisper.config.example import as_yaml, example
from wyoming_streamwhisper.config.values import Given, read
from wyoming_streamwhisper.core.languages import LANGUAGES
from wyoming_streamwhisper.option import Option, declared, option
from wyoming_streamwhisper.server.options import Listener

ROOT = Path(__file__).parent.parent


def load_yaml(tmp_path: Path, text: str, *argv: str, **environ: str) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load(["--config", str(path), *argv], environ)


def error_of(tmp_path: Path, text: str, *argv: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_yaml(tmp_path, text, *argv, **environ)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(tmp_path), "DIR")


class TestSources:
    def test_nothing_said_gives_the_defaults(self) -> None:
        assert Settings() == load([], {})

    def test_every_option_is_declared_once(self) -> None:
        options = [o for rooms in ROOMS.values() for room in rooms for o in declared(room)]
        for names in ([o.name for o in options], [o.flag for o in options]):
            assert len(names) == len(set(names))

    @pytest.mark.parametrize(
        ("yaml", "env", "flag", "expected"),
        [
            (None, None, None, 0.4),
            ("1", None, None, 1.0),
            ("1", "2", None, 2.0),
            ("1", "2", "3", 3.0),
            ("1", None, "3", 3.0),
            ("1", "null", "", 1.0),
        ],
    )
    def test_flags_win_over_the_environment_and_that_over_the_file(
        self, tmp_path: Path, yaml: str | None, env: str | None, flag: str | None, expected: float
    ) -> None:
        settings = load_yaml(
            tmp_path,
            f"step: {yaml}" if yaml else "",
            *([] if flag is None else ["--step", flag]),
            **({} if env is None else {"STREAMWHISPER_STEP": env}),
        )
        assert expected == settings.profiles[0].streaming.step

    @given(st.dictionaries(st.sampled_from(["yaml", "env", "argv"]), st.integers(1, 10)))
    def test_each_option_has_its_own_precedence(self, said: dict[str, int]) -> None:
        others = {"STREAMWHISPER_MAX_BATCH": "3"}
        environ = others | ({"STREAMWHISPER_BEAM_SIZE": str(said["env"])} if "env" in said else {})
        argv = ["--beam-size", str(said["argv"])] if "argv" in said else []
        settings = load(argv, environ)
        expected = said.get("argv", said.get("env", 1))
        assert (expected, 3) == (settings.profiles[0].beam_size, settings.engine.max_batch)

    def test_the_file_can_be_named_by_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "x.yaml").write_text("model: tiny")
        assert load([], {"STREAMWHISPER_CONFIG": str(tmp_path / "x.yaml")}).model.model == "tiny"

    def test_a_variable_can_name_a_file_with_the_value(self, tmp_path: Path) -> None:
        (tmp_path / "names").write_text("Kitchen\nBath, upstairs\n")
        settings = load([], {"STREAMWHISPER_NAMES_FILE": str(tmp_path / "names")})
        assert settings.profiles[0].names == ("Kitchen", "Bath", "upstairs")

    def test_a_list_is_repeated_flags_or_commas(self) -> None:
        settings = load(["--data-dir", "/a", "--data-dir", "/b,/c"], {})
        assert settings.model.data_dir == ("/a", "/b", "/c")

    def test_a_list_in_yaml_keeps_its_commas(self, tmp_path: Path) -> None:
        assert load_yaml(tmp_path, "data_dir: ['/a,b', /c]").model.data_dir == ("/a,b", "/c")

    def test_the_flags_of_other_wyoming_servers_work(self) -> None:
        argv = "--uri tcp://0.0.0.0:1 --model tiny --data-dir /d --download-dir /e --device cpu"
        argv += " --language de --beam-size 2 --initial-prompt x --whisper-task translate --debug"
        settings = load([*argv.split(), "--log-format", "%(message)s"], {})
        profile = settings.profiles[0]
        assert settings.wyoming.uris == (Listener("tcp://0.0.0.0:1"),)
        assert (profile.language, profile.beam_size, profile.task) == ("de", 2, "translate")
        assert (settings.log.log_level, settings.log.log_format) == ("debug", "%(message)s")

    @pytest.mark.parametrize(
        ("argv", "expected"),
        [
            ([], "auto"),
            (["--zeroconf"], "auto"),
            (["--zeroconf", "attic"], "attic"),
            (["--no-zeroconf"], "off"),
        ],
    )
    def test_zeroconf_takes_a_name_or_none(self, argv: list[str], expected: str) -> None:
        assert load(argv, {}).discovery.zeroconf == expected

    @pytest.mark.parametrize(("word", "expected"), [("yes", True), ("off", False), ("0", False)])
    def test_truth_has_many_words(self, word: str, expected: bool) -> None:
        settings = load([], {"STREAMWHISPER_LOCAL_FILES_ONLY": word})
        assert settings.model.local_files_only is expected

    def test_flags_switch_both_ways(self) -> None:
        assert load(["--no-partials"], {}).profiles[0].streaming.partials is False
        assert load(["--partials"], {"STREAMWHISPER_PARTIALS": "no"}).profiles[0].streaming.partials

    @pytest.mark.parametrize("word", ["null", ""])
    def test_an_unset_prompt_of_an_add_on_is_no_prompt(self, word: str) -> None:
        assert load(["--initial-prompt", word], {}).profiles[0].initial_prompt == ""
        assert load([], {"STREAMWHISPER_INITIAL_PROMPT": word}).profiles[0].initial_prompt == ""

    def test_a_misspelt_variable_is_told(self) -> None:
        (sentence,) = unknown_variables({"STREAMWHISPER_MODLE": "x", "HOME": "/", "PATH": ""})
        assert "STREAMWHISPER_MODLE is not an option; did you mean STREAMWHISPER_MODEL?" in sentence


class TestYaml:
    def test_norwegian_is_a_language_and_off_a_word(self, tmp_path: Path) -> None:
        settings = load_yaml(tmp_path, "language: no\nzeroconf: off\nendpointing: off\nnames: [on]")
        assert (settings.profiles[0].language, settings.profiles[0].names) == ("no", ("on",))
        assert settings.discovery.zeroconf == "off"

    @pytest.mark.parametrize("text", ["", "step:", "step: null", "step: ~", "# step: 1"])
    def test_nothing_there_means_unset(self, tmp_path: Path, text: str) -> None:
        assert load_yaml(tmp_path, text) == Settings()

    def test_words_that_begin_like_nothing_are_words(self, tmp_path: Path) -> None:
        settings = load_yaml(tmp_path, 'names: [nullify, ~tilde]\ninitial_prompt: "null"')
        assert settings.profiles[0].names == ("nullify", "~tilde")
        assert settings.profiles[0].initial_prompt == "null"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("stpe: 1", "`stpe` in DIR/config.yaml is not an option; did you mean step?"),
            ("step: 9", "`step` in DIR/config.yaml is '9', expected a number from 0.1 to 5 s"),
            ("step: nan", "is 'nan', expected a number from 0.1 to 5 s"),
            ("step: [1]", "is ['1'], expected a number"),
            ("beam_size: 1.5", "is '1.5', expected a whole number from 1 to 10"),
            ("partials: maybe", "is 'maybe', expected true or false"),
            ("policy: alinatt", "expected one of alignatt, local_agreement, both; did you mean"),
            ("model: {a: b}", "is {'a': 'b'}, expected a text"),
            ("model: a\nmodel: b", "DIR/config.yaml, line 2: the key 'model' stands there twice"),
            ("model: 'a", "DIR/config.yaml, line 1: found unexpected end of stream"),
            ("- model", "DIR/config.yaml is ['model'], expected a mapping of options"),
            ("null: 1", "has an empty key"),
            ("[a]: 1", "line 1"),
            ("model: \0", "is not YAML"),
            ("language: english", "Whisper such as en; did you mean en?"),
            ("language: de-AT", "did you mean de?"),
            ("languages: [en, xx]", "is 'xx', expected language codes"),
            ("device: gpu", "is 'gpu', expected auto, cpu, cuda or cuda:N"),
            ("zeroconf: false", "is 'false', expected auto, off or a name"),
            ("log_format: '%(foo)s'", "expected a format of Python's logging"),
            ("piece_max: 6\npiece_min: 8", "makes piece_min 8 s, expected at most piece_max"),
            ("profiles: [a]", "`profiles` in DIR/config.yaml is ['a'], expected a mapping"),
            ("profiles: {a: 1}", "`profiles.a` in DIR/config.yaml is '1', expected a mapping"),
            ("profiles: {a: {step: 9}}", "`profiles.a.step` in DIR/config.yaml is '9'"),
            ("profiles: {a: {model: x}}", "`profiles.a.model` in DIR/config.yaml is not an option"),
        ],
    )
    def test_an_error_names_place_value_and_what_is_right(
        self, tmp_path: Path, text: str, expected: str
    ) -> None:
        assert expected in error_of(tmp_path, text)

    def test_a_missing_file_is_named(self) -> None:
        with pytest.raises(ConfigError, match=r"/no/such\.yaml cannot be read: No such file"):
            load(["--config", "/no/such.yaml"], {})

    def test_a_file_in_another_encoding_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "x.yaml").write_bytes(b"model: \xff")
        with pytest.raises(ConfigError, match="not a text in UTF-8"):
            load(["--config", str(tmp_path / "x.yaml")], {})


class TestErrorsElsewhere:
    def test_a_flag_is_named(self) -> None:
        with pytest.raises(ConfigError, match=r"^--max-batch is '0', expected a whole number from"):
            load(["--max-batch", "0"], {})

    def test_a_variable_is_named(self) -> None:
        with pytest.raises(ConfigError, match=r"^the environment variable STREAMWHISPER_GUARD is"):
            load([], {"STREAMWHISPER_GUARD": "x"})

    def test_the_file_behind_a_variable_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "v").write_text("x")
        with pytest.raises(ConfigError, match=r"v, named by .* STREAMWHISPER_GUARD_FILE, is 'x'"):
            load([], {"STREAMWHISPER_GUARD_FILE": str(tmp_path / "v")})

    def test_a_variable_and_its_file_contradict(self) -> None:
        with pytest.raises(ConfigError, match="are both set"):
            load([], {"STREAMWHISPER_GUARD": "1", "STREAMWHISPER_GUARD_FILE": "/x"})

    def test_bad_usage_ends_with_status_2(self) -> None:
        with pytest.raises(SystemExit) as caught:
            load(["--stpe", "1"], {})
        assert caught.value.code == 2

    def test_a_secret_is_not_shown(self) -> None:
        secret = Option("token", int, False, 0, option(0, "", secret=True).metadata["option"])
        with pytest.raises(ConfigError) as caught:
            read(secret, Given("hush", "--token"))
        assert "hush" not in str(caught.value)


class TestProfiles:
    def test_profiles_inherit_what_is_said_for_all(self, tmp_path: Path) -> None:
        text = "step: 1\nlanguage: en\nprofiles: {a: {}, b: {language: de, step: 2}}"
        a, b = load_yaml(tmp_path, text).profiles
        assert (a.name, a.language, a.streaming.step) == ("a", "en", 1.0)
        assert (b.name, b.language, b.streaming.step) == ("b", "de", 2.0)

    def test_a_flag_changes_what_a_profile_does_not_say(self, tmp_path: Path) -> None:
        text = "profiles: {a: , b: {language: de}}"
        a, b = load_yaml(tmp_path, text, "--language", "fr").profiles
        assert (a.language, b.language) == ("fr", "de")

    def test_a_profile_can_take_a_prompt_away(self, tmp_path: Path) -> None:
        text = 'initial_prompt: x\nprofiles: {a: {initial_prompt: ""}}'
        assert load_yaml(tmp_path, text).profiles[0].initial_prompt == ""


class TestListeners:
    @pytest.mark.parametrize(
        "uri", ["tcp://0.0.0.0:10300", "tcp://[::1]:1", "tcp://host:0", "unix:///run/x", "unix://x"]
    )
    def test_good_addresses(self, uri: str) -> None:
        assert load(["--uri", uri], {}).wyoming.uris == (Listener(uri),)

    @pytest.mark.parametrize(
        "uri",
        [
            "10300",
            "tcp://host",
            "tcp://:1",
            "tcp://h:99999",
            "tcp://[::1:1",
            "tcp://h:1/x",
            "unix://",
            "http://h:1",
            "tcp://h:x",
            "stdio://",
        ],
    )
    def test_bad_addresses(self, uri: str) -> None:
        with pytest.raises(ConfigError, match="expected tcp://HOST:PORT, unix://PATH or"):
            load([], {"STREAMWHISPER_URI": uri})

    def test_a_listener_can_be_bound(self, tmp_path: Path) -> None:
        text = """
            profiles: {a: {}, b: {}}
            uris:
              - tcp://h:1
              - {uri: "tcp://h:2", profile: b, satellite: attic}
              - {uri: "tcp://h:3", profile: , satellite: }
        """
        assert load_yaml(tmp_path, text).wyoming.uris == (
            Listener("tcp://h:1"),
            Listener("tcp://h:2", "b", "attic"),
            Listener("tcp://h:3"),
        )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("uris: [{profile: a}]", "is {'profile': 'a'}, expected tcp://HOST:PORT"),
            ("uris: [{uri: 'tcp://h:1', profil: a}]", "or a mapping {uri, profile, satellite}"),
            ("uris: [{uri: 'tcp://h:1', profile: defalt}]", "expected one of default; did you"),
            ("uris: [tcp://h:1, tcp://h:1]", "names tcp://h:1 twice, expected once"),
            ("uris: [[a]]", "is ['a'], expected tcp://"),
        ],
    )
    def test_bad_listeners(self, tmp_path: Path, text: str, expected: str) -> None:
        assert expected in error_of(tmp_path, text)


class TestExample:
    def test_the_file_in_the_repository_is_the_one_the_code_writes(self) -> None:
        assert example() == (ROOT / "config.example.yaml").read_text(encoding="utf-8")

    def test_it_documents_every_option_and_changes_none(self, tmp_path: Path) -> None:
        path = tmp_path / "example.yaml"
        defaults = "\n".join(
            line[1:] for line in example().split("# ---- Profiles")[0].splitlines()
            if line.startswith("#") and line[1:].partition(":")[0] in OPTIONS
        )  # fmt: skip
        path.write_text(defaults)
        document = read_document(str(path))
        assert list(OPTIONS) == list(document.options)
        assert load(["--config", str(path)], {}) == Settings()

    def test_its_profiles_are_right(self, tmp_path: Path) -> None:
        text = example().split("bound to:\n#\n")[1].replace("#", "")
        settings = load_yaml(tmp_path, text)
        assert [profile.name for profile in settings.profiles] == ["home", "dictation"]


def test_the_configuration_in_the_readme_is_right(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    settings = load_yaml(tmp_path, block)
    assert [listener.profile for listener in settings.wyoming.uris] == ["", "study"]


@st.composite
def chosen(draw: st.DrawFn) -> tuple[Option, Any]:
    """Draw an option and a value that it allows."""
    option = draw(st.sampled_from([o for o in OPTIONS.values() if o.kind is not Listener]))
    one = values(option)
    return option, draw(st.lists(one, min_size=1).map(tuple) if option.many else one)


def values(option: Option) -> st.SearchStrategy[Any]:
    said = option.declared
    if option.kind is bool:
        return st.booleans()
    if option.kind is int:
        return st.integers(int(said.low or 0), int(said.high or 0))
    if option.kind is float:
        return st.floats(said.low, said.high)
    special = {"language": [*LANGUAGES, "auto"], "languages": [*LANGUAGES], "device": ["cuda:1"]}
    special |= {"zeroconf": ["off", "the attic: 2"], "log_format": ["%(message)s: {}"]}
    special["http"] = ["on", "off", "tcp://[::1]:10380", "unix:///run/a b"]
    listed = said.choices or special.get(option.name)
    return st.sampled_from(listed) if listed else st.text(st.characters(codec="utf-8"))


@given(chosen())
def test_what_is_written_as_yaml_reads_back_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, choice: tuple[Option, Any]
) -> None:
    option, value = choice
    path = tmp_path_factory.getbasetemp() / "round-trip.yaml"
    path.write_text(f"{option.name}: {as_yaml(value)}", encoding="utf-8")
    assert value == read(option, read_document(str(path)).options[option.name])
