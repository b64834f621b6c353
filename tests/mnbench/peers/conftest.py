"""Pretended environments, and flatbuffers to be converted."""

from pathlib import Path

import numpy as np
import pytest

from support.network import float_model, initial_network, int8_model
from support.pretended_python import PretendedPython, pretend


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PretendedPython:
    return pretend(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def flatbuffers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with float32.tflite and int8.tflite of one small network, 32 x 32."""
    folder = tmp_path_factory.mktemp("flatbuffers")
    network = tuple(initial_network([(8, 2), (16, 2)], 5, seed=0))
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    (folder / "float32.tflite").write_bytes(float_model(network, (32, 32)))
    (folder / "int8.tflite").write_bytes(int8_model(network, (32, 32), pictures, ends="uint8"))
    return folder
