"""The oldest TensorFlow Lite release that a model loads on, from the versions of its operators."""

from mninfer.model_file.graph import Graph, Operator
from mninfer.model_file.operators import load_operators

__all__ = ["is_dense_per_channel", "oldest_runtime", "runtime_by_operator", "runtime_of"]

# A FULLY_CONNECTED on int8 activations has the same version with one scale and with many, and an old kernel reads the
# first one only. This is the oldest release that was seen to compute it right.
DENSE_PER_CHANNEL = "2.14.0"

# The version from which on an operator takes int16 activations (op_version.cc). TensorFlow's quantizer for 16 bits has
# that of int8 for some, which older releases accept, and then have no kernel for.
_INT16_SINCE = {
    "ADD": 3, "AVERAGE_POOL_2D": 3, "BATCH_MATMUL": 3, "CONCATENATION": 3, "CONV_2D": 4, "DEPTHWISE_CONV_2D": 5,
    "FULLY_CONNECTED": 7, "LEAKY_RELU": 2, "LOGISTIC": 3, "MAX_POOL_2D": 3, "MAXIMUM": 4, "MEAN": 3, "MINIMUM": 4,
    "MUL": 4, "PAD": 3, "PADV2": 3, "RELU": 3, "RELU6": 3, "RESIZE_BILINEAR": 4, "RESIZE_NEAREST_NEIGHBOR": 4,
    "SOFTMAX": 3, "SUB": 5, "TANH": 3, "TRANSPOSE": 5, "TRANSPOSE_CONV": 3,
}  # fmt: skip


def oldest_runtime(graph: Graph) -> str | None:
    """The release, as ``2.3.0``; None where an operator or its version is not in the table."""
    releases = [runtime_of(graph, operator) for operator in graph.operators]
    known = [release for release in releases if release is not None]
    if not known or len(known) < len(releases):
        return None
    return max(known, key=_number)


def runtime_by_operator(graph: Graph) -> dict[tuple[str, int], str | None]:
    """(operator, version) -> the oldest release that has it as it is used; None where that is not known."""
    result: dict[tuple[str, int], str | None] = {}
    for operator in graph.operators:
        key, found = (operator.name, operator.version), runtime_of(graph, operator)
        before = result.get(key, found)
        result[key] = max(found, before, key=_number) if found and before else None
    return result


def runtime_of(graph: Graph, operator: Operator) -> str | None:
    """The oldest release that runs this one operator; None where that is not known."""
    listed, custom = load_operators()
    facts = (custom if operator.is_custom else listed).get(operator.name)
    if facts is None or not 1 <= operator.version <= len(facts.runtime):
        return None
    since = _INT16_SINCE.get(operator.name, 1) if _is_int16(graph, operator) else 1
    release = max(facts.runtime[operator.version - 1], facts.runtime[since - 1], key=_number)
    return max(release, DENSE_PER_CHANNEL, key=_number) if is_dense_per_channel(graph, operator) else release


def is_dense_per_channel(graph: Graph, operator: Operator) -> bool:
    """A FULLY_CONNECTED whose weights have a scale for each channel."""
    if operator.name != "FULLY_CONNECTED":
        return False
    weights = graph.tensors[operator.inputs[1]].quantization
    return weights is not None and len(weights.scales) > 1


def _is_int16(graph: Graph, operator: Operator) -> bool:
    """Activations in 16 bits, as beside int8 weights."""
    outputs = [graph.tensors[index] for index in operator.outputs]
    return any(tensor.dtype == "int16" and tensor.quantization is not None for tensor in outputs)


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
