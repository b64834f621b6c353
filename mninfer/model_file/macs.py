"""Count the multiply-adds of a model.

One multiply-add is one product added to a sum, as papers count them (MobileNet V1 1.0/224: 569 M, V2: 300 M). Counted
are convolutions and matrix products; not their biases, and no other operator. Padding counts as pixels do. Shapes are
the declared ones: a batch that the file leaves open counts as 1.
"""

from collections.abc import Callable, Mapping
from math import prod

from mninfer.model_file.graph import Graph, Operator

__all__ = ["count_macs", "macs_by_operator"]


def count_macs(graph: Graph) -> int:
    """Multiply-adds of one run."""
    return sum(macs_by_operator(graph))


def macs_by_operator(graph: Graph) -> tuple[int, ...]:
    """Multiply-adds of each operator, in the graph's order."""
    return tuple(_macs(graph, operator) for operator in graph.operators)


def _macs(graph: Graph, operator: Operator) -> int:
    rule = _RULES.get(operator.name)
    if rule is None or operator.is_custom:
        return 0
    operands = [graph.tensors[index].shape if index >= 0 else () for index in operator.inputs]
    return rule(operator, operands, graph.tensors[operator.outputs[0]].shape)


_Shapes = list[tuple[int, ...]]


def _convolution(_operator: Operator, operands: _Shapes, output: tuple[int, ...]) -> int:
    """Every output value sums over a filter's [height, width, channels]."""
    return prod(output) * prod(operands[1][1:])


def _depthwise(_operator: Operator, operands: _Shapes, output: tuple[int, ...]) -> int:
    return prod(output) * prod(operands[1][1:3])


def _transposed(_operator: Operator, operands: _Shapes, _output: tuple[int, ...]) -> int:
    """Every input pixel spreads over all filters."""
    return prod(operands[2][:3]) * prod(operands[1])


def _fully_connected(_operator: Operator, operands: _Shapes, output: tuple[int, ...]) -> int:
    return prod(output) * operands[1][-1]


def _matrices(operator: Operator, operands: _Shapes, output: tuple[int, ...]) -> int:
    return prod(output) * operands[0][-2 if operator.options.get("adj_x") else -1]


_RULES: Mapping[str, Callable[[Operator, _Shapes, tuple[int, ...]], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrices,
}
