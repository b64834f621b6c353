"""The calls that a Keras model makes, in the order in which Keras makes them, nested models opened.

The one place that reads Keras' own record of a graph (nodes and their depths), which has no public face. Shapes are
those of a batch of 1. The model is left as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import keras

from mninfer.errors import InputError, UnsupportedModelError

__all__ = ["Call", "Trace", "trace_calls"]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a layer or a Keras operation; ``inputs`` and ``outputs`` number the trace's values."""

    name: str
    operation: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """``shapes`` has the shape of every value, by its number."""

    calls: tuple[Call, ...]
    shapes: tuple[Shape, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def shapes_of(self, values: Sequence[int]) -> tuple[Shape, ...]:
        """The shapes of these values."""
        return tuple(self.shapes[value] for value in values)

    def num_elements(self, value: int) -> int:
        """How many numbers a value has."""
        return prod(self.shapes[value])


def trace_calls(model: Any, *, input_size: tuple[int, int] | None = None) -> Trace:
    """Follow a functional or Sequential model. ``input_size`` is (width, height), for a model that leaves it open.

    Raises:
        UnsupportedModelError: the model is no graph of layers, or was never built.
        InputError: a size is open and not stated, or doesn't fit the model.
    """
    function = _function(model)
    if function is None:
        raise UnsupportedModelError(
            f'the model "{model.name}" is no graph of layers ({type(model).__name__}): what it calls is not known',
            hints="build it with keras.Model(inputs, outputs) or keras.Sequential with an Input",
        )
    shapes = [_closed_shape(tensor.shape, input_size, tensor.name) for tensor in function.inputs]
    tracing = _Tracing()
    inputs = [tracing.add(shape) for shape in shapes]
    outputs = tracing.run(function, inputs, "")
    return Trace(calls=tuple(tracing.calls), shapes=tuple(tracing.shapes), inputs=tuple(inputs), outputs=tuple(outputs))


def _function(operation: Any) -> Any:
    """The graph inside a functional or Sequential model; None for anything else."""
    if isinstance(operation, keras.Sequential):
        return getattr(operation, "_functional", None)
    is_graph = isinstance(operation, keras.Model | keras.Function) and hasattr(operation, "_nodes_by_depth")
    return operation if is_graph else None


def _closed_shape(shape: Sequence[int | None], input_size: tuple[int, int] | None, name: str) -> Shape:
    """A batch of 1 of an input; a picture's open height and width as stated."""
    closed: list[int | None] = [1, *shape[1:]]
    if input_size is not None and len(closed) == 4:
        for axis, stated in ((1, input_size[1]), (2, input_size[0])):
            if closed[axis] not in (None, stated):
                raise InputError(
                    f'the input "{name}" is {closed[2]} x {closed[1]} pixels, not {input_size[0]} x {input_size[1]}',
                    hints="leave out the size: it is fixed",
                )
            closed[axis] = stated
    if None in closed:
        shown = " x ".join("?" if side is None else str(side) for side in closed[1:])
        hints = "--input-size 224x224" if len(closed) == 4 and closed[3] is not None else ()
        raise InputError(f'the input "{name}" has an open shape, {shown}: nothing can be counted', hints=hints)
    return tuple(side for side in closed if side is not None)


class _Tracing:
    """Goes through graphs, and keeps the calls and the shapes of what flows between them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.shapes: list[Shape] = []

    def add(self, shape: Shape) -> int:
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def run(self, function: Any, inputs: Sequence[int], prefix: str) -> list[int]:
        """Go through one graph; returns the values of its outputs."""
        number_of = {id(tensor): value for tensor, value in zip(function.inputs, inputs, strict=True)}
        for depth in sorted(function._nodes_by_depth, reverse=True):
            for node in function._nodes_by_depth[depth]:
                if not node.is_input and all(id(tensor) in number_of for tensor in node.input_tensors):
                    values = self.call(node, [number_of[id(tensor)] for tensor in node.input_tensors], prefix)
                    number_of |= {id(tensor): value for tensor, value in zip(node.outputs, values, strict=True)}
        return [number_of[id(tensor)] for tensor in function.outputs]

    def call(self, node: Any, inputs: list[int], prefix: str) -> list[int]:
        operation, name = node.operation, f"{prefix}{node.operation.name}"
        if (inner := _function(operation)) is not None:
            return self.run(inner, inputs, f"{name}/")
        outputs = [self.add(shape) for shape in self.output_shapes(node, inputs, name)]
        self.calls.append(Call(name=name, operation=operation, inputs=tuple(inputs), outputs=tuple(outputs)))
        return outputs

    def output_shapes(self, node: Any, inputs: list[int], name: str) -> list[Shape]:
        """As Keras recorded them, or computed again where the recorded ones do not hold for these inputs."""
        recorded = [tensor.shape for tensor in node.outputs]
        is_same = all(
            tuple(tensor.shape[1:]) == self.shapes[value][1:]
            for tensor, value in zip(node.input_tensors, inputs, strict=True)
        )
        if not is_same or any(None in shape[1:] for shape in recorded):
            recorded = self.computed_shapes(node, inputs, name)
        return [_batch_of_one(shape, name) for shape in recorded]

    def computed_shapes(self, node: Any, inputs: list[int], name: str) -> list[Sequence[int | None]]:
        stand_ins = {
            id(tensor): keras.KerasTensor(self.shapes[value], tensor.dtype)
            for tensor, value in zip(node.input_tensors, inputs, strict=True)
        }
        args, kwargs = node.arguments.fill_in(stand_ins)
        try:
            specs = node.operation.compute_output_spec(*args, **kwargs)
        except (ValueError, TypeError) as error:
            given = ", ".join(" x ".join(map(str, self.shapes[value][1:])) for value in inputs)
            raise InputError(
                f'layer "{name}" does not take its input of {given}: {str(error).splitlines()[0]}',
                hints="another --input-size",
            ) from error
        return [spec.shape for spec in keras.tree.flatten(specs)]


def _batch_of_one(shape: Sequence[int | None], name: str) -> Shape:
    sides = tuple(1 if axis == 0 or side is None else side for axis, side in enumerate(shape))
    if None in shape[1:]:
        raise UnsupportedModelError(f'the output shape of layer "{name}" depends on the data: it cannot be counted')
    return sides
