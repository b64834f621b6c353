"""A seeded part of tools/fuzz_keras_files.py; the full run is a result file."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import fuzz_keras_files as fuzz
from keras_files import hdf5_bytes, keras_zip_bytes, weights_hdf5_bytes
from mninfer.errors import KerasFileError
from mnmodels.keras_file import load_keras


@pytest.mark.slow
def test_hostile_files_are_refused_or_load_harmlessly():
    cases = random.Random(3).sample(fuzz.hostile_files(), 60)
    outcomes = [(case.kind, case.name, verdict, detail) for case, verdict, detail in fuzz.run(cases)]
    assert not [outcome for outcome in outcomes if outcome[2] in fuzz.FATAL]
    assert {verdict for _, _, verdict, _ in outcomes} == {"refused", "loaded"}


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_an_array_in_the_place_of_a_layers_weights_is_told(tmp_path: Path, shape: tuple[int, ...]) -> None:
    def change(file: Any) -> None:
        del file["layers/dense/vars"]
        file["layers/dense/vars"] = np.ones(shape, "float32")
        file["layers/dense/vars"].attrs["name"] = "dense"

    path = tmp_path / "model.keras"
    path.write_bytes(keras_zip_bytes(weights=weights_hdf5_bytes(change=change)))
    with pytest.raises(KerasFileError, match='"dense" has 0 weights in the file and 2 in the network'):
        load_keras(path)


def nested(depth: int, calls: int) -> dict[str, Any]:
    """A network that calls one inside so many times, which calls one inside so many times, ..."""
    shape = {"name": "in", "batch_input_shape": [None, 8, 8, 3], "dtype": "float32"}
    inner = {"class_name": "Activation", "config": {"name": "inner", "activation": "relu"}} if depth == 0 else nested(
        depth - 1, calls
    )  # fmt: skip
    nodes = [[["in", 0, 0, {}]], *([["inner", call, 0, {}]] for call in range(calls - 1))]
    layers = [
        {"class_name": "InputLayer", "name": "in", "config": shape, "inbound_nodes": []},
        {**inner, "name": "inner", "inbound_nodes": nodes},
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["inner", calls - 1, 0]]}
    return {"class_name": "Functional", "config": {"name": f"net_{depth}", "layers": layers, **ends}}


def test_networks_in_networks_that_are_called_without_end_are_told(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5_bytes(nested(5, 8), {}))
    with pytest.raises(KerasFileError, match="are called 299,593 times in one run; at most 20,000 are built"):
        load_keras(path)
