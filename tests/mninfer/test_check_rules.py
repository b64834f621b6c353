"""Each operator's rule: what the kernels can do passes, what they would trip over is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.check import check_model
from mninfer.model_file.graph import Graph
from mninfer.model_file.operators import load_operators
from mninfer.model_file.rules import RULES
from support.builder import GraphBuilder, quantization

CONV = {"padding": 0, "stride_w": 1, "stride_h": 1, "dilation_wfactor": 1, "dilation_hfactor": 1}
POOL = {"padding": 1, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
ENUMS = GraphBuilder().enums["TensorType"]


def ints(*values: Any) -> Any:
    return np.array(values, np.int32)


def floats(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


@dataclass(frozen=True)
class Case:
    """An operator: arrays are constants, tuples are shapes of activations; ``outputs`` are the shapes it must give."""

    name: str
    inputs: Sequence[Any]
    outputs: Sequence[tuple[int, ...]]
    options: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    output_dtype: str = ""

    def build(self, **changes: Any) -> bytes:
        """The model of this one operator, with some of its facts changed."""
        facts = {name: getattr(self, name) for name in ("inputs", "outputs", "dtype", "output_dtype")} | changes
        options = {**self.options, **changes.get("options", {})}
        b = GraphBuilder()
        is_quantized = facts["dtype"] in ("int8", "uint8", "int16")
        quant = quantization(0.5, 0) if is_quantized else None
        activations, operands = [], []
        for i, operand in enumerate(facts["inputs"]):
            if isinstance(operand, tuple):
                activations.append(b.activation(f"x{i}", operand, facts["dtype"], quant))
                operands.append(activations[-1])
            else:
                operands.append(b.constant(f"c{i}", operand))
        dtype = facts["output_dtype"] or facts["dtype"]
        results = [b.activation(f"y{i}", shape, dtype, quant) for i, shape in enumerate(facts["outputs"])]
        b.operator(self.name, operands, results, load_operators()[0][self.name].options, options)
        return b.build(activations, results)


X = (1, 8, 6, 4)
CASES = [
    Case("CONV_2D", [X, floats(5, 3, 3, 4), floats(5)], [(1, 8, 6, 5)], CONV),
    Case("DEPTHWISE_CONV_2D", [X, floats(1, 3, 3, 8), floats(8)], [(1, 8, 6, 8)], CONV | {"depth_multiplier": 2}),
    Case("TRANSPOSE_CONV", [ints(1, 16, 12, 5), floats(5, 3, 3, 4), X], [(1, 16, 12, 5)], CONV_T := {
        "padding": 0, "stride_w": 2, "stride_h": 2}),
    Case("AVERAGE_POOL_2D", [X], [(1, 4, 3, 4)], POOL),
    Case("MAX_POOL_2D", [X], [(1, 4, 3, 4)], POOL),
    Case("FULLY_CONNECTED", [(2, 12), floats(5, 12), floats(5)], [(2, 5)]),
    Case("FULLY_CONNECTED", [(2, 3, 12), floats(5, 12)], [(2, 3, 5)], {"keep_num_dims": True}),
    Case("BATCH_MATMUL", [(2, 3, 4), (1, 5, 4)], [(2, 3, 5)], {"adj_y": True}),
    Case("ADD", [X, floats(4)], [X]),
    Case("SUB", [X, X], [X]),
    Case("MUL", [X, (1, 1, 1, 4)], [X]),
    Case("DIV", [X, floats(1)], [X]),
    Case("MAXIMUM", [X, floats(1)], [X]),
    Case("MINIMUM", [X, floats(1)], [X]),
    Case("POW", [X, floats(1)], [X]),
    Case("SQUARED_DIFFERENCE", [X, X], [X]),
    Case("PRELU", [X, floats(1, 1, 4)], [X]),
    Case("LEAKY_RELU", [X], [X], {"alpha": 0.1}),
    Case("SOFTMAX", [X], [X], {"beta": 1.0}),
    *(
        Case(name, [X], [X])
        for name in ("ABS", "ELU", "EXP", "GELU", "HARD_SWISH", "L2_NORMALIZATION", "LOGISTIC", "LOG_SOFTMAX", "NEG",
                     "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RSQRT", "SQRT", "SQUARE", "TANH")
    ),
    Case("CAST", [X], [X], output_dtype="int32"),
    Case("QUANTIZE", [X], [X], dtype="int8"),
    Case("DEQUANTIZE", [X], [X], dtype="int8", output_dtype="float32"),
    Case("RESHAPE", [X, ints(1, -1, 4)], [(1, 48, 4)], {"new_shape": (1, 48, 4)}),
    Case("RESHAPE", [X], [(192,)], {"new_shape": (192,)}),
    Case("SQUEEZE", [(1, 1, 3)], [(1, 3)], {"squeeze_dims": (1,)}),
    Case("EXPAND_DIMS", [X, np.array(-1, np.int32)], [(*X, 1)]),
    Case("TRANSPOSE", [X, ints(0, 3, 1, 2)], [(1, 4, 8, 6)]),
    Case("TILE", [X, ints(1, 2, 1, 3)], [(1, 16, 6, 12)]),
    Case("CONCATENATION", [X, (1, 8, 6, 2)], [(1, 8, 6, 6)], {"axis": -1}),
    Case("PACK", [(3,), (3,)], [(3, 2)], {"values_count": 2, "axis": 1}),
    Case("UNPACK", [(3, 2)], [(3,), (3,)], {"num": 2, "axis": 1}),
    Case("SHAPE", [X], [(4,)], {"out_type": ENUMS["INT32"]}, output_dtype="int32"),
    Case("PAD", [X, ints([0, 0], [1, 2], [0, 0], [0, 1])], [(1, 11, 6, 5)]),
    Case("PADV2", [X, ints([0, 0], [1, 2], [0, 0], [0, 1]), floats(1)], [(1, 11, 6, 5)]),
    Case("MIRROR_PAD", [X, ints([0, 0], [1, 2], [0, 0], [0, 0])], [(1, 11, 6, 4)], {"mode": 0}),
    Case("SLICE", [X, ints(0, 2, 0, 1), ints(1, 3, -1, 2)], [(1, 3, 6, 2)]),
    Case("STRIDED_SLICE", [X, ints(0, 1, 0, 2), ints(1, 7, 0, 3), ints(1, 2, 1, 1)], [(1, 3, 6)],
         {"end_mask": 4, "shrink_axis_mask": 8}),
    Case("SPLIT", [np.array(3, np.int32), X], [(1, 8, 6, 2)] * 2, {"num_splits": 2}),
    Case("SPLIT_V", [X, ints(1, -1), np.array(3, np.int32)], [(1, 8, 6, 1), (1, 8, 6, 3)], {"num_splits": 2}),
    Case("GATHER", [X, ints(3, 0, 1)], [(1, 8, 6, 3)], {"axis": 3}),
    Case("MEAN", [X, ints(1, 2)], [(1, 4)]),
    Case("SUM", [X, ints(-1)], [(1, 8, 6, 1)], {"keep_dims": True}),
    Case("REDUCE_MAX", [X, ints(1)], [(1, 6, 4)]),
    Case("REDUCE_MIN", [X, ints(1)], [(1, 6, 4)]),
    Case("ARG_MAX", [X, ints(3)], [(1, 8, 6)], {"output_type": ENUMS["INT32"]}, output_dtype="int32"),
    Case("ARG_MIN", [X, ints(3)], [(1, 8, 6)], {"output_type": ENUMS["INT64"]}, output_dtype="int64"),
    Case("RESIZE_BILINEAR", [X, ints(5, 7)], [(1, 5, 7, 4)], {"half_pixel_centers": True}),
    Case("RESIZE_NEAREST_NEIGHBOR", [X, ints(5, 7)], [(1, 5, 7, 4)], {"align_corners": True}),
    Case("SPACE_TO_DEPTH", [X], [(1, 4, 3, 16)], {"block_size": 2}),
    Case("DEPTH_TO_SPACE", [X], [(1, 16, 12, 1)], {"block_size": 2}),
    Case("SPACE_TO_BATCH_ND", [X, ints(2, 2), ints([0, 0], [1, 1])], [(4, 4, 4, 4)]),
    Case("BATCH_TO_SPACE_ND", [(4, 4, 4, 4), ints(2, 2), ints([0, 0], [1, 1])], [(1, 8, 6, 4)]),
]  # fmt: skip
BY_NAME = {case.name: case for case in reversed(CASES)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sound_operators_pass(case: Case) -> None:
    data = case.build(**({"dtype": "float32", "output_dtype": "int8"} if case.name == "QUANTIZE" else {}))
    if case.name == "QUANTIZE":  # its output alone is quantized
        b = GraphBuilder()
        x, y = b.activation("x", X), b.activation("y", X, "int8", quantization(0.5))
        b.operator("QUANTIZE", [x], [y], "QuantizeOptions", {})
        data = b.build([x], [y])
    assert isinstance(check_model(data), Graph)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_another_declared_shape_is_refused(case: Case) -> None:
    if case.name == "QUANTIZE":
        case = BY_NAME["DEQUANTIZE"]
    first = (*case.outputs[0][:-1], case.outputs[0][-1] + 1)
    with pytest.raises(ModelFileError, match="comes out as"):
        check_model(case.build(outputs=[first, *case.outputs[1:]]))


def test_every_listed_operator_has_a_case_and_every_rule_is_used() -> None:
    listed, custom = load_operators()
    assert {case.name for case in CASES} == set(listed)
    assert {facts.rule for facts in (*listed.values(), *custom.values())} == set(RULES)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("CONV_2D", {"options": {"stride_w": 0}}, "stride_w is 0, not 1 to"),
    ("CONV_2D", {"options": {"stride_h": -2}}, "stride_h is -2"),
    ("CONV_2D", {"options": {"dilation_hfactor": 0}}, "dilation_hfactor is 0"),
    ("CONV_2D", {"options": {"dilation_wfactor": 2**30}}, "dilation_wfactor is"),
    ("CONV_2D", {"options": {"padding": 7}}, "padding 7 is neither"),
    ("CONV_2D", {"options": {"padding": 1, "dilation_hfactor": 4}}, "does not fit into 8 pixels"),
    ("CONV_2D", {"inputs": [X, floats(5, 3, 3, 3), floats(5)]}, "takes 3 channels"),
    ("CONV_2D", {"inputs": [X, floats(5, 3, 3, 2), floats(5)]}, "do not divide into 2 groups"),
    ("CONV_2D", {"inputs": [X, floats(5, 3, 3, 4), floats(4)]}, "the bias, .* has 4 values, not 5"),
    ("CONV_2D", {"inputs": [X, floats(5, 3, 12), floats(5)]}, "not 4 dimensions"),
    ("CONV_2D", {"inputs": [X, floats(0, 3, 3, 4), floats(5)]}, "has no elements"),
    ("DEPTHWISE_CONV_2D", {"options": {"depth_multiplier": 3}}, "4 channels and depth multiplier 3"),
    ("DEPTHWISE_CONV_2D", {"options": {"depth_multiplier": 0}}, "depth_multiplier is 0"),
    ("TRANSPOSE_CONV", {"inputs": [ints(1, 99, 12, 5), floats(5, 3, 3, 4), X]}, "does not come from an input of 8 x 6"),
    ("TRANSPOSE_CONV", {"inputs": [ints(2, 16, 12, 5), floats(5, 3, 3, 4), X]}, "for a batch of 1"),
    ("TRANSPOSE_CONV", {"inputs": [ints(1, 16, 12), floats(5, 3, 3, 4), X]}, "has 3 values, not 4"),
    ("AVERAGE_POOL_2D", {"options": {"filter_width": 0}}, "filter_width is 0"),
    ("AVERAGE_POOL_2D", {"options": {"filter_width": 2**31 - 1}}, "filter_width is"),
    ("AVERAGE_POOL_2D", {"options": {"filter_height": 4000, "padding": 0}}, "a window of 4000 x 2 on 8 x 6 pixels"),
    ("MAX_POOL_2D", {"options": {"filter_height": 9}}, "does not fit into 8 pixels"),
    ("FULLY_CONNECTED", {"inputs": [(2, 11), floats(5, 12)]}, "takes 12 values"),
    ("BATCH_MATMUL", {"options": {"adj_x": True}}, "have no product"),
    ("ADD", {"inputs": [X, floats(3)]}, "do not go together"),
    ("DIV", {"inputs": [X, ints(0)], "dtype": "int32"}, "has a 0 or -1"),
    ("PRELU", {"inputs": [(1, 4), floats(8, 6, 4)]}, "do not fit|do not go together"),
    ("SOFTMAX", {"options": {"beta": float("nan")}}, "beta is nan"),
    ("SOFTMAX", {"options": {"beta": -1.0}}, "beta is -1.0, not above 0"),
    ("LEAKY_RELU", {"options": {"alpha": float("inf")}}, "alpha is inf"),
    ("CAST", {"output_dtype": "float64"}, "data types"),
    ("RESHAPE", {"inputs": [X, ints(1, -1, 5)]}, "has 192 values, the new shape"),
    ("RESHAPE", {"inputs": [X, ints(-1, -1, 4)]}, "new shape"),
    ("RESHAPE", {"inputs": [X, ints(1, -48, -4)]}, "new shape"),
    ("RESHAPE", {"inputs": [X, ints(*[1] * 8, 192)]}, "new shape"),
    ("RESHAPE", {"inputs": [X, np.array([[192]], np.int32)]}, "not one-dimensional"),
    ("SQUEEZE", {"options": {"squeeze_dims": (2,)}}, "are not all 1"),
    ("SQUEEZE", {"options": {"squeeze_dims": (5,)}}, "axis 5 of 3 dimensions"),
    ("EXPAND_DIMS", {"inputs": [X, np.array(6, np.int32)]}, "axis 6 of 5"),
    ("TRANSPOSE", {"inputs": [X, ints(0, 3, 1, 1)]}, "is not an order"),
    ("TRANSPOSE", {"inputs": [X, ints(0, 3, 1)]}, "has 3 values, not 4"),
    ("TRANSPOSE", {"inputs": [(), ints()], "outputs": [()]}, "has no dimensions to order"),
    ("TILE", {"inputs": [X, ints(1, 2, 0, 3)]}, "multiples"),
    ("CONCATENATION", {"options": {"axis": 4}}, "axis 4 of 4"),
    ("CONCATENATION", {"inputs": [X, (1, 8, 5, 2)]}, "does not join"),
    ("PACK", {"options": {"values_count": 3}}, "values_count is 3, operands are 2"),
    ("UNPACK", {"options": {"num": 3}}, "num is 3"),
    ("SHAPE", {"options": {"out_type": ENUMS["INT64"]}}, "out_type"),
    ("PAD", {"inputs": [X, ints([0, 0], [1, -2], [0, 0], [0, 1])]}, "are negative"),
    ("PAD", {"inputs": [X, ints([0, 0], [1, 2])]}, "not \\[4, 2\\]"),
    ("MIRROR_PAD", {"inputs": [X, ints([0, 0], [8, 2], [0, 0], [0, 0])]}, "mirrors more than"),
    ("MIRROR_PAD", {"options": {"mode": 2}}, "mode 2"),
    ("SLICE", {"inputs": [X, ints(0, 7, 0, 1), ints(1, 3, -1, 2)]}, "leave shape"),
    ("SLICE", {"inputs": [X, ints(0, -1, 0, 1), ints(1, 3, -1, 2)]}, "leave shape"),
    ("STRIDED_SLICE", {"inputs": [X, ints(0, 1, 0, 9), ints(1, 7, 0, 3), ints(1, 2, 1, 1)]}, "index 9 of 4"),
    ("STRIDED_SLICE", {"inputs": [X, ints(0, 1, 0, 2), ints(1, 7, 0, 3), ints(1, 0, 1, 1)]}, "stride 0"),
    ("STRIDED_SLICE", {"inputs": [X, ints(0, 7, 0, 2), ints(1, 3, 0, 3), ints(1, 2, 1, 1)]}, "nothing is left"),
    ("STRIDED_SLICE", {"options": {"begin_mask": 16}}, "beyond 4"),
    ("SPLIT", {"options": {"num_splits": 3}}, "num_splits 3, 2 outputs"),
    ("SPLIT", {"inputs": [np.array(7, np.int32), X]}, "axis 7"),
    ("SPLIT_V", {"inputs": [X, ints(1, 7), np.array(3, np.int32)]}, "sizes \\[1, 7\\] for 4"),
    ("SPLIT_V", {"inputs": [X, ints(-1, -1), np.array(3, np.int32)]}, "sizes"),
    ("GATHER", {"inputs": [X, ints(3, 0, 4)]}, "indices 0 to 4 of 4"),
    ("GATHER", {"inputs": [X, ints(3, 0, -1)]}, "indices -1 to 3 of 4"),
    ("GATHER", {"options": {"batch_dims": -3}}, "batch_dims -3"),
    ("MEAN", {"inputs": [X, ints(1, 4)]}, "axis 4 of 4"),
    ("MEAN", {"inputs": [X, ints(*[0] * 99)]}, "99 axes"),
    ("MEAN", {"inputs": [X, ints(1, 2, 1, 2, 1)]}, "5 axes of 4 dimensions"),
    ("ARG_MAX", {"inputs": [X, ints(-5)]}, "axis -5 of 4"),
    ("RESIZE_BILINEAR", {"inputs": [X, ints(0, 7)]}, "size 0 x 7"),
    ("RESIZE_BILINEAR", {"options": {"align_corners": True}}, "exclude each other"),
    ("SPACE_TO_DEPTH", {"options": {"block_size": 0}}, "block_size is 0"),
    ("SPACE_TO_DEPTH", {"options": {"block_size": 3}}, "do not divide"),
    ("DEPTH_TO_SPACE", {"options": {"block_size": 4096}}, "do not divide"),
    ("SPACE_TO_BATCH_ND", {"inputs": [X, ints(0, 2), ints([0, 0], [1, 1])]}, "block shape"),
    ("SPACE_TO_BATCH_ND", {"inputs": [X, ints(2, 2), ints([0, 0], [-1, 1])]}, "edges"),
    ("BATCH_TO_SPACE_ND", {"inputs": [(4, 4, 4, 4), ints(2, 2), ints([4, 4], [1, 1])]}, "leave nothing"),
    ("BATCH_TO_SPACE_ND", {"inputs": [(3, 4, 4, 4), ints(2, 2), ints([0, 0], [1, 1])]}, "does not divide"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "expected"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_unsound_operators_are_refused(name: str, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ModelFileError, match=expected) as caught:
        check_model(BY_NAME[name].build(**changes))
    assert f"operator 0 {name}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("FULLY_CONNECTED", {"options": {"weights_format": 1}}, "shuffled"),
        ("STRIDED_SLICE", {"options": {"ellipsis_mask": 1}}, "does not follow"),
        ("STRIDED_SLICE", {"options": {"new_axis_mask": 2}}, "does not follow"),
        ("DIV", {"inputs": [X, X], "dtype": "int32"}, "the divisor, .* is neither constant"),
    ],
)
def test_sound_operators_that_are_not_followed_are_no_damage(name: str, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(UnsupportedModelError, match=expected) as caught:
        check_model(BY_NAME[name].build(**changes))
    assert caught.value.offenders == (f"operator 0 {name}",)
    assert caught.value.hints


def test_parameters_must_be_known() -> None:
    b = GraphBuilder()
    x, shape, y = b.activation("x", (4,)), b.activation("shape", (2,), "int32"), b.activation("y", (2, 2))
    b.operator("RESHAPE", [x, shape], [y], "ReshapeOptions", {"new_shape": (2, 2)})
    with pytest.raises(UnsupportedModelError, match='tensor 1 "shape", is neither constant nor computed from shapes'):
        check_model(b.build([x, shape], [y]))


def test_shapes_computed_from_shapes_are_known() -> None:
    """What converters write for a Reshape layer behind an open batch: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    b = GraphBuilder()
    x = b.activation("x", (1, 2, 3), signature=(-1, 2, 3))
    whole, batch, wanted = (
        b.activation("whole", (3,), "int32"),
        b.activation("batch", (), "int32"),
        b.activation("w", (2,), "int32"),
    )
    y = b.activation("y", (1, 6), signature=(-1, 6))
    b.operator("SHAPE", [x], [whole], "ShapeOptions", {"out_type": ENUMS["INT32"]})
    cut = [b.constant(name, ints(value)) for name, value in (("begin", 0), ("end", 1), ("stride", 1))]
    b.operator("STRIDED_SLICE", [whole, *cut], [batch], "StridedSliceOptions", {"shrink_axis_mask": 1})
    six = b.constant("six", np.array(6, np.int32))
    b.tensors[six]["shape"] = ()
    b.operator("PACK", [batch, six], [wanted], "PackOptions", {"values_count": 2, "axis": 0})
    b.operator("RESHAPE", [x, wanted], [y], "ReshapeOptions", {})
    assert check_model(b.build([x], [y])).operators


def quantized_add(input_scale: float, output_scale: float, dtype: str = "int8") -> bytes:
    b = GraphBuilder()
    x = b.activation("x", (4,), dtype, quantization(input_scale))
    y = b.activation("y", (4,), dtype, quantization(output_scale))
    b.operator("ADD", [x, x], [y], "AddOptions", {})
    return b.build([x], [y])


def test_scales_that_kill_the_kernel_are_refused() -> None:
    """add.cc asserts that its output multiplier is below 1: twice the input's scale over 2^20 times the output's."""
    assert check_model(quantized_add(0.5, 0.25)).operators
    with pytest.raises(ModelFileError, match="the scales 1, 1, 1e-06 of its operands do not go together"):
        check_model(quantized_add(1.0, 1e-6))


def test_quantized_arithmetic_needs_scales() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (4,), "int8"), b.activation("y", (4,), "int8", quantization(0.5))
    b.operator("ADD", [x, x], [y], "AddOptions", {})
    with pytest.raises(ModelFileError, match='tensor 0 "x" is int8 without scale'):
        check_model(b.build([x], [y]))


def test_only_weights_have_a_scale_per_channel() -> None:
    b = GraphBuilder()
    x = b.activation("x", (2,), "int8", quantization([0.5, 0.25], [0, 0]))
    y = b.activation("y", (2,), "int8", quantization(0.5))
    b.operator("ADD", [x, x], [y], "AddOptions", {})
    with pytest.raises(ModelFileError, match="has a scale per channel, which only weights may have"):
        check_model(b.build([x], [y]))


def quantized_convolution(weights_quantization: Any, *, is_constant: bool = True) -> bytes:
    b = GraphBuilder()
    x = b.activation("x", (1, 4, 4, 2), "int8", quantization(0.5))
    zeros = np.zeros((3, 1, 1, 2), np.int8)
    w = (
        b.constant("w", zeros, weights_quantization)
        if is_constant
        else b.activation("w", zeros.shape, "int8", weights_quantization)
    )
    y = b.activation("y", (1, 4, 4, 3), "int8", quantization(0.5))
    b.operator("CONV_2D", [x, w, b.constant("b", np.zeros(3, np.int32))], [y], "Conv2DOptions", CONV)
    return b.build([x] if is_constant else [x, w], [y])


def test_weights_are_quantized_along_their_filters() -> None:
    assert check_model(quantized_convolution(quantization([0.1, 0.2, 0.3], [0, 0, 0]))).operators
    with pytest.raises(ModelFileError, match="has scales along dimension 3, not 0"):
        check_model(quantized_convolution(quantization([0.1, 0.2], [0, 0], dimension=3)))


def test_quantized_weights_must_be_constant() -> None:
    with pytest.raises(ModelFileError, match="quantized weights must be constant"):
        check_model(quantized_convolution(quantization(0.1), is_constant=False))
