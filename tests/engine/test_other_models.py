"""The back end on models of other forms than the demo model's, with random weights."""

import numpy as np
import pytest

from tests.doubles import make_request
from tests.engine.random_model import save_random_model
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend
from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.options import EngineOptions

FORMS = {
    "english": {"english": True, "mels": 80},
    "multilingual": {"english": False, "mels": 80},
    "large-v3": {"english": False, "mels": 128},
}


@pytest.fixture(scope="module", params=FORMS)
def backend(request, tmp_path_factory) -> CTranslate2Backend:
    folder = save_random_model(tmp_path_factory.mktemp(request.param), **FORMS[request.param])
    found = resolve(ModelOptions(model=str(folder)))
    return CTranslate2Backend(found, EngineOptions(cpu_threads=1))


def noise(seconds: float, **more):
    samples = np.random.default_rng(2).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)
    return make_request(f"{more}", seconds=seconds, samples=samples, **more)


def test_the_form_is_found(backend, request):
    form = FORMS[request.node.callspec.params["backend"]]
    assert backend._model.n_mels == form["mels"]
    assert backend._model.is_multilingual is not form["english"]
    languages = backend.info.languages
    assert languages == ("en",) if form["english"] else "de" in languages
    assert ("yue" in languages) == (form["mels"] == 128)


def test_any_mixture_decodes_as_each_alone(backend):
    requests = [
        noise(0.9, kind=Kind.PARTIAL),
        noise(0.9, kind=Kind.PARTIAL, languages=("en",), timed=False),
        noise(0.9, kind=Kind.PARTIAL, prompt=Prompt("w1", "w2")),
        noise(0.9, kind=Kind.PARTIAL, prefix=(5, 6, 7)),
    ]
    together = backend.decode(requests)
    alone = [backend.decode([request])[0] for request in requests]
    assert [r.hypothesis for r in together] == [r.hypothesis for r in alone]


@pytest.mark.parametrize("kind", [Kind.PARTIAL, Kind.FINAL])
def test_nonsense_is_not_believed_and_has_times(backend, kind):
    for attempt in range(3):
        request = noise(0.9, kind=kind, attempt=attempt, beam_size=5 if attempt else 1)
        found = backend.decode([request])[0].hypothesis
        assert not found.plausible
        assert all(0.0 <= w.start <= w.end <= request.seconds for w in found.words)


def test_it_warms_up(backend):
    backend.warm_up()
