"""Count the parameters of a model: what training found, as model tables state it."""

from math import prod

from mninfer.model_file.graph import Graph

__all__ = ["count_parameters"]

# Operators whose further inputs are weights and biases.
_WEIGHTED = frozenset(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"))


def count_parameters(graph: Graph) -> int:
    """Weights and biases of convolutions and dense layers, each constant counted once.

    A float16 file stores them as constants that DEQUANTIZE widens.
    """
    widened = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.name == "DEQUANTIZE"}
    operands = {index for op in graph.operators if op.name in _WEIGHTED for index in op.inputs if index >= 0}
    indices = {widened.get(index, index) for index in operands}
    return sum(prod(graph.tensors[index].shape) for index in indices if graph.tensors[index].data is not None)
