"""The plan of the pieces: together what XNNPACK computes together, what follows from constants with who reads it."""

from itertools import pairwise

import numpy as np
import pytest

from mnbench.profiling.pieces import Piece, pieces_of
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, check_model, count_macs
from support.builder import GraphBuilder
from support.networks import shapes_float, shapes_int8

pytestmark = pytest.mark.smoke

CONV = {"padding": 1, "stride_w": 1, "stride_h": 1}
SPACE, CHANNELS = [[0, 0], [1, 1], [1, 1], [0, 0]], [[0, 0], [1, 1], [1, 1], [0, 1]]


def graph_of(b: GraphBuilder, inputs: list[int], outputs: list[int]) -> Graph:
    return check_model(b.build(inputs, outputs))


def conv(b: GraphBuilder, x: int, y: int, *, channels: int = 3, options: dict[str, int] | None = None) -> None:
    weights = b.constant(f"weights of {y}", np.ones((4, 3, 3, channels), np.float32))
    bias = b.constant(f"bias of {y}", np.zeros(4, np.float32))
    b.operator("CONV_2D", [x, weights, bias], [y], "Conv2DOptions", options or CONV)


def padded(amounts: list[list[int]], *, padding: int = 1, is_read_twice: bool = False) -> Graph:
    b = GraphBuilder()
    x = b.activation("input", (1, 8, 8, 3))
    channels = 3 + sum(amounts[3])
    wide = b.activation("padded", (1, 10, 10, channels))
    b.operator("PAD", [x, b.constant("amounts", np.array(amounts, np.int32))], [wide], "PadOptions")
    size = 8 if padding else 10
    y = b.activation("output", (1, size, size, 4))
    conv(b, wide, y, channels=channels, options=CONV | {"padding": padding})
    return graph_of(b, [x], [y, wide] if is_read_twice else [y])


def clamped(name: str, *, activation: int = 0) -> Graph:
    b = GraphBuilder()
    x, y, z = (b.activation(each, (1, 4)) for each in ("input", "middle", "output"))
    options = {"fused_activation_function": activation}
    if name == "ADD":
        b.operator("ADD", [x, x], [y], "AddOptions", options)
    else:
        b.operator(name, [x], [y])
    b.operator("RELU6", [y], [z])
    return graph_of(b, [x], [z])


def names(graph: Graph, *, has_fusions: bool = True) -> list[str]:
    return [piece.name for piece in pieces_of(graph, has_fusions=has_fusions)]


def test_a_chain_falls_into_its_operators() -> None:
    graph = check_model(shapes_float())
    pieces = pieces_of(graph, has_fusions=True)
    assert [piece.name for piece in pieces] == [operator.name for operator in graph.operators]
    assert [piece.main for piece in pieces] == [(i,) for i in range(len(graph.operators))]
    assert sum(piece.macs for piece in pieces) == count_macs(graph)
    for before, after in pairwise(pieces):
        assert before.outputs == after.inputs
    assert (pieces[0].inputs, pieces[-1].outputs) == (graph.inputs, graph.outputs)


def test_padding_goes_with_the_convolution_that_reads_it() -> None:
    (piece,) = pieces_of(padded(SPACE), has_fusions=True)
    assert piece == Piece(
        main=(0, 1), operators=(0, 1), inputs=(0,), outputs=(3,), name="PAD+CONV_2D", macs=8 * 8 * 4 * 27
    )


@pytest.mark.parametrize(
    "graph",
    [padded(CHANNELS), padded(SPACE, padding=0), padded(SPACE, is_read_twice=True)],
    ids=["channels are padded", "the convolution pads too", "somebody else reads it"],
)
def test_padding_that_xnnpack_keeps_apart_is_apart(graph: Graph) -> None:
    assert names(graph) == ["PAD", "CONV_2D"]


def test_an_activation_goes_with_what_it_clamps() -> None:
    assert names(clamped("ADD")) == ["ADD+RELU6"]
    assert names(clamped("ADD"), has_fusions=False) == ["ADD", "RELU6"]
    assert names(clamped("ADD", activation=3)) == ["ADD", "RELU6"], "it clamps already"
    assert names(clamped("LOGISTIC")) == ["LOGISTIC", "RELU6"], "nothing that XNNPACK clamps in"


def test_padding_convolution_and_activation_are_one() -> None:
    b = GraphBuilder()
    x, wide = b.activation("input", (1, 8, 8, 3)), b.activation("padded", (1, 10, 10, 3))
    y, z = b.activation("made", (1, 8, 8, 4)), b.activation("output", (1, 8, 8, 4))
    b.operator("PAD", [x, b.constant("amounts", np.array(SPACE, np.int32))], [wide], "PadOptions")
    conv(b, wide, y)
    b.operator("RELU6", [y], [z])
    assert names(graph_of(b, [x], [z])) == ["PAD+CONV_2D+RELU6"]


def half_weights() -> Graph:
    """As mnconvert's fp16: weights are stored as halves, and two convolutions read what one DEQUANTIZE makes."""
    b = GraphBuilder()
    x, y, z = (b.activation(name, (1, 8, 8, 3)) for name in ("input", "middle", "output"))
    half = b.constant("half", np.ones((3, 3, 3, 3), np.float16))
    weights = b.activation("weights", (3, 3, 3, 3))
    b.operator("DEQUANTIZE", [half], [weights])
    for source, target in ((x, y), (y, z)):
        bias = b.constant(f"bias {target}", np.zeros(3, np.float32))
        b.operator("CONV_2D", [source, weights, bias], [target], "Conv2DOptions", CONV | {"padding": 0})
    return graph_of(b, [x], [z])


def test_what_is_computed_from_constants_goes_with_each_who_reads_it() -> None:
    first, second = pieces_of(half_weights(), has_fusions=True)
    assert (first.main, first.operators) == ((1,), (0, 1))
    assert (second.main, second.operators) == ((2,), (0, 2))
    assert (first.inputs, second.inputs) == ((0,), first.outputs)
    assert first.name == second.name == "CONV_2D"


def test_a_branch_keeps_what_others_read() -> None:
    b = GraphBuilder()
    x, y, z, total = (b.activation(name, (1, 4)) for name in ("input", "left", "right", "output"))
    b.operator("RELU6", [x], [y])
    b.operator("LOGISTIC", [y], [z])
    b.operator("ADD", [y, z], [total], "AddOptions")
    pieces = pieces_of(graph_of(b, [x], [total]), has_fusions=True)
    assert [(piece.inputs, piece.outputs) for piece in pieces] == [((x,), (y,)), ((y,), (z,)), ((y, z), (total,))]


def test_an_operand_that_is_read_twice_is_one_input() -> None:
    (piece,) = pieces_of(clamped("ADD"), has_fusions=True)
    assert piece.inputs == (0,)


def test_every_operator_is_in_one_piece_and_all_macs_are_counted() -> None:
    for graph in (check_model(shapes_int8()), half_weights(), padded(SPACE), padded(CHANNELS)):
        for has_fusions in (True, False):
            pieces = pieces_of(graph, has_fusions=has_fusions)
            main = [index for piece in pieces for index in piece.main]
            assert len(main) == len(set(main))
            assert {i for piece in pieces for i in piece.operators} == {o.index for o in graph.operators}
            assert sum(piece.macs for piece in pieces) == count_macs(graph)


def test_a_state_is_refused() -> None:
    b = GraphBuilder()
    x, state, y = (b.activation(name, (1, 4)) for name in ("input", "state", "output"))
    b.tensors[state]["is_variable"] = True
    b.operator("ADD", [x, state], [y], "AddOptions")
    from mninfer.model_file import decode_model
    from mninfer.model_file.graph import build_graph

    data = b.build([x], [y])
    with pytest.raises(UnsupportedModelError, match="changes with every run") as caught:
        pieces_of(build_graph(decode_model(data), data), has_fusions=True)
    assert caught.value.offenders == ('tensor 1 "state"',)
