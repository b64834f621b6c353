"""Which operators belong together: a plan of the pieces that a graph is cut into. Nothing is cut here.

XNNPACK computes some neighbours in one go; apart they would cost what they do not cost in the whole.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, Operator, macs_by_operator

__all__ = ["Piece", "pieces_of"]

# XNNPACK's src/subgraph.c, xnn_subgraph_fusion: a clamp goes into the operator before it, where nobody else reads
# that; a padding with zeros into the convolution after it, where that pads nothing itself.
_CLAMPS = {"RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"}
_CLAMPED = {"ADD", "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "DIV", "FULLY_CONNECTED", "MAX_POOL_2D", "MUL",
            "SUB", "TRANSPOSE_CONV"}  # fmt: skip
_PADDED = {"CONV_2D", "DEPTHWISE_CONV_2D"}
_VALID = 1  # schema.fbs, enum Padding


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """``operators`` by index, with those that make its constants; ``main`` are those that it is named after."""

    main: tuple[int, ...]
    operators: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    name: str
    macs: int


def pieces_of(graph: Graph, *, has_fusions: bool) -> tuple[Piece, ...]:
    """Every operator in one piece, in an order in which they can run; ``has_fusions`` where XNNPACK runs them.

    An operator that computes from constants alone (fp16 weights to float32) goes with whoever reads what it makes.

    Raises:
        UnsupportedModelError: the graph keeps a state from run to run: its operators alone would not.
    """
    states = [str(tensor) for tensor in graph.tensors if tensor.is_variable]
    if states:
        raise UnsupportedModelError(
            "a model with a state can't be timed operator by operator: it changes with every run", offenders=states
        )
    makers = _makers_of_constants(graph)
    constant = set(makers.values())
    running = [operator for operator in graph.operators if operator.index not in constant]
    groups = _groups(graph, running) if has_fusions else [[operator] for operator in running]
    readers = _readers(running)
    macs = macs_by_operator(graph)
    return tuple(_piece(graph, group, makers, readers, macs) for group in groups)


def _piece(
    graph: Graph,
    group: Sequence[Operator],
    makers: Mapping[int, int],
    readers: Mapping[int, Collection[int]],
    macs: Sequence[int],
) -> Piece:
    main = tuple(operator.index for operator in group)
    made = {tensor for operator in group for tensor in operator.outputs}
    read = dict.fromkeys(tensor for operator in group for tensor in operator.inputs if tensor >= 0)
    needed = {tensor for tensor in made if set(readers.get(tensor, ())) - set(main) or tensor in graph.outputs}
    return Piece(
        main=main,
        operators=tuple(sorted({*main, *_makers_behind(graph, read, makers)})),
        inputs=tuple(t for t in read if t not in made and t not in makers and graph.tensors[t].data is None),
        outputs=tuple(t for operator in group for t in operator.outputs if t in needed) or group[-1].outputs,
        name="+".join(operator.name for operator in group),
        macs=sum(macs[index] for index in main),
    )


def _makers_of_constants(graph: Graph) -> dict[int, int]:
    """The operator that makes it, of each tensor that follows from constants alone."""
    makers: dict[int, int] = {}
    for operator in graph.operators:
        read = [tensor for tensor in operator.inputs if tensor >= 0]
        if read and all(tensor in makers or graph.tensors[tensor].data is not None for tensor in read):
            makers.update(dict.fromkeys(operator.outputs, operator.index))
    return makers


def _makers_behind(graph: Graph, tensors: Collection[int], makers: Mapping[int, int]) -> Iterator[int]:
    """All operators whose constants ``tensors`` are made of."""
    for tensor in tensors:
        if tensor in makers:
            yield makers[tensor]
            yield from _makers_behind(graph, graph.operators[makers[tensor]].inputs, makers)


def _readers(operators: Sequence[Operator]) -> dict[int, list[int]]:
    readers: dict[int, list[int]] = {}
    for operator in operators:
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(operator.index)
    return readers


def _groups(graph: Graph, operators: Sequence[Operator]) -> list[list[Operator]]:
    """The operators, those together that XNNPACK makes one of; each group in the place of its first."""
    readers = _readers(operators)
    group_by_output: dict[int, list[Operator]] = {}
    groups: list[list[Operator]] = []
    for operator in operators:
        source = operator.inputs[0] if operator.inputs else -1
        group = group_by_output.get(source)
        is_alone = len(readers.get(source, ())) == 1 and source not in graph.outputs
        if group is not None and is_alone and _are_fused(graph, group[-1], operator):
            group.append(operator)
        else:
            group = [operator]
            groups.append(group)
        group_by_output.update(dict.fromkeys(operator.outputs, group))
    return groups


def _are_fused(graph: Graph, first: Operator, then: Operator) -> bool:
    if then.name in _CLAMPS:
        return first.name in _CLAMPED and not first.options.get("fused_activation_function")
    is_padding = first.name == "PAD" and then.name in _PADDED and then.options.get("padding") == _VALID
    return is_padding and _pads_space_alone(graph, first)


def _pads_space_alone(graph: Graph, operator: Operator) -> bool:
    """Rows and columns of [batch, rows, columns, channels], and neither of the others."""
    amounts = graph.tensors[operator.inputs[1]]
    if amounts.data is None or amounts.shape != (4, 2):
        return False
    values = np.frombuffer(amounts.data, amounts.dtype).reshape(4, 2)
    return not values[[0, 3]].any()
