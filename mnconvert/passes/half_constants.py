"""Weights in float16: each float constant at half its size, with a DEQUANTIZE in front of what reads it.

Delegates take the pair for a float16 constant; the reference kernels widen it once, before the first run.
"""

import numpy as np

from mnconvert.passes.editing import Editing
from mnconvert.quantize.constants import Constants
from mninfer.model_file import Graph, Table, check_model

__all__ = ["half_constants"]

_DEQUANTIZE_VERSION = 3  # the first that takes float16
_LARGEST = float(np.finfo(np.float16).max)


def half_constants(flatbuffer: bytes) -> bytes:
    """The file with its float32 constants in float16; one with a value beyond 65504 stays as it is."""
    graph = check_model(flatbuffer)
    editing, constants = Editing(flatbuffer), Constants(graph)
    widened = {index: _widened(editing, constants, index) for index in _floats(graph, constants)}
    for table in editing.operators:
        table["inputs"] = tuple(widened[index][1] if index in widened else index for index in table["inputs"])
    editing.operators[:0] = [
        editing.operator("DEQUANTIZE", _DEQUANTIZE_VERSION, [half], [full]) for half, full in widened.values()
    ]
    return editing.encoded()


def _floats(graph: Graph, constants: Constants) -> list[int]:
    """The float32 constants that operators read and float16 can hold."""
    read = dict.fromkeys(index for operator in graph.operators for index in operator.inputs if index >= 0)
    found = [index for index in read if constants.has(index) and graph.tensors[index].dtype == "float32"]
    return [index for index in found if np.abs(constants.floats(index)).max(initial=0.0) <= _LARGEST]


def _widened(editing: Editing, constants: Constants, index: int) -> tuple[int, int]:
    """The half of a constant, and the tensor that it is widened to."""
    table: Table = editing.tensors[index]
    name = table.get("name", "")
    half = editing.add_tensor({**table, "name": f"{name}/half", "type": editing.enums["TensorType"]["FLOAT16"]})
    editing.set_data(half, constants[index].astype("<f2"))
    return half, editing.add_tensor(table)
