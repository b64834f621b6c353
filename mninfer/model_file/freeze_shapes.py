"""Make constants of what follows from the input's shape, once that is fixed; give None where nothing does.

A converter that leaves the batch open computes shapes in the graph (SHAPE, STRIDED_SLICE, PACK, RESHAPE).
tflite-runtime 2.14 then takes every size for changeable, and XNNPACK leaves such a graph alone: V1 is 5 times slower.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from mninfer.model_file.check import known_integers
from mninfer.model_file.flatbuffer import Table
from mninfer.model_file.graph import build_graph
from mninfer.model_file.model_table import decode_model, encode_model

__all__ = ["freeze_shapes"]


def freeze_shapes(data: bytes, input_shapes: Sequence[Sequence[int]]) -> bytes | None:
    """A checked model with its shape arithmetic done for ``input_shapes``, one per input; what it computes is the same.

    Raises:
        UnsupportedModelError: rewriting would lose something of the file.
    """
    root = decode_model(data)
    graph = build_graph(root, data)
    values = known_integers(graph, input_shapes=dict(zip(graph.inputs, input_shapes, strict=True)))
    subgraph = root["subgraphs"][0]
    constants: dict[int, int] = {}
    for tensor in graph.tensors:
        found = values.get(tensor.index) if tensor.data is None and tensor.index not in graph.inputs else None
        if found is not None:
            constants[tensor.index] = _add_constant(root, subgraph["tensors"][tensor.index], found, tensor.dtype)
    for operator in subgraph["operators"]:
        operator["inputs"] = tuple(constants.get(index, index) for index in operator["inputs"])
    return encode_model(root) if _drop_unused(subgraph) else None


def _add_constant(root: Table, like: Table, values: Sequence[int], dtype: str) -> int:
    """Append a tensor as ``like`` with these values; its index."""
    tensors, buffers = root["subgraphs"][0]["tensors"], root["buffers"]
    buffers.append({"data": np.array(values, dtype).astype(f"<i{np.dtype(dtype).itemsize}").tobytes()})
    shape = like.get("shape", ())
    shape = shape if prod(shape) == len(values) else (len(values),)
    fields = {name: value for name, value in like.items() if name != "shape_signature"}
    tensors.append({**fields, "shape": shape, "buffer": len(buffers) - 1})
    return len(tensors) - 1


def _drop_unused(subgraph: Table) -> bool:
    """Take out the operators whose outputs nobody reads; say whether there were any."""
    num_before = len(subgraph["operators"])
    while True:
        read = set(subgraph["outputs"]).union(*(operator["inputs"] for operator in subgraph["operators"]))
        used = [operator for operator in subgraph["operators"] if read & set(operator["outputs"])]
        if len(used) == len(subgraph["operators"]):
            return len(used) < num_before
        subgraph["operators"] = used
