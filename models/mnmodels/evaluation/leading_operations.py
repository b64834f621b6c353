"""What a picture goes through at the beginning of a Keras graph, and arithmetic with constants as scale and offset.

Networks normalize their input with layers (Rescaling) or, in Keras 3, with plain arithmetic: ``inputs / 127.5 - 1``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

__all__ = ["Affine", "affine_of", "leading_operations", "operations_of"]

Channels = tuple[float, float, float]
Affine = tuple[Channels, Channels]  # scale and offset

_ONES: Channels = (1.0, 1.0, 1.0)
_ZEROS: Channels = (0.0, 0.0, 0.0)
_EXACT = ("float32", "float64")


def operations_of(model: Any) -> Iterator[Any]:
    """Layers and other operations of a model, those of models inside it in the place of these."""
    for operation in getattr(model, "operations", None) or model.layers:  # a Sequential has layers alone
        if isinstance(operation, keras.Model):
            yield from operations_of(operation)
        else:
            yield operation


def leading_operations(model: Any) -> Iterator[Any]:
    """The operations that follow the one input one by one, each the only one to read what the last has given."""
    if len(model.inputs) != 1:
        return
    for operation in _in_order(model):
        if isinstance(operation, keras.Model):
            yield from leading_operations(operation)
        else:
            yield operation


def affine_of(operation: Any) -> Affine | None:
    """Scale and offset of arithmetic on one tensor with constants, for each channel; None of anything else.

    A type that loses nothing is the identity; a Rescaling counts, a Normalization (whose numbers are learned) does not.
    """
    name = type(operation).__name__
    if name == "Rescaling":
        scale, offset = _three(operation.scale), _three(operation.offset)
        return None if scale is None or offset is None else (scale, offset)
    if not type(operation).__module__.startswith("keras.src.ops.") or len(operation._inbound_nodes) != 1:
        return None
    if name == "Cast":
        return (_ONES, _ZEROS) if operation.dtype in _EXACT else None
    if name == "Negative":
        return (-1.0, -1.0, -1.0), _ZEROS
    arguments = operation._inbound_nodes[0].arguments
    named = dict(zip(("x1", "x2"), arguments.args, strict=False)) | arguments.kwargs
    return _of_two(name, named["x1"], named["x2"]) if set(named) == {"x1", "x2"} else None


def _of_two(name: str, left: Any, right: Any) -> Affine | None:
    """An operation's scale and offset, where one of both is the tensor and the other is constant."""
    is_first = isinstance(left, keras.KerasTensor)
    constant = _three(right if is_first else left)
    if constant is None:
        return None
    match name:
        case "Add":
            return _ONES, constant
        case "Subtract" if is_first:
            return _ONES, _each(-value for value in constant)
        case "Subtract":
            return (-1.0, -1.0, -1.0), constant
        case "Multiply":
            return constant, _ZEROS
        case "Divide" | "TrueDivide" if is_first and all(constant):
            return _each(1 / value for value in constant), _ZEROS
    return None


def _in_order(model: Any) -> Iterator[Any]:
    """The operations from the input on, up to the first that is read twice, or reads two."""
    tensor = model.inputs[0]
    while not any(tensor is output for output in model.outputs):
        readers = [
            (operation, node)
            for operation in getattr(model, "operations", None) or model.layers
            if not isinstance(operation, keras.layers.InputLayer)
            for node in operation._inbound_nodes
            if any(tensor is read for read in node.input_tensors)
        ]
        if len(readers) != 1:
            return
        operation, node = readers[0]
        if len(node.input_tensors) != 1 or len(node.output_tensors) != 1:
            return
        yield operation
        tensor = node.output_tensors[0]


def _three(value: Any) -> Channels | None:
    """A constant, or one for each of three channels, the last axis; None of a tensor that is not known yet."""
    if isinstance(value, keras.KerasTensor):
        return None
    is_held = keras.ops.is_tensor(value) or isinstance(value, keras.Variable)
    numbers = np.asarray(keras.ops.convert_to_numpy(value) if is_held else value)
    is_number = numbers.dtype.kind in "iuf" and numbers.size in (1, 3) and np.isfinite(numbers).all()
    if not is_number or (numbers.size == 3 and numbers.shape[-1] != 3):
        return None
    return _each(np.broadcast_to(numbers.ravel(), 3).tolist())


def _each(numbers: Iterable[float]) -> Channels:
    first, second, third = map(float, numbers)
    return first, second, third
