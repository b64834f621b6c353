"""Multiply-adds, against counts by hand and published ones."""

from pathlib import Path

import numpy as np
import pytest

from mninfer.model_file.check import check_model
from mninfer.model_file.macs import count_macs, macs_by_operator
from support.builder import GraphBuilder

CONV = {"padding": 0, "stride_w": 2, "stride_h": 2}


def zeros(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.zeros(shape, np.float32)


def test_each_kind_of_operator_is_counted_as_by_hand() -> None:
    b = GraphBuilder()
    x = b.activation("x", (1, 8, 8, 4))
    conv, depthwise = b.activation("conv", (1, 4, 4, 6)), b.activation("depthwise", (1, 2, 2, 12))
    up, flat, dense = b.activation("up", (1, 4, 4, 2)), b.activation("flat", (1, 32)), b.activation("dense", (1, 5))
    b.operator(
        "CONV_2D", [x, b.constant("w0", zeros(6, 3, 3, 4)), b.constant("b0", zeros(6))], [conv], "Conv2DOptions", CONV
    )
    options = CONV | {"depth_multiplier": 2}
    operands = [conv, b.constant("w1", zeros(1, 3, 3, 12)), b.constant("b1", zeros(12))]
    b.operator("DEPTHWISE_CONV_2D", operands, [depthwise], "DepthwiseConv2DOptions", options)
    operands = [b.constant("size", np.array([1, 4, 4, 2], np.int32)), b.constant("w2", zeros(2, 3, 3, 12)), depthwise]
    b.operator("TRANSPOSE_CONV", operands, [up], "TransposeConvOptions", CONV)
    b.operator("RESHAPE", [up], [flat], "ReshapeOptions", {"new_shape": (1, 32)})
    b.operator("FULLY_CONNECTED", [flat, b.constant("w3", zeros(5, 32))], [dense], "FullyConnectedOptions", {})
    graph = check_model(b.build([x], [dense]))
    assert macs_by_operator(graph) == (4 * 4 * 6 * 3 * 3 * 4, 2 * 2 * 12 * 9, 2 * 2 * 12 * 9 * 2, 0, 5 * 32)
    assert count_macs(graph) == sum(macs_by_operator(graph))


@pytest.mark.parametrize("adjoint", [False, True])
def test_matrix_products_are_counted(adjoint: bool) -> None:
    b = GraphBuilder()
    x = b.activation("x", (2, 4, 3) if adjoint else (2, 3, 4))
    w, y = b.activation("w", (2, 4, 5)), b.activation("y", (2, 3, 5))
    b.operator("BATCH_MATMUL", [x, w], [y], "BatchMatMulOptions", {"adj_x": adjoint})
    assert count_macs(check_model(b.build([x, w], [y]))) == 2 * 3 * 4 * 5


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("mobilenet_v2_1.0_224_quant", 300.8),
        ("mobilenet_v1_0.25_128_quant", 13.6),
        ("mobilenet_v1_0.25_224_quant_with_metadata", 41.0),
    ],
)
def test_published_counts(shared: Path, name: str, millions: float) -> None:
    data = (shared / "models" / f"{name}.tflite").read_bytes()
    assert count_macs(check_model(data)) / 1e6 == pytest.approx(millions, abs=0.06)


def test_mobilenet_v1_has_569_million() -> None:
    """Howard et al. 2017, table 4: built here layer by layer, as its file is not at hand."""
    b = GraphBuilder()
    size, channels = 112, 32
    first = last = b.activation("x", (1, 224, 224, 3))

    def layer(name: str, weights: tuple[int, ...], output: tuple[int, ...], stride: int, extra: dict[str, int]) -> None:
        nonlocal last
        y = b.activation("y", output)
        options = {"padding": 0, "stride_w": stride, "stride_h": stride} | extra
        kind = "DepthwiseConv2DOptions" if extra else "Conv2DOptions"
        b.operator(
            name, [last, b.constant("w", zeros(*weights)), b.constant("b", zeros(output[-1]))], [y], kind, options
        )
        last = y

    layer("CONV_2D", (32, 3, 3, 3), (1, size, size, 32), 2, {})
    for filters, stride in [
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        *[(512, 1)] * 5,
        (1024, 2),
        (1024, 1),
    ]:
        size //= stride
        layer("DEPTHWISE_CONV_2D", (1, 3, 3, channels), (1, size, size, channels), stride, {"depth_multiplier": 1})
        layer("CONV_2D", (filters, 1, 1, channels), (1, size, size, filters), 1, {})
        channels = filters
    pooled, scores = b.activation("pooled", (1, 1024)), b.activation("scores", (1, 1000))
    b.operator("MEAN", [last, b.constant("axes", np.array([1, 2], np.int32))], [pooled], "ReducerOptions", {})
    b.operator("FULLY_CONNECTED", [pooled, b.constant("w", zeros(1000, 1024))], [scores], "FullyConnectedOptions", {})
    assert round(count_macs(check_model(b.build([first], [scores]))) / 1e6) == 569
