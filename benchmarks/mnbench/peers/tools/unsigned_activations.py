"""Gives an ONNX file's int8 activations the numbers 0 … 255 instead of −128 … 127: ``unsigned_activations.py FILE``.

Runs in the converter's environment, which has the package onnx, as a program; nothing of ours is imported.

On x86 ONNX Runtime's integer convolutions take unsigned activations alone. It shifts signed ones itself, but not where
a quantized tensor has two readers, as V2's residuals have: 17 of its 52 convolutions then run in float, at twice the
time. Every zero point is raised by 128 here: the same real numbers. On ARM signed ones are the fast ones, and stay.
"""

import platform
import sys
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["main", "make_unsigned"]

Constants = dict[str, npt.NDArray[Any]]

_X86 = ("x86_64", "AMD64")


def main(path: str) -> int:
    """Edit the file in place and print how many nodes were."""
    if platform.machine() not in _X86:
        print("signed activations stay: this is no x86")
        return 0
    onnx: Any = import_module("onnx")
    model = onnx.load(path)
    num_raised = make_unsigned(model.graph)
    onnx.save(model, path)
    print(f"{num_raised} nodes quantize to 0 … 255 now")
    return 0


def make_unsigned(graph: Any) -> int:
    """Raise the zero points of all int8 activations that don't leave or enter the graph as int8."""
    numpy_helper: Any = import_module("onnx.numpy_helper")
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    signed = _signed_activations(graph, constants)
    raised = [node for node in graph.node if _is_quantizing(node) and _activation(node) in signed]
    for node in raised:
        node.input[2] = _raised(graph, node.input[2], constants, numpy_helper)
    return len(raised)


def _signed_activations(graph: Any, constants: Constants) -> set[str]:
    """The tensors that hold int8 between a QuantizeLinear and DequantizeLinear, moved about by Transpose at most."""
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    signed: set[str] = set()
    for node in graph.node:  # in the order of execution
        if (node.op_type == "QuantizeLinear" and _is_signed(node, constants)) or _moves(node, signed):
            signed.add(node.output[0])
    signed -= {end.name for end in graph.output}
    while wrong := {name for name in signed if not all(_may_read(node, signed) for node in readers.get(name, []))}:
        signed -= wrong
        signed -= {node.output[0] for node in graph.node if node.op_type == "Transpose" and not _moves(node, signed)}
    return signed


def _moves(node: Any, signed: set[str]) -> bool:
    return node.op_type == "Transpose" and node.input[0] in signed


def _may_read(node: Any, signed: set[str]) -> bool:
    return node.op_type == "DequantizeLinear" or (node.op_type == "Transpose" and node.output[0] in signed)


def _is_quantizing(node: Any) -> bool:
    return node.op_type in ("QuantizeLinear", "DequantizeLinear")


def _activation(node: Any) -> str:
    name: str = node.output[0] if node.op_type == "QuantizeLinear" else node.input[0]
    return name


def _is_signed(node: Any, constants: Constants) -> bool:
    zero_point = constants.get(node.input[2]) if len(node.input) > 2 else None
    return zero_point is not None and zero_point.dtype == np.int8


def _raised(graph: Any, name: str, constants: Constants, numpy_helper: Any) -> str:
    """The name of a constant that is 128 more than ``name``, as uint8; it is added where it isn't there yet."""
    new_name = f"{name}_unsigned"
    if new_name not in constants:
        constants[new_name] = np.asarray(constants[name].astype(np.int16) + 128, np.uint8)
        graph.initializer.append(numpy_helper.from_array(constants[new_name], new_name))
    return new_name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
