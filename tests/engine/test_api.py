"""A request holds all that its decode needs, so it may be decoded in another process."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from wyoming_streamwhisper.core.audio import AudioFormat
from wyoming_streamwhisper.core.convert import Converter
from wyoming_streamwhisper.core.kind import Kind
from wyoming_streamwhisper.core.prompt import Prompt
from wyoming_streamwhisper.core.words import text_of
from wyoming_streamwhisper.engine import clip
from wyoming_streamwhisper.engine.api import Request, Result
from wyoming_streamwhisper.engine.ctranslate2 import CTranslate2Backend
from wyoming_streamwhisper.engine.models import ModelOptions, resolve
from wyoming_streamwhisper.engine.options import EngineOptions


def decode_elsewhere(request: Request) -> Result:
    backend = CTranslate2Backend(resolve(ModelOptions("demo")), EngineOptions(cpu_threads=1))
    return backend.decode([request])[0]


def request() -> Request:
    return Request(
        "r",
        "satellite",
        Kind.FINAL,
        Converter(AudioFormat()).feed(Path(clip.PATH).read_bytes()),
        languages=("en", "de"),
        prompt=Prompt("Zoë.", ""),
        prefix=(),
    )


def test_a_request_survives_travelling() -> None:
    before = request()
    after = pickle.loads(pickle.dumps(before))
    assert np.array_equal(before.samples, after.samples)
    assert (before.languages, before.prompt) == (after.languages, after.prompt)


def test_another_process_gives_the_same_result() -> None:
    asked = request()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(decode_elsewhere, asked).result()
    here = decode_elsewhere(asked)
    assert text_of(there.hypothesis.words) == text_of(here.hypothesis.words)
    assert there.hypothesis.language == "en"
