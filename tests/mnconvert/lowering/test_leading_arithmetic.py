"""Arithmetic with which a network begins, read as mean and std as layers are, and taken out: the same outputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")

from mnconvert.lowering.leading_layers import find_leading_layers  # noqa: E402
from mnconvert.lowering.prepare import prepare  # noqa: E402

layers, ops = keras.layers, keras.ops


def network(written: Callable[[Any], Any]) -> Any:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, layers.Conv2D(4, 3)(written(inputs)))


@pytest.mark.parametrize(
    ("written", "mean", "std", "num_taken"),
    [
        (lambda x: x / 127.5 - 1.0, 127.5, 127.5, 2),
        (lambda x: layers.Rescaling(1 / 127.5)(x) - 1.0, 127.5, 127.5, 2),
        (lambda x: ops.cast(x, "float32") * (1 / 255), 0.0, 255.0, 2),
        (lambda x: ops.divide(ops.add(x, -127.5), 127.5), 127.5, 127.5, 2),
        (lambda x: ops.multiply(x1=1 / 255, x2=x), 0.0, 255.0, 1),
        (lambda x: 1.0 - x / 255, 0.0, 255.0, 1),  # no preprocessing of ours turns a picture's values round
        (lambda x: ops.square(x), 0.0, 1.0, 0),
        (lambda x: x[..., ::-1] / 255, 0.0, 1.0, 0),
    ],
)
def test_what_normalizes_is_taken_out_and_the_outputs_stay(
    written: Any, mean: float, std: float, num_taken: int
) -> None:
    model = network(written)
    leading = find_leading_layers(model)
    assert len(leading.names) == num_taken
    assert np.allclose((leading.mean, leading.std), ([mean] * 3, [std] * 3))
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype(np.float32)
    prepared = prepare(model, leading, batch=1, size=None, scores=None)
    normalized = ((pixels - leading.mean) / leading.std).astype(np.float32)
    assert np.allclose(np.asarray(prepared.network(normalized)), np.asarray(model(pixels)), atol=1e-3)


def test_each_channel_has_its_own() -> None:
    leading = find_leading_layers(network(lambda x: (x - np.array([120.0, 110.0, 100.0], "float32")) / 58.0))
    assert (leading.mean, leading.std) == ((120.0, 110.0, 100.0), (58.0, 58.0, 58.0))


def test_operations_behind_the_first_layer_are_the_networks_own() -> None:
    leading = find_leading_layers(network(lambda x: layers.Conv2D(3, 1)(x) / 255))
    assert leading.is_idle
    assert not leading.names
