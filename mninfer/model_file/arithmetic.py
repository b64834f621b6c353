"""In which numbers a network computes, which decides how alike two engines' answers must be."""

from enum import StrEnum

from mninfer.model_file.graph import Graph

__all__ = ["Arithmetic", "arithmetic_of"]

INTEGERS = frozenset({"int4", "int8", "uint8", "int16"})
COPIES = frozenset({"DEQUANTIZE", "QUANTIZE", "CAST"})


class Arithmetic(StrEnum):
    """``float``; ``integer`` activations, whose kernels round each in their own way; ``dynamic`` range.

    A dynamic-range network has integer weights and float activations, quantized anew by each kernel for each picture.
    """

    FLOAT = "float"
    INTEGER = "integer"
    DYNAMIC = "dynamic"


def arithmetic_of(graph: Graph) -> Arithmetic:
    """Dynamic where any operator mixes; else integer where any activation is quantized; else float."""
    is_integer = False
    for operator in graph.operators:
        if operator.name in COPIES:
            continue
        operands = [graph.tensors[index] for index in operator.inputs if index >= 0]
        dtypes = {tensor.dtype for tensor in operands if tensor.data is None}
        has_integer_weights = any(tensor.data is not None and tensor.dtype in INTEGERS for tensor in operands)
        if "float32" in dtypes and has_integer_weights:
            return Arithmetic.DYNAMIC
        is_integer |= any(t.data is None and t.dtype in INTEGERS and t.quantization is not None for t in operands)
    return Arithmetic.INTEGER if is_integer else Arithmetic.FLOAT
