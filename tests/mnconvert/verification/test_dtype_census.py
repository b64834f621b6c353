"""In which numbers a file computes, by multiply-adds."""

import numpy as np
import pytest

from mnconvert.verification import Numbers, census
from mnconvert.verification.dtype_census import percent
from mninfer.model_file import Graph, check_model, count_macs
from support.builder import GraphBuilder, quantization
from support.networks import embedder, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke

CONV = {"padding": 0, "stride_w": 1, "stride_h": 1}
OF_INT8 = quantization(0.1, 0)


def convolution(activations: str, weights: np.ndarray, *, is_widened: bool = False) -> Graph:
    """One 1x1 convolution of 4x4 pixels; its weights as given, or copied to float32 first."""
    b = GraphBuilder()
    quant = None if activations == "float32" else OF_INT8
    x, y = b.activation("x", (1, 4, 4, 2), activations, quant), b.activation("y", (1, 4, 4, 3), activations, quant)
    w = b.constant("w", weights, quantization([0.1, 0.1, 0.1]) if weights.dtype == np.int8 else None)
    if is_widened:
        wide = b.activation("wide", weights.shape)
        b.operator("DEQUANTIZE", [w], [wide], "DequantizeOptions", {})
        w = wide
    bias = b.constant("b", np.zeros(3, np.float32 if quant is None else np.int32))
    b.operator("CONV_2D", [x, w, bias], [y], "Conv2DOptions", CONV)
    return check_model(b.build([x], [y]), allow_unlisted_ops=True)


def weights(dtype: type) -> np.ndarray:
    return np.ones((3, 1, 1, 2), dtype)


@pytest.mark.parametrize(
    ("graph", "numbers"),
    [
        (convolution("int8", weights(np.int8)), Numbers.INT8),
        (convolution("float32", weights(np.int8)), Numbers.DYNAMIC),
        (convolution("float32", weights(np.float16), is_widened=True), Numbers.FLOAT16),
        (convolution("float32", weights(np.int8), is_widened=True), Numbers.FLOAT),
        (convolution("float32", weights(np.float32)), Numbers.FLOAT),
    ],
    ids=["int8", "dynamic", "float16 weights", "int8 weights made wide", "float"],
)
def test_each_kind_is_told_apart(graph, numbers):
    found = census(graph)
    assert dict(found.macs) == {numbers: 4 * 4 * 3 * 2}
    assert found.share(numbers) == 1


def test_whole_networks_are_counted_whole():
    for data, numbers in ((shapes_float(), Numbers.FLOAT), (shapes_int8(), Numbers.INT8)):
        graph = check_model(data)
        found = census(graph)
        assert (found.num_macs, found.share(numbers)) == (count_macs(graph), 1)
        assert str(found) == f"100 % of MACs {numbers}"
        assert found.others(numbers) == ()


def mixed() -> Graph:
    """300 MACs in int8, then 100 in float."""
    b = GraphBuilder()
    x, y = b.activation("x", (1, 10), "int8", OF_INT8), b.activation("y", (1, 30), "int8", OF_INT8)
    operands = [x, b.constant("w", np.ones((30, 10), np.int8), OF_INT8), b.constant("b", np.zeros(30, np.int32))]
    b.operator("FULLY_CONNECTED", operands, [y], "FullyConnectedOptions", {})
    real, z = b.activation("real", (1, 30)), b.activation("head", (1, 10))
    b.operator("DEQUANTIZE", [y], [real], "DequantizeOptions", {})
    operands = [real, b.constant("v", np.ones((10, 30), np.float32)), b.constant("c", np.zeros(10, np.float32))]
    b.operator("FULLY_CONNECTED", operands, [z], "FullyConnectedOptions", {})
    return check_model(b.build([x], [z]), allow_unlisted_ops=True)


def test_what_stayed_float_is_named():
    found = census(mixed())
    assert str(found) == "50.0 % of MACs int8, 50.0 % float"
    assert found.share_asked_for(Numbers.INT8) == 0.5
    assert found.name_others(Numbers.INT8) == 'FULLY_CONNECTED "head" (float)'


def test_what_was_asked_to_stay_float_counts_not_against_a_file():
    found = census(mixed(), kept_float=("head",))
    assert (found.share(Numbers.INT8), found.share_asked_for(Numbers.INT8)) == (0.5, 1)
    assert found.name_others(Numbers.INT8) == ""
    assert [operator["is_kept"] for operator in found.to_json()["operators"]] == [False, True]


def test_many_others_are_counted_not_listed():
    text = census(check_model(embedder())).name_others(Numbers.INT8)
    assert text.count("(float)") == 4
    assert text.endswith("more")


def test_a_model_that_multiplies_nothing_is_no_failure():
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    b.operator("RELU", [x], [y])
    found = census(check_model(b.build([x], [y])))
    assert (str(found), found.share(Numbers.INT8)) == ("no multiply-adds", 1)


@pytest.mark.parametrize(("share", "text"), [(1, "100 %"), (0.9999, "99.9 %"), (0.998, "99.8 %"), (0, "0.0 %")])
def test_all_is_said_of_all_alone(share, text):
    assert percent(share) == text
