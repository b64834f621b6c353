"""Ranges, sharing, plans and what is written over a skeleton, on a small network that was trained to name shapes."""

import numpy as np
import pytest

import mninfer
from mnconvert.quantize.align import align
from mnconvert.quantize.decide import Known, decide
from mnconvert.quantize.flow import natural_input
from mnconvert.quantize.overwrite import overwrite
from mnconvert.quantize.plan import Moments, RangeSource, Seen
from mnconvert.quantize.ranges import find_ranges
from mnconvert.quantize.recipe import Recipe
from mnconvert.quantize.sharing import shared_scales
from mnconvert.quantize.state import State
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model
from support.builder import GraphBuilder, quantization
from support.networks import CLASSES, shapes_float, shapes_int8
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

INCEPTION = ((127.5,) * 3, (127.5,) * 3)


def known(**more) -> Known:
    return Known(**{"norms": {}, "first": natural_input(*INCEPTION, "rgb", 3), "input_range": (-1.0, 1.0), **more})


def test_a_network_is_as_right_as_before() -> None:
    """Without BatchNorm and without data, from photographs' moments alone."""
    graph = check_model(shapes_float())
    plan = decide(graph, known(pixel_scale=(1 / 127.5, 0), pixel_offset=0.5 / 127.5), Recipe())
    data = overwrite(shapes_int8(ends="int8"), graph, plan)
    pictures, classes = shape_pictures(200, seed=9)
    hits = []
    for flatbuffer in (shapes_float(), data):
        with mninfer.load(flatbuffer, preprocess="inception") as model:
            hits.append(
                [model.classify(picture)[0].index == truth for picture, truth in zip(pictures, classes, strict=True)]
            )
    before, after = np.mean(hits, axis=1)
    assert before > 0.9
    assert after > before - 0.05


def test_the_same_plan_twice_is_the_same_file() -> None:
    graph = check_model(shapes_float())
    files = {overwrite(shapes_int8(ends="int8"), graph, decide(graph, known(), Recipe())) for _ in range(2)}
    assert len(files) == 1


def test_writing_over_it_twice_is_once() -> None:
    graph = check_model(shapes_float())
    plan = decide(graph, known(), Recipe())
    once = overwrite(shapes_int8(ends="int8"), graph, plan)
    assert overwrite(once, graph, plan) == once


def test_uint8_ends_are_the_same_scale_128_up() -> None:
    graph = check_model(shapes_float())
    plan = decide(graph, known(pixel_scale=(1 / 127.5, 0)), Recipe())
    tensors = check_model(overwrite(shapes_int8(ends="uint8"), graph, plan))
    first = tensors.tensors[tensors.inputs[0]]
    assert first.dtype == "uint8"
    assert (first.quantization.scales, first.quantization.zero_points) == ((np.float32(1 / 127.5),), (128,))


def test_every_weight_and_bias_is_the_plans() -> None:
    graph = check_model(shapes_float())
    plan = decide(graph, known(), Recipe())
    written = check_model(overwrite(shapes_int8(ends="int8"), graph, plan))
    found = {bytes(tensor.data) for tensor in written.tensors if tensor.data is not None}
    assert plan.weights
    for weight in plan.weights:
        assert weight.values.tobytes() in found
        assert weight.bias is not None
        assert weight.bias.tobytes() in found


def test_a_skeleton_of_another_network_is_refused() -> None:
    graph = check_model(shapes_float(softmax=False))
    with pytest.raises(UnsupportedModelError, match="differs from its float file at operator"):
        align(check_model(shapes_int8(ends="int8")), graph)


def test_batch_norms_statistics_rule_where_it_ends() -> None:
    graph = check_model(shapes_float())
    operator = graph.operators[0]
    index, channels = operator.outputs[0], graph.tensors[operator.outputs[0]].shape[-1]
    norms = {index: Moments(np.linspace(0, 1, channels), np.full(channels, 0.5))}
    tensor = next(t for t in decide(graph, known(norms=norms), Recipe()).tensors if t.index == index)
    assert tensor.source is RangeSource.BATCH_NORM
    assert tensor.high == pytest.approx(1 + 6 * 0.5)
    narrow = next(t for t in decide(graph, known(norms=norms), Recipe(sigmas=4)).tensors if t.index == index)
    assert narrow.high == pytest.approx(1 + 4 * 0.5, abs=0.05)


def test_what_pictures_showed_stands_for_what_flowed_and_for_missing_rules() -> None:
    b = GraphBuilder()
    x, a, y = (b.activation(name, (1, 4, 4, 2)) for name in ("x", "a", "y"))
    b.operator("RSQRT", [x], [a])
    b.operator("RELU", [a], [y])
    graph = check_model(b.build([x], [y]))
    first = State.gaussian(np.zeros((1, 1, 1, 2)), np.ones((1, 1, 1, 2)))
    seen = {a: Seen(-1.0, 3.0, Moments(np.ones(2), np.ones(2)))}
    plan = decide(graph, known(first=first, seen=seen), Recipe())
    by_name = {tensor.name: tensor for tensor in plan.tensors}
    assert by_name["a"].source is RangeSource.PICTURES
    assert (by_name["a"].low, by_name["a"].high) == (-1.0, 3.0)
    assert by_name["y"].source is RangeSource.MOMENTS
    assert (by_name["y"].low, by_name["y"].high) == (0.0, 3.0)


def test_operators_that_pass_numbers_on_share_a_scale() -> None:
    b = GraphBuilder()
    x, a, c, y = (b.activation(name, (1, 4, 4, 2)) for name in ("x", "a", "c", "y"))
    joined = b.activation("joined", (1, 4, 4, 4))
    pool = {"padding": 0, "stride_w": 1, "stride_h": 1, "filter_width": 1, "filter_height": 1}
    b.operator("RELU", [x], [a])
    b.operator("MAX_POOL_2D", [a], [c], "Pool2DOptions", pool)
    b.operator("NEG", [x], [y])
    b.operator("CONCATENATION", [c, y], [joined], "ConcatenationOptions", {"axis": 3})
    graph = check_model(b.build([x], [joined]))
    roots = shared_scales(graph)
    assert roots[a] == roots[c] == roots[y] == roots[joined] == a
    assert roots[x] == x
    first = State.gaussian(np.zeros((1, 1, 1, 2)), np.ones((1, 1, 1, 2)))
    states = {x: first, a: first, c: first, y: first, joined: first}
    ranges = find_ranges(graph, states, {}, {}, (-1.0, 1.0))
    assert {(ranges[i].low, ranges[i].high) for i in (a, c, y, joined)} == {(-6.0, 6.0)}
    assert (ranges[x].low, ranges[x].high, ranges[x].source) == (-1.0, 1.0, RangeSource.INPUT)


def test_pixels_padded_stay_pixels() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4, 4, 3)), b.activation("y", (1, 6, 6, 3))
    b.operator("PAD", [x, b.constant("p", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))], [y], "PadOptions")
    graph = check_model(b.build([x], [y]))
    plan = decide(graph, known(pixel_scale=(1 / 127.5, 0)), Recipe())
    assert {(tensor.scale, tensor.zero_point) for tensor in plan.tensors} == {(1 / 127.5, 0)}


def test_number_of_classes_is_the_networks() -> None:
    assert len(CLASSES) == check_model(shapes_float()).tensors[check_model(shapes_float()).outputs[0]].shape[-1]


def least_of(dtype: str = "float32") -> bytes:
    """x, and y = MINIMUM(MAXIMUM(x, 0.5), 4): both constants in one buffer's file, as ReLU(4) becomes."""

    def numbers(scale: float) -> dict | None:
        return None if dtype == "float32" else quantization(scale)

    b = GraphBuilder()
    x, a, y = (b.activation(name, (1, 4, 4, 2), dtype, numbers(0.125)) for name in ("x", "a", "y"))
    least, most = (
        b.constant(name, np.array(value if dtype == "float32" else value / 0.125, dtype), numbers(0.125))
        for name, value in (("least", 0.5), ("most", 4.0))
    )
    b.operator("MAXIMUM", [x, least], [a], "MaximumMinimumOptions")
    b.operator("MINIMUM", [a, most], [y], "MaximumMinimumOptions")
    return b.build([x], [y])


def test_constants_that_are_compared_get_the_scale_of_what_they_are_compared_with() -> None:
    original = check_model(least_of())
    first = State.gaussian(np.zeros((1, 1, 1, 2)), np.full((1, 1, 1, 2), 2.0))
    plan = decide(original, known(first=first, input_range=(-12.0, 12.0)), Recipe())
    written = check_model(overwrite(least_of("int8"), original, plan))
    by_name = {tensor.name: tensor for tensor in written.tensors}
    for name, value in (("least", 0.5), ("most", 4.0)):
        found = by_name[name]
        assert found.quantization == by_name["y"].quantization
        (step,) = np.frombuffer(found.data, np.int8)
        real = (step - found.quantization.zero_points[0]) * found.quantization.scales[0]
        assert real == pytest.approx(value, abs=found.quantization.scales[0])
