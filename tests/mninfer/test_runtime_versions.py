"""The oldest runtime is the newest of what the operators need."""

from pathlib import Path

import numpy as np
import pytest

from mninfer.model_file.check import check_model
from mninfer.model_file.operators import load_operators
from mninfer.model_file.runtime_versions import oldest_runtime, runtime_by_operator
from support.builder import GraphBuilder, quantization


def graph_of(*operators: tuple[str, int]) -> bytes:
    b = GraphBuilder()
    first = last = b.activation("x", (1, 4))
    for i, (name, version) in enumerate(operators):
        y = b.activation(f"y{i}", (1, 4))
        b.operator(name, [last], [y], version=version)
        last = y
    return b.build([first], [last])


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ([("RELU", 1)], "1.5.0"),
        ([("RELU", 1), ("RELU_0_TO_1", 1)], "2.10.0"),
        ([("RELU_0_TO_1", 1), ("ELU", 1), ("TANH", 3)], "2.10.0"),
        ([("RELU", 1), ("FLOOR", 1)], None),
        ([("RELU", 1), ("RELU", 99)], None),
    ],
)
def test_the_newest_need_counts(operators: list[tuple[str, int]], expected: str | None) -> None:
    assert oldest_runtime(check_model(graph_of(*operators), allow_unlisted_ops=True)) == expected


def test_each_operator_and_version_is_told() -> None:
    graph = check_model(graph_of(("RELU", 1), ("RELU", 2), ("FLOOR", 1)), allow_unlisted_ops=True)
    assert runtime_by_operator(graph) == {("RELU", 1): "1.5.0", ("RELU", 2): "2.1.0", ("FLOOR", 1): None}


@pytest.mark.parametrize(("num_scales", "expected"), [(1, "1.14.0"), (3, "2.14.0")])
def test_integer_dense_with_a_scale_for_each_channel_is_newer_than_its_version(num_scales: int, expected: str) -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4), "int8", quantization(0.5)), b.activation("y", (1, 3), "int8", quantization(0.5))
    weights = b.constant("w", np.ones((3, 4), np.int8), quantization([0.1] * num_scales, 0, 0))
    bias = b.constant("b", np.ones(3, np.int32), quantization([0.05] * num_scales, 0, 0))
    b.operator("FULLY_CONNECTED", [x, weights, bias], [y], "FullyConnectedOptions", version=4)
    graph = check_model(b.build([x], [y]))
    assert oldest_runtime(graph) == expected
    assert runtime_by_operator(graph) == {("FULLY_CONNECTED", 4): expected}


@pytest.mark.parametrize(("dtype", "expected"), [("int8", "1.14.0"), ("int16", "2.4.0")])
def test_int16_activations_need_the_release_that_has_their_kernel(dtype: str, expected: str) -> None:
    """TensorFlow's quantizer writes version 2 of MEAN for both."""
    b = GraphBuilder()
    x = b.activation("x", (1, 2, 2, 3), dtype, quantization(0.5))
    y = b.activation("y", (1, 3), dtype, quantization(0.5))
    axes = b.constant("axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [x, axes], [y], "ReducerOptions", {"keep_dims": False}, version=2)
    assert oldest_runtime(check_model(b.build([x], [y]))) == expected


def test_releases_are_numbers_and_do_not_fall_back_far() -> None:
    for facts in (group for table in load_operators() for group in table.values()):
        for release in facts.runtime:
            assert [part.isdigit() for part in release.split(".")] == [True] * 3


def test_models_of_2018_load_on_the_first_releases(shared: Path) -> None:
    path = shared / "models" / "mobilenet_v1_0.25_128_quant.tflite"
    assert oldest_runtime(check_model(path.read_bytes())) == "1.5.0"
