"""Every activation can be seen, and seeing changes none of them."""

import numpy as np
import pytest

from mnconvert.calibration import ActivationRunner, real_values, stored_values, visible_activations
from mnconvert.calibration.visible import activation_indices
from mninfer.engines import open_engine
from mninfer.errors import ModelFileError
from mninfer.model_file import Quantization, check_model
from support.builder import GraphBuilder
from support.network import activations, normalize
from support.networks import shapes_float, shapes_int8, shapes_network
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke


def picture(seed: int = 0) -> np.ndarray:
    return shape_pictures(1, seed=seed)[0]


def test_activations_are_what_the_layers_compute():
    tensor = normalize(picture())
    with ActivationRunner(shapes_float()) as runner:
        found = runner.run(tensor)
        names = [tensor.name for tensor in runner.graph.tensors]
    for number, wanted in enumerate(activations(shapes_network(), tensor)):
        np.testing.assert_allclose(found[names.index(f"layer_{number}")], wanted, atol=1e-4)
    assert len(found) == len(check_model(shapes_float()).operators) + 1  # each has one output; the input is one more


@pytest.mark.parametrize("ends", ["uint8", "int8"])
def test_outputs_are_the_same_bits_as_without_looking(ends):
    data = shapes_int8(ends=ends)
    pixels = picture() if ends == "uint8" else (picture().astype(np.int16) - 128).astype(np.int8)
    with ActivationRunner(data) as runner:
        found = runner.run(pixels)[runner.graph.outputs[0]]
    assert np.array_equal(found, open_engine(data).run([pixels])[0])


def test_integers_come_as_the_numbers_they_stand_for():
    data, tensor = shapes_int8(), normalize(picture())
    with ActivationRunner(data) as quantized, ActivationRunner(shapes_float()) as real:
        from_tensor, from_pixels = quantized.run_real(tensor), quantized.run_real(picture())
        wanted = real.run(tensor)[real.graph.outputs[0]]
        last = quantized.graph.outputs[0]
    assert np.abs(from_pixels[last] - wanted).max() < 0.05
    assert np.abs(from_tensor[last] - wanted).max() < 0.05
    assert {array.dtype.name for array in from_tensor.values()} == {"float32"}


def test_visible_twice_equals_once():
    once = visible_activations(shapes_float())
    assert visible_activations(once) == once
    assert len(once) < len(shapes_float()) + 4096


def test_constants_are_no_activations():
    """Weights in float16 are widened by an operator of their own, whose output depends on no picture."""
    b = GraphBuilder()
    x = b.activation("input", (1, 4))
    half = b.constant("weights16", np.eye(4, dtype=np.float16))
    weights = b.activation("weights", (4, 4))
    b.operator("DEQUANTIZE", [half], [weights], "DequantizeOptions", {})
    y = b.activation("output", (1, 4))
    b.operator("FULLY_CONNECTED", [x, weights], [y], "FullyConnectedOptions", {})
    assert activation_indices(check_model(b.build([x], [y]))) == (y,)


def test_a_damaged_file_is_refused():
    with pytest.raises(ModelFileError):
        visible_activations(shapes_float()[:1000])


def test_real_values_by_channel():
    quantization = Quantization((0.5, 2.0), (0, 0), 1)
    assert real_values(np.array([[1, 1], [-2, 3]], np.int8), quantization).tolist() == [[0.5, 2.0], [-1.0, 6.0]]


def test_stored_values_are_the_inverse_and_keep_to_the_dtype():
    quantization, every = Quantization((0.25,), (3,)), np.arange(-128, 128, dtype=np.int8)
    assert np.array_equal(stored_values(real_values(every, quantization), every.dtype, quantization), every)
    assert stored_values(np.array([1e9, -1e9]), every.dtype, quantization).tolist() == [127, -128]
