"""Parameters, against counts by hand."""

import numpy as np
import pytest

from mninfer.model_file import check_model, count_parameters
from mninfer.model_file.parameters import parameters_by_operator
from support.builder import GraphBuilder

pytestmark = pytest.mark.smoke


def test_weights_and_biases_count_once_and_other_constants_do_not() -> None:
    b = GraphBuilder()
    x, y, z, last = (b.activation(name, (1, 4)) for name in ("x", "y", "z", "last"))
    weights, bias = b.constant("w", np.zeros((4, 4), np.float32)), b.constant("b", np.zeros(4, np.float32))
    b.operator("FULLY_CONNECTED", [x, weights, bias], [y], "FullyConnectedOptions", {})
    b.operator("FULLY_CONNECTED", [y, weights, -1], [z], "FullyConnectedOptions", {})
    b.operator("ADD", [z, b.constant("c", np.ones((1, 4), np.float32))], [last], "AddOptions", {})
    assert count_parameters(check_model(b.build([x], [last]))) == 4 * 4 + 4


def test_weights_stored_as_float16_count() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    stored, weights = b.constant("w", np.zeros((4, 4), np.float16)), b.activation("wide", (4, 4))
    b.operator("DEQUANTIZE", [stored], [weights], "DequantizeOptions", {}, version=2)
    b.operator("FULLY_CONNECTED", [x, weights, -1], [y], "FullyConnectedOptions", {})
    assert count_parameters(check_model(b.build([x], [y]))) == 16


def test_what_operators_share_counts_at_the_first_of_them() -> None:
    b = GraphBuilder()
    x, y, z = (b.activation(name, (1, 4)) for name in "xyz")
    weights = b.constant("w", np.zeros((4, 4), np.float32))
    for source, bias, result in ((x, -1, y), (y, b.constant("b", np.zeros(4, np.float32)), z)):
        b.operator("FULLY_CONNECTED", [source, weights, bias], [result], "FullyConnectedOptions", {})
    graph = check_model(b.build([x], [z]))
    assert parameters_by_operator(graph) == (16, 4)
    assert count_parameters(graph) == 20
