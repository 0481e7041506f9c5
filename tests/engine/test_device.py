"""Devices: found or not, with their library or not, told in words; rows of what is encoded."""

import ctranslate2
import numpy as np
import pytest

from wyoming_streamwhisper.engine import device
from wyoming_streamwhisper.engine.device import Device, choose_device, compute_type, select, storage


@pytest.fixture
def a_gpu(monkeypatch):
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)


def test_without_a_gpu_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    assert choose_device("auto") == choose_device("cpu") == Device("cpu")
    with pytest.raises(RuntimeError, match="no NVIDIA GPU or driver"):
        choose_device("cuda:1")


def test_a_gpu_with_its_library_is_used(a_gpu):
    assert choose_device("auto", find_cublas=lambda: True) == Device("cuda", 0)
    assert choose_device("cuda:1", find_cublas=lambda: True) == Device("cuda", 1)
    assert Device("cuda", 1).torch == "cuda:1"


def test_a_gpu_without_its_library_is_told_what_to_do(a_gpu):
    found = choose_device("auto", find_cublas=lambda: False)
    assert found.kind == "cpu"
    assert "pip install nvidia-cublas-cu12" in found.note
    with pytest.raises(RuntimeError, match="pip install nvidia-cublas-cu12"):
        choose_device("cuda", find_cublas=lambda: False)
    assert choose_device("cpu", find_cublas=lambda: False) == Device("cpu")


def test_the_library_of_nvidias_wheel_is_found(tmp_path, monkeypatch):
    loaded = []

    def loads(library: str) -> bool:
        loaded.append(library)
        return "/" in library

    libraries = tmp_path / "nvidia" / "cublas" / "lib"
    libraries.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(device, "_loads", loads)
    assert device.load_cublas()
    # The other one is opened by name, which only finds what is loaded already.
    assert loaded[-2:] == [f"{libraries}/libcublasLt.so.12", f"{libraries}/libcublas.so.12"]


@pytest.mark.parametrize(
    ("supported", "best"),
    [
        ({"float32", "float16", "int8_float16", "int8_float32", "int8"}, "float16"),
        ({"float32", "int8_float32", "int8"}, "int8_float32"),
        ({"float32"}, "float32"),
    ],
)
def test_the_arithmetic_is_the_best_that_the_gpu_has(monkeypatch, supported, best):
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda *where: supported)
    assert compute_type("default", Device("cuda")) == best
    assert compute_type("int8_float16", Device("cuda")) == "int8_float16"
    assert compute_type("default", Device("cpu")) == "int8"


def test_rows_are_those_and_the_whole_is_itself():
    values = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    encoded = storage(values)
    assert select(encoded, [0, 1, 2, 3]) is encoded
    np.testing.assert_array_equal(np.array(select(encoded, [1, 3])), values[[1, 3]])


def test_bfloat16_is_widened_for_the_way_through_numpy():
    values = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    encoded = storage(values).to(ctranslate2.DataType.bfloat16)
    np.testing.assert_array_equal(np.array(select(encoded, [2])), values[[2]])
