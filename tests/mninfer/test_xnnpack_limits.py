"""Convolutions that XNNPACK computes wrongly: known before they run, and left to the engine's own kernels."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

import mninfer
from mninfer.engines import open_engine
from mninfer.model_file import check_model, has_idle_padding, misread_by_xnnpack
from mninfer.tensors import TensorSpec
from support.boards import needs_xnnpack
from support.builder import GraphBuilder

CHANNELS = 4
SIZES = [(8, 8), (9, 16), (16, 9), (16, 16), (13, 7)]
FILTERS = [(1, 1), (1, 3), (3, 1), (3, 3), (2, 3), (5, 5)]
STRIDES = [(1, 1), (2, 2), (4, 4), (1, 4), (3, 2)]


def convolution(
    name: str,
    size: tuple[int, int],
    window: tuple[int, int],
    strides: tuple[int, int],
    *,
    is_open: bool = False,
) -> bytes:
    """One convolution, padded where that is needed."""
    random = np.random.default_rng(0)
    b = GraphBuilder()
    source = b.activation("x", (1, *size, CHANNELS), signature=(1, -1, -1, CHANNELS) if is_open else None)
    shape = (CHANNELS, *window, CHANNELS) if name == "CONV_2D" else (1, *window, CHANNELS)
    filters = b.constant("filters", random.normal(size=shape).astype(np.float32))
    bias = b.constant("bias", random.normal(size=CHANNELS).astype(np.float32))
    smaller = tuple(-(-side // stride) for side, stride in zip(size, strides, strict=True))
    result = b.activation("y", (1, *smaller, CHANNELS), signature=(1, -1, -1, CHANNELS) if is_open else None)
    options = {"padding": 0, "stride_h": strides[0], "stride_w": strides[1]}
    kind = "Conv2DOptions"
    if name == "DEPTHWISE_CONV_2D":
        kind, options["depth_multiplier"] = "DepthwiseConv2DOptions", 1
    b.operator(name, [source, filters, bias], [result], kind, options)
    return b.build([source], [result])


def transposed(size: int, window: int, stride: int, output: int, declared: int | None = None) -> bytes:
    """One transposed convolution along the height, with padding; ``declared`` of an output that is left open."""
    b = GraphBuilder()
    shape = b.constant("shape", np.array([1, output, 6, CHANNELS], np.int32))
    weights = np.random.default_rng(0).normal(size=(CHANNELS, window, 1, CHANNELS))
    filters = b.constant("filters", weights.astype(np.float32))
    source = b.activation("x", (1, size, 6, CHANNELS))
    signature = None if declared is None else (1, -1, 6, CHANNELS)
    result = b.activation("y", (1, declared or output, 6, CHANNELS), signature=signature)
    options = {"padding": 0, "stride_h": stride, "stride_w": 1}
    b.operator("TRANSPOSE_CONV", [shape, filters, source], [result], "TransposeConvOptions", options)
    return b.build([source], [result])


def noise(spec: TensorSpec) -> np.ndarray:
    return np.random.default_rng(1).normal(size=spec.shape).astype(np.float32)


@needs_xnnpack
@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_what_is_known_to_be_misread_is_all_that_is(name: str) -> None:
    num_misread = 0
    for size, window, strides in product(SIZES, FILTERS, STRIDES):
        data = convolution(name, size, window, strides)
        quick, plain = (open_engine(data, threads=1, use_xnnpack=uses) for uses in (True, False))
        (found,), (expected,) = (engine.run([noise(engine.inputs[0])]) for engine in (quick, plain))
        is_misread = quick.uses_xnnpack and not np.allclose(found, expected, atol=1e-4)
        assert is_misread == (misread_by_xnnpack(check_model(data)) is not None), (size, window, strides)
        num_misread += is_misread
    assert num_misread > 10


@pytest.mark.parametrize("strides", [(4, 4), (2, 2)])
def test_a_model_is_computed_rightly_whatever_xnnpack_makes_of_it(strides: tuple[int, int]) -> None:
    data = convolution("CONV_2D", (16, 16), (3, 1), strides)
    with mninfer.load(data) as model, mninfer.load(data, use_xnnpack=False) as plain:
        given = noise(model.spec.inputs[0])
        assert np.array_equal(model.run(given)[0], plain.run(given)[0])
        assert "XNNPACK computes it wrongly" in model.file.warnings[-1]


@pytest.mark.parametrize(
    ("case", "is_misread"),
    [
        ((1, 4, 4, 1), True),
        ((1, 3, 3, 1), True),
        ((1, 5, 5, 3), True),
        ((1, 4, 4, 1, 8), True),
        ((1, 4, 4, 4), False),
        ((2, 4, 4, 5), False),
        ((2, 4, 4, 5, 1), False),
    ],
)
def test_less_than_a_stride_of_a_transposed_convolution_is_not_left_to_xnnpack(
    case: tuple[int, ...], is_misread: bool
) -> None:
    """In tflite-runtime 2.14 it was a segmentation fault."""
    data = transposed(*case)
    assert (misread_by_xnnpack(check_model(data)) is not None) == is_misread
    with mninfer.load(data) as model, mninfer.load(data, use_xnnpack=False) as plain:
        given = noise(model.spec.inputs[0])
        assert np.allclose(model.run(given)[0], plain.run(given)[0], atol=1e-4)
        assert not (is_misread and model.engine.uses_xnnpack)


def test_a_size_that_is_stated_decides() -> None:
    data = convolution("CONV_2D", (15, 15), (3, 3), (4, 4), is_open=True)
    assert misread_by_xnnpack(check_model(data)) is None
    with (
        mninfer.load(data, input_size=(16, 16)) as model,
        mninfer.load(data, input_size=(16, 16), use_xnnpack=False) as plain,
    ):
        given = noise(model.spec.inputs[0])
        assert np.array_equal(model.run(given)[0], plain.run(given)[0])


def test_info_says_why_no_delegate_takes_it(cli, tmp_path: Path) -> None:
    path = tmp_path / "strided.tflite"
    path.write_bytes(convolution("CONV_2D", (16, 16), (3, 3), (4, 4)))
    outcome = cli("info", path)
    assert outcome.code == 0
    assert "warning: operator 0 CONV_2D: XNNPACK computes it wrongly" in outcome.err
    assert "no delegate takes any of the 1 operators" in outcome.out


@pytest.mark.parametrize(
    ("size", "strides", "is_idle"), [((16, 16), (4, 4), True), ((16, 8), (4, 1), False), ((16, 16), (1, 1), False)]
)
def test_padding_is_idle_where_it_adds_no_pixel(size: tuple[int, int], strides: tuple[int, int], is_idle: bool) -> None:
    graph = check_model(convolution("CONV_2D", size, (3, 3), strides))
    assert has_idle_padding(graph, graph.operators[0]) == is_idle


def test_what_xnnpack_does_not_get_is_right_in_any_number_of_threads() -> None:
    """LiteRT's own convolution is wrong in two threads where a filter has the picture's size."""
    random = np.random.default_rng(3)
    b = GraphBuilder()
    tensors = [b.activation(name, (1, side, side, CHANNELS)) for name, side in (("x", 16), ("small", 2), ("y", 2))]
    for source, result, window, stride in ((0, 1, 3, 8), (1, 2, 2, 1)):
        filters = b.constant("filters", random.normal(size=(CHANNELS, window, window, CHANNELS)).astype(np.float32))
        bias = b.constant("bias", np.zeros(CHANNELS, np.float32))
        options = {"padding": 0, "stride_h": stride, "stride_w": stride}
        b.operator("CONV_2D", [tensors[source], filters, bias], [tensors[result]], "Conv2DOptions", options)
    data = b.build(tensors[:1], tensors[2:])
    given = random.normal(size=(1, 16, 16, CHANNELS)).astype(np.float32)
    (expected,) = open_engine(data, threads=1, use_xnnpack=False).run([given])
    with mninfer.load(data, threads=2) as model:
        assert np.allclose(model.run(given)[0], expected, atol=1e-5)
