"""A flatbuffer's variant, told from its tensors."""

import numpy as np
import pytest

from mnbench.cell import Variant
from mnbench.preparing.form import variant_of
from mninfer.model_file import read_model
from support.builder import GraphBuilder, quantization
from support.networks import shapes_float, shapes_int8

pytestmark = pytest.mark.smoke


def dense(weights: np.dtype | type, activations: str) -> bytes:
    """One fully connected layer."""
    b = GraphBuilder()
    quant = quantization(0.1)
    has_steps = activations != "float32"
    x = b.activation("x", (1, 4), activations, quant if has_steps else None)
    y = b.activation("y", (1, 2), activations, quant if has_steps else None)
    values = np.ones((2, 4), weights)
    constant = b.constant("weights", values, quant if values.dtype == np.int8 else None)
    if values.dtype == np.float16:
        wide = b.activation("wide", (2, 4))
        b.operator("DEQUANTIZE", [constant], [wide], "DequantizeOptions")
        constant = wide
    b.operator("FULLY_CONNECTED", [x, constant], [y], "FullyConnectedOptions")
    return b.build([x], [y])


@pytest.mark.parametrize(
    ("data", "variant"),
    [
        (shapes_float(), Variant.FLOAT32),
        (shapes_int8(), Variant.INT8),
        (dense(np.float16, "float32"), Variant.FP16),
        (dense(np.int8, "float32"), Variant.DYNAMIC),
        (dense(np.int8, "int16"), Variant.INT16X8),
    ],
)
def test_the_variant_is_told_from_weights_and_activations(data: bytes, variant: Variant) -> None:
    assert variant_of(read_model(data, where="a test")) is variant
