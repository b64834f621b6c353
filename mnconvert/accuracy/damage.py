"""What each operator adds to the noise in an int8 file: a cheap guess at which ones to keep float first."""

from collections.abc import Iterable, Mapping

from mnconvert.verification.layer_errors import LayerError
from mninfer.model_file import Graph

__all__ = ["damage_by_operator"]


def damage_by_operator(graph: Graph, errors: Iterable[LayerError]) -> Mapping[int, float]:
    """Noise over signal at each operator's output, less that of its noisiest input; only operators that have weights.

    ``graph`` is the float file's, which ``errors`` count operators by. What an operator merely passes on is no fault of
    its own, and may leave it with less noise than came in: then its damage is below 0.
    """
    noise = {error.operator: 10 ** (-error.sqnr_db / 10) for error in errors}
    at_tensor = {tensor: noise[op.index] for op in graph.operators if op.index in noise for tensor in op.outputs}
    return {
        operator.index: noise[operator.index] - max((at_tensor.get(i, 0.0) for i in operator.inputs), default=0.0)
        for operator in graph.operators
        if operator.index in noise and _has_weights(graph, operator.inputs)
    }


def _has_weights(graph: Graph, inputs: Iterable[int]) -> bool:
    return any(i >= 0 and graph.tensors[i].data is not None and graph.tensors[i].dtype == "float32" for i in inputs)
