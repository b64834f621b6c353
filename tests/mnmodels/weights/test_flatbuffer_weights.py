from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import UnsupportedModelError
from mnmodels.weights import read_weights
from mnmodels.weights.fitting import FitConfig, fit
from mnmodels.weights.named_arrays import SourceKind
from mnmodels.weights.translate import translate
from support.builder import GraphBuilder, quantization
from support.network import float_model
from support.slim_networks import NAMINGS, Naming, folded_v1, forward_v1, keras_v1, random_v1

pytestmark = pytest.mark.smoke

PICTURES = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
KERAS_3 = Naming(lambda *place: NAMINGS["Keras"].name(*place).replace("depthwise_", ""))


def test_folded_normalizations_become_additions(tmp_path: Path) -> None:
    arrays = random_v1(NAMINGS["slim"])
    path = tmp_path / "v1.tflite"
    path.write_bytes(float_model(folded_v1(arrays, NAMINGS["slim"]), (32, 32)))
    source = read_weights(path)
    assert (source.kind, source.input_shape) == (SourceKind.TFLITE, (32, 32, 3))
    weights, notes = fit(translate(source, keras_v1()), keras_v1(), FitConfig(where="v1.tflite"))
    result = forward_v1(weights, KERAS_3, PICTURES)
    np.testing.assert_allclose(result, forward_v1(arrays, NAMINGS["slim"], PICTURES), atol=2e-5)
    np.testing.assert_array_equal(weights["conv1_bn/gamma"], 1)
    assert notes == ["27 folded normalizations are biases in the file, and add them here"]


def one_convolution(dtype: str) -> bytes:
    """A convolution whose weights are float16 behind a DEQUANTIZE, or rounded to int8; its bias is left out."""
    kernel = np.arange(24, dtype=np.float32).reshape(2, 1, 4, 3)  # out, height, width, in
    b = GraphBuilder()
    x, y = b.activation("input", (1, 1, 4, 3)), b.activation("output", (1, 1, 1, 2))
    if dtype == "float16":
        weights = b.activation("wide", kernel.shape)
        b.operator("DEQUANTIZE", [b.constant("w", kernel.astype(np.float16))], [weights], version=3)
    elif dtype == "int8":
        weights = b.constant("w", kernel.astype(np.int8), quantization(0.5))
    else:
        weights = b.constant("w", kernel)
    options = {"padding": 1, "stride_w": 1, "stride_h": 1}
    b.operator("CONV_2D", [x, weights, b.constant("b", np.zeros(2, np.float32))], [y], "Conv2DOptions", options)
    return b.build([x], [y])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_kernels_come_in_keras_layout(tmp_path: Path, dtype: str) -> None:
    (tmp_path / "m.tflite").write_bytes(one_convolution(dtype))
    arrays = read_weights(tmp_path / "m.tflite").arrays
    kernel = next(array for name, array in arrays.items() if name.endswith("/kernel"))
    assert kernel.shape == (1, 4, 3, 2)
    np.testing.assert_array_equal(kernel[0, 2, 1], [7, 19])


def test_rounded_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(one_convolution("int8"))
    with pytest.raises(UnsupportedModelError, match="1 of its layers have rounded weights") as caught:
        read_weights(tmp_path / "m.tflite")
    assert "the float .tflite" in str(caught.value)
    assert len(caught.value.offenders) == 1
