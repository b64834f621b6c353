"""Count the parameters of a model: what training found, as model tables state it."""

from math import prod

from mninfer.model_file.graph import Graph

__all__ = ["count_parameters", "parameters_by_operator"]

# Operators whose further inputs are weights and biases.
_WEIGHTED = frozenset(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"))


def count_parameters(graph: Graph) -> int:
    """Weights and biases of convolutions and dense layers, each constant counted once.

    A float16 file stores them as constants that DEQUANTIZE widens.
    """
    return sum(parameters_by_operator(graph))


def parameters_by_operator(graph: Graph) -> tuple[int, ...]:
    """The same for each operator, in the graph's order; what operators share counts at the first of them."""
    widened = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.name == "DEQUANTIZE"}
    seen: set[int] = set()
    counts = []
    for operator in graph.operators:
        operands = operator.inputs if operator.name in _WEIGHTED else ()
        new = {widened.get(index, index) for index in operands if index >= 0} - seen
        seen |= new
        counts.append(sum(prod(graph.tensors[index].shape) for index in new if graph.tensors[index].data is not None))
    return tuple(counts)
