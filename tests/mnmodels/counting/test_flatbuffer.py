"""Counts of TFLite graphs, made here operator by operator."""

import numpy as np
import pytest

from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model, count_macs, count_parameters, peak_activation_bytes
from mninfer.model_file.graph import Graph
from mnmodels.counting.page import totals
from mnmodels.counting.summarize import summarize
from mnmodels.counting.summary import Kind
from support.builder import GraphBuilder

pytestmark = pytest.mark.smoke


def zeros(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.zeros(shape, np.float32)


def small_graph(*, is_open: bool = False) -> Graph:
    b = GraphBuilder()
    signature = (-1, -1, -1, 3) if is_open else None
    x = b.activation("x", (1, 1, 1, 3) if is_open else (1, 8, 8, 3), signature=signature)
    y = b.activation(
        "conv;relu6", (1, 1, 1, 4) if is_open else (1, 4, 4, 4), signature=(-1, -1, -1, 4) if is_open else None
    )
    operands = [x, b.constant("w", zeros(4, 3, 3, 3)), b.constant("b", zeros(4))]
    b.operator("CONV_2D", operands, [y], "Conv2DOptions", {"padding": 0, "stride_w": 2, "stride_h": 2})
    return check_model(b.build([x], [y]))


def test_rows_and_totals_are_those_of_mninfer() -> None:
    graph = small_graph()
    summary = summarize(graph, name="small")
    (row,) = summary.layers
    assert (row.name, row.kind, row.output_shape) == ("conv", "CONV_2D", (1, 4, 4, 4))
    assert row.macs == summary.macs == count_macs(graph) == 16 * 27 * 4
    assert row.parameters == summary.parameters == count_parameters(graph) == 27 * 4 + 4
    assert summary.peak.size_bytes == peak_activation_bytes(graph) == 4 * (192 + 64)
    assert summary.kind is Kind.TFLITE
    assert summary.trainable is None


def test_a_fixed_batch_is_told_with_the_counts_that_it_multiplies() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (8, 4, 4, 3)), b.activation("y", (8, 4, 4, 2))
    operands = [x, b.constant("w", zeros(2, 1, 1, 3)), b.constant("b", zeros(2))]
    b.operator("CONV_2D", operands, [y], "Conv2DOptions", {"padding": 0, "stride_w": 1, "stride_h": 1})
    summary = summarize(check_model(b.build([x], [y])), name="eight")
    assert summary.macs == 8 * 4 * 4 * 3 * 2
    text = totals(summary)
    assert "eight  (input 8 x 4 x 4 x 3, 1 operators)" in text
    assert "(768), FLOPs 1.536 k, of all 8 pictures of the file's fixed batch" in text


def test_an_open_size_is_asked_for_and_then_counted_in() -> None:
    graph = small_graph(is_open=True)
    with pytest.raises(UnsupportedModelError, match="no fixed size"):
        summarize(graph)
    summary = summarize(graph, input_size=(16, 8))
    assert summary.input_shapes == ((1, 8, 16, 3),)
    assert summary.layers[0].output_shape == (1, 4, 8, 4)
    assert summary.macs == 32 * 27 * 4
    assert summary.peak.size_bytes == 4 * (8 * 16 * 3 + 32 * 4)


def test_an_operator_that_mninfer_does_not_know_is_named() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    b.operator("COS", [x], [y])
    summary = summarize(check_model(b.build([x], [y]), allow_unlisted_ops=True))
    assert [row.kind for row in summary.uncounted] == ["COS"]
