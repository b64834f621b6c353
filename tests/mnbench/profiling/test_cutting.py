"""A piece as a model: it is sound, it holds what it needs and no more, and it computes what it did in the whole."""

import copy
from importlib.util import find_spec

import numpy as np
import pytest

from mnbench.profiling.cutting import cut_piece
from mnbench.profiling.pieces import pieces_of
from mninfer.engines import open_engine
from mninfer.model_file import Table, check_model, decode_model
from support.builder import GraphBuilder, quantization
from support.networks import shapes_float, shapes_int8

pytestmark = pytest.mark.smoke

ENGINE = "litert" if find_spec("ai_edge_litert") else "tflite-runtime"


def shared_buffer_root() -> Table:
    """Two convolutions with one buffer of weights under two tensors."""
    b = GraphBuilder()
    x, y = b.activation("input", (1, 4, 4, 2)), b.activation("output", (1, 4, 4, 2))
    weights = b.constant("weights", np.ones((2, 1, 1, 2), np.float32))
    b.constant("unused by it", np.ones(5, np.float32))
    bias = b.constant("bias", np.zeros(2, np.float32))
    b.tensors.append({**b.tensors[weights], "name": "the same weights"})
    again = len(b.tensors) - 1
    total = b.activation("sum", (2, 1, 1, 2))
    b.operator("ADD", [weights, again], [total], "AddOptions")
    b.operator("CONV_2D", [x, total, bias], [y], "Conv2DOptions", {"padding": 0, "stride_w": 1, "stride_h": 1})
    return decode_model(b.build([x], [y]))


@pytest.mark.parametrize("data", [shapes_float(), shapes_int8()], ids=["float", "int8"])
@pytest.mark.parametrize("uses_xnnpack", [True, False], ids=["xnnpack", "plain"])
def test_the_pieces_one_after_the_other_compute_what_the_whole_does(data: bytes, uses_xnnpack: bool) -> None:
    root, graph = decode_model(data), check_model(data)
    spec = graph.tensors[graph.inputs[0]].spec()
    rng = np.random.default_rng(0)
    if spec.dtype == "float32":
        picture = rng.uniform(-1, 1, spec.shape).astype(np.float32)
    else:
        picture = rng.integers(0, 256, spec.shape).astype(spec.dtype)
    values = {graph.inputs[0]: picture}
    for piece in pieces_of(graph, has_fusions=uses_xnnpack):
        flatbuffer = cut_piece(root, piece)
        check_model(flatbuffer)
        engine = open_engine(flatbuffer, engine=ENGINE, threads=1, use_xnnpack=uses_xnnpack)
        assert len(engine.outputs) == len(piece.outputs)
        values.update(zip(piece.outputs, engine.run([values[index] for index in piece.inputs]), strict=True))
    (expected,) = open_engine(data, engine=ENGINE, threads=1, use_xnnpack=uses_xnnpack).run([picture])
    found = values[graph.outputs[0]]
    assert found.dtype == expected.dtype
    assert np.allclose(found.astype(float), expected.astype(float), atol=1e-6 if spec.dtype == "float32" else 0)


def test_an_operator_keeps_all_that_it_has() -> None:
    data = shapes_int8()
    root, graph = decode_model(data), check_model(data)
    for piece in pieces_of(graph, has_fusions=True):
        (operator,) = [check_model(cut_piece(root, piece)).operators[-1]]
        original = graph.operators[piece.main[-1]]
        assert (operator.name, operator.version) == (original.name, original.version)
        assert (operator.options_type, operator.options) == (original.options_type, original.options)
        tensors = check_model(cut_piece(root, piece)).tensors
        for new, old in zip(operator.inputs, original.inputs, strict=True):
            assert tensors[new].quantization == graph.tensors[old].quantization
            assert tensors[new].shape == graph.tensors[old].shape
            assert bytes(tensors[new].data or b"") == bytes(graph.tensors[old].data or b"")


def test_a_shared_buffer_stays_shared_and_nothing_else_comes_along() -> None:
    root = shared_buffer_root()
    (piece,) = pieces_of(check_model(_encoded(root)), has_fusions=True)
    cut = decode_model(cut_piece(root, piece))
    tensors = {tensor["name"]: tensor for tensor in cut["subgraphs"][0]["tensors"]}
    assert tensors["weights"]["buffer"] == tensors["the same weights"]["buffer"]
    assert "unused by it" not in tensors
    assert len(cut["buffers"]) == 3, "the empty one, the weights, the bias"
    assert not cut["buffers"][0].get("data")


def test_the_whole_stays_as_it_is() -> None:
    root = decode_model(shapes_float())
    before = copy.deepcopy({**root, "buffers": [bytes(buffer.get("data", b"")) for buffer in root["buffers"]]})
    for piece in pieces_of(check_model(shapes_float()), has_fusions=True):
        cut_piece(root, piece)
    assert {**root, "buffers": [bytes(buffer.get("data", b"")) for buffer in root["buffers"]]} == before


def test_an_open_batch_is_closed() -> None:
    data = shapes_float(dynamic_batch=True)
    for piece in pieces_of(check_model(data), has_fusions=True):
        cut = check_model(cut_piece(decode_model(data), piece))
        assert all(-1 not in tensor.shape_signature for tensor in cut.tensors)


def test_an_operand_left_out_stays_left_out() -> None:
    b = GraphBuilder()
    quant = quantization(0.1)
    x, y = b.activation("input", (1, 4), "int8", quant), b.activation("output", (1, 2), "int8", quant)
    weights = b.constant("weights", np.ones((2, 4), np.int8), quant)
    b.operator("FULLY_CONNECTED", [x, weights, -1], [y], "FullyConnectedOptions", version=4)
    data = b.build([x], [y])
    (piece,) = pieces_of(check_model(data), has_fusions=True)
    assert check_model(cut_piece(decode_model(data), piece)).operators[0].inputs[2] == -1


def _encoded(root: Table) -> bytes:
    from mninfer.model_file import encode_model

    return encode_model(root)
