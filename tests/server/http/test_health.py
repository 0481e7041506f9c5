"""Alive, ready, figures, models and the documentation."""

import asyncio
import json
import re
from typing import Any

import httpx
import pytest

from tests.clips import TURN_ON
from tests.server.door import PATIENCE, House
from tests.server.http.web import Web, array, line, serving
from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.engine.local import LocalEngine
from wyoming_streamwhisper.session.profile import Profile


def test_it_is_alive_and_ready(web: Web) -> None:
    assert web.get("/healthz").json() == {"status": "alive"}
    assert web.get("/readyz").json() == {"status": "ready", "model": "demo"}


def test_while_the_model_loads_it_is_alive_and_not_ready(house: House) -> None:
    engine: LocalEngine = house.loading(lambda: house.backend)
    with serving(house, engine=engine) as web:
        assert web.get("/healthz").status_code == 200
        for answer in (web.get("/readyz"), web.upload("/transcribe", b"x")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not-ready")
            assert int(answer.headers["retry-after"]) > 0
    house.inside(engine.close())


def test_when_it_stops_it_is_not_ready(web: Web) -> None:
    web.session.stop()
    answer = web.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting-down")


def test_figures_are_for_prometheus(web: Web) -> None:
    answer = web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE streamwhisper_utterances_running gauge" in answer.text


def test_models_are_the_model_and_the_profiles(house: House) -> None:
    with serving(house, Profile("home"), Profile("dictation")) as web:
        listed = web.get("/v1/models").json()
        assert [entry["id"] for entry in listed["data"]] == ["demo", "home", "dictation"]
        assert web.get("/v1/models/home").json()["object"] == "model"
        answer = web.get("/v1/models/whisper-99")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown-model")


def test_the_documentation_needs_no_other_host(web: Web) -> None:
    page = web.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    for address in addresses:
        assert "//" not in address
        assert web.get("/" + address.lstrip("./")).status_code == 200
    document = web.get("/openapi.json").json()
    assert {"/transcribe", "/v1/audio/transcriptions"} <= document["paths"].keys()


@pytest.mark.parametrize("path", ["/nothing", "/transcribe"])
def test_a_wrong_address_is_told_in_the_same_shape(web: Web, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code in (404, 405)
    assert answer.json()["error"]["code"] in ("not-found", "method-not-allowed")


def test_options_have_names_of_their_own_and_secrets_are_kept() -> None:
    from wyoming_streamwhisper.config import load

    settings = load(["--http"], {"STREAMWHISPER_HTTP_TOKENS": "hush"})
    assert settings.http.uri == "tcp://127.0.0.1:10380"
    assert "hush" not in repr(settings)
    assert load([], {}).http.uri == ""
    assert load(["--http", "tcp://[::]:1"], {}).http.uri == "tcp://[::]:1"


def test_nothing_more_is_imported_where_it_is_off() -> None:
    import subprocess
    import sys

    code = "import sys, wyoming_streamwhisper.daemon; assert 'fastapi' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_who_looks_on_sees_satellites(web: Web) -> None:
    async def look() -> list[tuple[str, dict[str, Any]]]:
        seen: list[tuple[str, dict[str, Any]]] = []
        async with (
            asyncio.timeout(PATIENCE),
            httpx.AsyncClient() as client,
            client.stream("GET", f"{web.url}/events", timeout=PATIENCE) as answer,
            line(f"{web.ws}/ws/transcription?client_id=kitchen&language=en") as speaker,
        ):
            kind = ""
            async for text in answer.aiter_lines():
                if text.startswith("event: "):
                    kind = text.removeprefix("event: ")
                    if not seen:  # now we are heard
                        await speaker.send(array(TURN_ON.pcm))
                        await speaker.send({"type": "stop"})
                elif text:
                    seen.append((kind, json.loads(text.removeprefix("data: "))))
                    if seen[-1][1].get("type") == "final":
                        return seen
        return seen

    seen = asyncio.run(look())
    kind, load = seen[0]
    # Of the rung others decide who were here before: the engine remembers its load for a while.
    assert load.pop("rung") in {rung.label for rung in Rung}
    assert (kind, load) == ("load", {"ready": True, "running": 0, "speaking": 0, "most": None})
    final = seen[-1][1]
    assert (final["satellite"], final["text"]) == ("kitchen", TURN_ON.text)
    assert final["delay"] >= 0
