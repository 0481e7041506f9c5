"""Engine and session from settings: what cannot be had is one sentence that names the option."""

import asyncio
import sys

import pytest

from wyoming_streamwhisper.build import Unusable, built, built_for_files, load_backend
from wyoming_streamwhisper.config import Settings
from wyoming_streamwhisper.engine.options import EngineOptions, ModelOptions
from wyoming_streamwhisper.session.profile import Profile


def test_a_language_that_the_model_lacks_names_profile_and_language() -> None:
    profiles = Profile("home", language="de"), Profile("away", languages=("en", "fr"))
    with pytest.raises(Unusable, match="profile away: the model demo does not know the language f"):
        load_backend(Settings(profiles=profiles))


def test_voice_activity_that_is_not_installed_names_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "silero_vad", None)

    async def build() -> None:
        async with built(Settings(engine=EngineOptions(vad="torch"))):
            raise AssertionError("it cannot be built")

    with pytest.raises(Unusable, match=r"vad: torch needs .*wyoming-streamwhisper\[torch\]"):
        asyncio.run(build())


def test_a_model_for_files_that_cannot_be_had_leaves_nothing_running() -> None:
    async def build() -> None:
        before = asyncio.all_tasks()
        with pytest.raises(Unusable, match="no-such-model"):
            async with built_for_files(Settings(ModelOptions("no-such-model")), replicas=1):
                raise AssertionError("it cannot be built")
        assert asyncio.all_tasks() == before

    asyncio.run(build())
