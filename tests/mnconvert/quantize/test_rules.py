"""Each rule against what an engine makes of Gaussian inputs: the moments of every channel, and the range."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import mninfer
from mnconvert.quantize.flow import flow
from mnconvert.quantize.state import State
from mninfer.model_file import check_model
from support.builder import GraphBuilder

pytestmark = pytest.mark.smoke

SIDE, CHANNELS = 48, 4
MEAN, STD = np.array([0.0, 1.5, -2.0, 4.0]), np.array([1.0, 0.5, 1.5, 2.0])
RNG = np.random.default_rng(5)
KERNEL = RNG.normal(0, 0.5, (6, 3, 3, CHANNELS)).astype(np.float32)
DEPTH = RNG.normal(0, 0.5, (1, 3, 3, CHANNELS)).astype(np.float32)
ROW = RNG.normal(0, 0.5, (CHANNELS,)).astype(np.float32)
PLAIN = {"padding": 1, "stride_w": 1, "stride_h": 1, "dilation_wfactor": 1, "dilation_hfactor": 1}
POOL = {"padding": 0, "stride_w": 1, "stride_h": 1, "filter_width": 1, "filter_height": 1}


def one_operator(
    name: str,
    constants: Mapping[str, np.ndarray],
    shape: tuple[int, ...],
    options_type: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    before: bool = False,
) -> bytes:
    b = GraphBuilder()
    x = b.activation("x", (1, SIDE, SIDE, CHANNELS))
    y = b.activation("y", shape)
    operands = [b.constant(key, value) for key, value in constants.items()]
    b.operator(name, [*operands, x] if before else [x, *operands], [y], options_type, options)
    return b.build([x], [y])


SAME = (1, SIDE, SIDE, CHANNELS)
INNER = (1, SIDE - 2, SIDE - 2)
CASES: dict[str, Callable[[], bytes]] = {
    name: (lambda name=name: one_operator(name, {}, SAME))
    for name in ("RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH", "ABS", "SQUARE", "NEG", "ELU", "EXP")
}
CASES |= {
    "HARD_SWISH": lambda: one_operator("HARD_SWISH", {}, SAME, "HardSwishOptions"),
    "LEAKY_RELU": lambda: one_operator("LEAKY_RELU", {}, SAME, "LeakyReluOptions", {"alpha": 0.25}),
    "PRELU": lambda: one_operator("PRELU", {"alpha": ROW[None, None]}, SAME),
    "ADD, a constant": lambda: one_operator("ADD", {"c": ROW}, SAME, "AddOptions"),
    "ADD, then RELU6": lambda: one_operator("ADD", {"c": ROW}, SAME, "AddOptions", {"fused_activation_function": 3}),
    "MUL, a constant": lambda: one_operator("MUL", {"c": ROW}, SAME, "MulOptions"),
    "SUB, from a constant": lambda: one_operator("SUB", {"c": ROW}, SAME, "SubOptions", before=True),
    "DIV, by a constant": lambda: one_operator("DIV", {"c": np.abs(ROW) + 1}, SAME, "DivOptions"),
    "CONV_2D": lambda: one_operator(
        "CONV_2D", {"w": KERNEL, "b": np.arange(6, dtype=np.float32)}, (*INNER, 6), "Conv2DOptions", PLAIN
    ),
    "CONV_2D, two groups": lambda: one_operator(
        "CONV_2D", {"w": KERNEL[..., :2], "b": np.zeros(6, np.float32)}, (*INNER, 6), "Conv2DOptions", PLAIN
    ),
    "DEPTHWISE_CONV_2D": lambda: one_operator(
        "DEPTHWISE_CONV_2D",
        {"w": DEPTH, "b": ROW},
        (*INNER, CHANNELS),
        "DepthwiseConv2DOptions",
        PLAIN | {"depth_multiplier": 1},
    ),
    "AVERAGE_POOL_2D": lambda: one_operator("AVERAGE_POOL_2D", {}, SAME, "Pool2DOptions", POOL),
    "PAD, places": lambda: one_operator(
        "PAD", {"p": np.array([[0, 0], [0, 0], [0, 0], [0, 0]], np.int32)}, SAME, "PadOptions"
    ),
    "TRANSPOSE": lambda: one_operator("TRANSPOSE", {"p": np.array([0, 2, 1, 3], np.int32)}, SAME, "TransposeOptions"),
    "RESHAPE, places joined": lambda: one_operator(
        "RESHAPE", {"s": np.array([1, SIDE * SIDE, CHANNELS], np.int32)}, (1, SIDE * SIDE, CHANNELS), "ReshapeOptions"
    ),
    "GATHER": lambda: one_operator(
        "GATHER", {"i": np.array([2, 0, 0], np.int32)}, (1, SIDE, SIDE, 3), "GatherOptions", {"axis": 3}
    ),
    "STRIDED_SLICE": lambda: one_operator(
        "STRIDED_SLICE",
        {key: np.array(v, np.int32) for key, v in (("b", [0, 0, 0, 1]), ("e", [0, 0, 0, 3]), ("s", [1, 1, 1, 1]))},
        (1, SIDE, SIDE, 2),
        "StridedSliceOptions",
        {"begin_mask": 7, "end_mask": 7},
    ),
    "SLICE": lambda: one_operator(
        "SLICE",
        {"b": np.array([0, 0, 0, 1], np.int32), "s": np.array([1, SIDE, SIDE, 2], np.int32)},
        (1, SIDE, SIDE, 2),
        "SliceOptions",
    ),
}


def believed(data: bytes) -> State:
    graph = check_model(data)
    shape = (1, 1, 1, CHANNELS)
    return flow(graph, {}, State.gaussian(MEAN.reshape(shape), STD.reshape(shape)))[graph.outputs[0]]


def computed(data: bytes) -> np.ndarray:
    x = RNG.normal(MEAN, STD, (1, SIDE, SIDE, CHANNELS)).astype(np.float32)
    with mninfer.load(data, preprocess="raw") as model:
        output = model.run([x])[0]
    return np.asarray(output, np.float64).reshape(-1, output.shape[-1])


@pytest.mark.parametrize("name", CASES)
def test_moments_and_range_are_what_an_engine_computes(name: str) -> None:
    data = CASES[name]()
    state, values = believed(data), computed(data)
    spread = np.maximum(values.std(0), 0.05)
    mean, std = (np.broadcast_to(each.ravel(), values.shape[1:]) for each in (state.mean, state.std))
    error = spread / np.sqrt(len(values))
    assert np.abs(mean - values.mean(0)).max() < 0.03 * spread.max() + 6 * error.max()
    if not name.startswith(("CONV_2D", "DEPTHWISE", "EXP")):  # neighbours that are all alike are a worse case than here
        np.testing.assert_allclose(std, values.std(0), rtol=0.1, atol=0.02)
    assert (std * 1.1 + 0.02 >= values.std(0) * (name != "EXP")).all()
    assert (state.low.ravel() <= values.min(0) + 0.1 * spread).all()  # to the grid
    assert (state.high.ravel() >= values.max(0) - 0.1 * spread).all() or name == "EXP"


def test_a_product_of_two_functions_of_one_tensor_is_exact() -> None:
    b = GraphBuilder()
    x, gate, y = (b.activation(name, SAME) for name in ("x", "gate", "y"))
    b.operator("LOGISTIC", [x], [gate])
    b.operator("MUL", [x, gate], [y], "MulOptions")
    data = b.build([x], [y])
    state, values = believed(data), computed(data)
    np.testing.assert_allclose(state.mean.ravel(), values.mean(0), atol=0.15)
    assert state.low.min() > -0.3  # swish goes to -0.278: independent factors would go to -11


def test_a_gate_from_pooling_multiplies_as_if_independent() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", SAME), b.activation("y", SAME)
    pooled, gate = b.activation("pooled", (1, 1, 1, CHANNELS)), b.activation("gate", (1, 1, 1, CHANNELS))
    b.operator(
        "MEAN", [x, b.constant("axes", np.array([1, 2], np.int32))], [pooled], "ReducerOptions", {"keep_dims": 1}
    )
    b.operator("LOGISTIC", [pooled], [gate])
    b.operator("MUL", [x, gate], [y], "MulOptions")
    state = believed(b.build([x], [y]))
    assert state.values.shape[:-1] == (1, 1, 1, CHANNELS)
    assert (state.low.ravel() < 0.5 * MEAN - 1.5 * STD).all()


def test_branches_join_by_channels_and_by_sums() -> None:
    b = GraphBuilder()
    x, bent = b.activation("x", SAME), b.activation("bent", SAME)
    joined, y = b.activation("joined", (1, SIDE, SIDE, 2 * CHANNELS)), b.activation("y", (1, SIDE, SIDE, 2 * CHANNELS))
    b.operator("RELU6", [x], [bent])
    b.operator("CONCATENATION", [x, bent], [joined], "ConcatenationOptions", {"axis": 3})
    b.operator("ADD", [joined, joined], [y], "AddOptions")
    data = b.build([x], [y])
    state, values = believed(data), computed(data)
    np.testing.assert_allclose(state.mean.ravel(), values.mean(0), atol=0.2)
    np.testing.assert_allclose(state.std.ravel(), values.std(0), rtol=0.1, atol=0.1)


def test_flattening_repeats_the_channels_of_each_place() -> None:
    data = one_operator("RESHAPE", {"s": np.array([1, -1], np.int32)}, (1, SIDE * SIDE * CHANNELS), "ReshapeOptions")
    state = believed(data)
    np.testing.assert_allclose(state.mean.reshape(-1, CHANNELS)[7], MEAN, atol=1e-9)


@pytest.mark.parametrize(("num_classes", "num_directions"), [(1, 10), (2, 5), (10, 1), (20, 1)])
def test_a_head_for_few_classes_does_not_take_all_that_its_features_vary_by(
    num_classes: int, num_directions: int
) -> None:
    """Weights of one length at right angles: the features' variance is shared out among at least ten directions."""
    num_in = 40
    b = GraphBuilder()
    x, y = b.activation("x", (1, num_in)), b.activation("y", (1, num_classes))
    weights = b.constant("w", np.eye(num_classes, num_in, dtype=np.float32))
    b.operator("FULLY_CONNECTED", [x, weights, -1], [y], "FullyConnectedOptions")
    first = State.gaussian(np.zeros((1, num_in)), np.ones((1, num_in)))
    found = flow(check_model(b.build([x], [y])), {}, first)[y]
    np.testing.assert_allclose(found.std**2, num_in / num_classes / num_directions, rtol=1e-3)


def decoder(name: str) -> bytes:
    """Of each place a value of its own, as behind a Dense whose output is made a picture again."""
    b = GraphBuilder()
    x, picture = b.activation("x", (1, 64)), b.activation("picture", (1, 4, 4, CHANNELS))
    b.operator("RESHAPE", [x, b.constant("s", np.array([1, 4, 4, CHANNELS], np.int32))], [picture], "ReshapeOptions")
    flat = KERNEL[:, 0, 0]
    if name == "CONV_2D":
        y = b.activation("y", (1, 2, 2, 6))
        b.operator(
            name,
            [picture, b.constant("w", KERNEL), b.constant("b", np.zeros(6, np.float32))],
            [y],
            "Conv2DOptions",
            PLAIN,
        )
    elif name == "DEPTHWISE_CONV_2D":
        y = b.activation("y", (1, 2, 2, CHANNELS))
        options = PLAIN | {"depth_multiplier": 1}
        b.operator(
            name, [picture, b.constant("w", DEPTH), b.constant("b", ROW)], [y], "DepthwiseConv2DOptions", options
        )
    elif name == "TRANSPOSE_CONV":
        y = b.activation("y", (1, 8, 8, 6))
        size = b.constant("size", np.array([1, 8, 8, 6], np.int32))
        options = {"padding": 0, "stride_w": 2, "stride_h": 2}
        b.operator(name, [size, b.constant("w", KERNEL), picture], [y], "TransposeConvOptions", options)
    else:
        y = b.activation("y", (1, 4, 4, 6))
        operands = [picture, b.constant("w", flat), b.constant("b", np.zeros(6, np.float32))]
        b.operator(name, operands, [y], "FullyConnectedOptions", {"keep_num_dims": True})
    return b.build([x], [y])


@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"])
def test_what_differs_from_place_to_place_counts_for_its_channel(name: str) -> None:
    """It was a traceback: of 64 values no 4 channels could be made."""
    data = decoder(name)
    graph = check_model(data)
    mean, std = RNG.normal(0, 2, (1, 64)), RNG.uniform(0.5, 2, (1, 64))
    state = flow(graph, {}, State.gaussian(mean, std))[graph.outputs[0]]
    assert state.mean.shape == (1, 1, 1, graph.tensors[graph.outputs[0]].shape[3])
    with mninfer.load(data, preprocess="raw") as model:
        values = np.concatenate([model.run([RNG.normal(mean, std).astype(np.float32)])[0] for _ in range(200)])
    rows = values.reshape(-1, values.shape[-1])
    if name == "TRANSPOSE_CONV":  # its places are not told apart, which costs more here than on a feature map
        return
    assert (state.low.ravel() <= rows.min(0)).all()
    assert (state.high.ravel() >= rows.max(0)).all()
