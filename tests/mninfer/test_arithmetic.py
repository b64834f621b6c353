"""In which numbers a network computes."""

import numpy as np
import pytest

from mninfer.model_file.arithmetic import Arithmetic, arithmetic_of
from mninfer.model_file.read import read_model
from support.builder import GraphBuilder, quantization
from support.networks import red_detector, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke


def dense(*, dequantized: bool) -> bytes:
    """A dense layer with int8 weights, used as they are (dynamic range) or made floats first."""
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 3))
    weights = b.constant("weights", np.ones((3, 4), np.int8), quantization(0.1))
    if dequantized:
        floats = b.activation("floats", (3, 4))
        b.operator("DEQUANTIZE", [weights], [floats], "DequantizeOptions", {}, version=2)
        weights = floats
    b.operator("FULLY_CONNECTED", [x, weights, -1], [y], "FullyConnectedOptions", {}, version=3)
    return b.build([x], [y])


@pytest.mark.parametrize(
    ("model", "arithmetic"),
    [
        (shapes_float(), Arithmetic.FLOAT),
        (red_detector(), Arithmetic.FLOAT),
        (shapes_int8(ends="uint8"), Arithmetic.INTEGER),
        (shapes_int8(ends="int8"), Arithmetic.INTEGER),
        (dense(dequantized=False), Arithmetic.DYNAMIC),
        (dense(dequantized=True), Arithmetic.FLOAT),
    ],
)
def test_arithmetic(model: bytes, arithmetic: Arithmetic) -> None:
    assert arithmetic_of(read_model(model, where="").graph) is arithmetic
