"""Operators kept float in an int8 file: what runs in float then, and that nothing else changes."""

import numpy as np
import pytest

from mnconvert.passes.keep_float import keep_float, kept_tensors
from mninfer.engines import open_engine
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, check_model
from support.builder import GraphBuilder, quantization
from support.networks import embedder, shapes_float, shapes_int8
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

ALL = range(len(check_model(shapes_float()).operators))


def pictures(count: int) -> list[np.ndarray]:
    """Each in a batch of its own."""
    return [picture[None] for picture in shape_pictures(count, seed=5)[0]]


def real_output(data: bytes, picture: np.ndarray) -> np.ndarray:
    """What a file makes of a uint8 picture, in real numbers."""
    engine = open_engine(data)
    dtype = engine.inputs[0].dtype
    given = {
        "uint8": picture,
        "int8": (picture.astype(np.int16) - 128).astype(np.int8),
        "float32": ((picture - 127.5) / 127.5).astype(np.float32),
    }[dtype]
    (output,) = engine.run([given])
    spec = engine.outputs[0]
    if spec.quantization is None:
        return output
    return (output.astype(np.float64) - spec.quantization.zero_points[0]) * spec.quantization.scales[0]


def computing(graph: Graph) -> list[tuple[str, str]]:
    """Name and output's dtype of each operator but for the rescaling ones."""
    operators = [each for each in graph.operators if each.name not in ("QUANTIZE", "DEQUANTIZE")]
    return [(each.name, graph.tensors[each.outputs[0]].dtype) for each in operators]


def rescaling(graph: Graph) -> list[str]:
    return [operator.name for operator in graph.operators if operator.name in ("QUANTIZE", "DEQUANTIZE")]


@pytest.mark.parametrize("ends", ["uint8", "int8"])
@pytest.mark.parametrize("kept", [[0], [1], [len(ALL) - 1], [0, 1], [1, 3], list(ALL)[:-1]], ids=str)
def test_the_kept_operators_and_no_others_are_float(kept, ends):
    graph = check_model(keep_float(shapes_int8(ends=ends), shapes_float(), kept))
    before = computing(check_model(shapes_int8(ends=ends)))
    assert computing(graph) == [
        (name, "float32" if index in kept else dtype) for index, (name, dtype) in enumerate(before)
    ]
    assert [graph.tensors[index].dtype for index in (*graph.inputs, *graph.outputs)] == [ends, ends]


def test_all_kept_is_the_float_network():
    offset = {0: 0.5 / 127.5}
    kept = keep_float(shapes_int8(), shapes_float(), ALL, offsets=offset)
    for picture in pictures(4):
        wanted, found = (real_output(data, picture) for data in (shapes_float(), kept))
        assert np.abs(wanted - found).max() < 1.01 / 256  # stored in steps of 1/256, the last of them 255/256


def test_neighbours_are_joined_directly():
    graph = check_model(keep_float(shapes_int8(ends="int8"), shapes_float(), [1, 2, 3]))
    assert rescaling(graph) == ["DEQUANTIZE", "QUANTIZE"]


def test_nothing_kept_changes_nothing():
    assert keep_float(shapes_int8(), shapes_float(), []) == shapes_int8()


@pytest.mark.parametrize("kept", [[0], [1, 2], [len(ALL) - 1], list(ALL)], ids=str)
def test_twice_is_once(kept):
    once = keep_float(shapes_int8(), shapes_float(), kept)
    assert keep_float(once, shapes_float(), kept) == once


def test_one_after_the_other_is_both_at_once():
    apart = keep_float(keep_float(shapes_int8(), shapes_float(), [1]), shapes_float(), [2])
    picture = pictures(1)[0]
    together = keep_float(shapes_int8(), shapes_float(), [1, 2])
    assert computing(check_model(apart)) == computing(check_model(together))
    assert rescaling(check_model(apart)) == rescaling(check_model(together))
    assert np.array_equal(real_output(apart, picture), real_output(together, picture))


def test_the_weights_that_nothing_reads_are_gone():
    data = keep_float(shapes_int8(), shapes_float(), ALL)
    graph = check_model(data)
    assert not [tensor.name for tensor in graph.tensors if tensor.dtype == "int8" and tensor.data is not None]
    assert len(data) < len(shapes_float()) + 2000


def test_an_offset_of_the_pixels_goes_into_the_first_bias():
    plain, shifted = (keep_float(shapes_int8(), shapes_float(), [0], offsets=offsets) for offsets in ({}, {0: 0.25}))
    graphs = [check_model(data) for data in (plain, shifted)]
    first = [next(op for op in graph.operators if op.name == "CONV_2D") for graph in graphs]
    values = [
        [np.frombuffer(graph.tensors[index].data, np.float32) for index in operator.inputs[1:]]
        for graph, operator in zip(graphs, first, strict=True)
    ]
    (weights, bias), (same, moved) = values
    assert np.array_equal(weights, same)
    filters = weights.reshape(len(bias), -1)
    np.testing.assert_allclose(moved - bias, 0.25 * filters.sum(1), rtol=1e-4, atol=1e-6)


def test_the_kept_tensors_are_named_as_in_the_file():
    data = keep_float(shapes_int8(), shapes_float(), [1, 2])
    graph = check_model(data)
    names = kept_tensors(data, shapes_float(), [1, 2])
    assert [tensor.dtype for tensor in graph.tensors if tensor.name in names] == ["float32", "float32"]


def test_another_networks_float_file_is_refused():
    with pytest.raises(UnsupportedModelError, match="differs from its float file at operator"):
        keep_float(shapes_int8(), embedder(), [0])


def best_of(dtype: str) -> bytes:
    """x, RELU, and the place of its largest."""
    quant = quantization(0.1) if dtype == "int8" else None
    b = GraphBuilder()
    x, bent = (b.activation(name, (1, 2, 2, 3), dtype, quant) for name in ("x", "bent"))
    best = b.activation("best", (1, 2, 2), "int64")
    b.operator("RELU", [x], [bent], version=2 if dtype == "int8" else 1)
    options = {"output_type": 4}
    b.operator("ARG_MAX", [bent, b.constant("axis", np.array(3, np.int32))], [best], "ArgMaxOptions", options)
    return b.build([x], [best])


@pytest.mark.parametrize("kept", [[0], [1], [0, 1]], ids=str)
def test_places_are_whole_numbers_whatever_they_are_found_in(kept):
    data = keep_float(best_of("int8"), best_of("float32"), kept)
    graph = check_model(data)
    assert graph.tensors[graph.outputs[0]].dtype == "int64"
    given = np.array([[[[1, 5, 2], [9, 0, 0]], [[3, 2, 9], [1, 2, 1]]]], np.int8)
    assert open_engine(data).run([given])[0].tolist() == [[[1, 0], [2, 1]]]
