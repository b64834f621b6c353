"""A ModelPlan to a Keras model, layer by layer, without values in its weights yet."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from typing import Any

import keras

from mninfer.errors import KerasFileError, MnError
from mnmodels.keras_file.description import LayerKind, LayerPlan, ModelPlan, TensorRef
from mnmodels.keras_file.expression import Expression
from mnmodels.keras_file.node_config import references
from mnmodels.keras_file.plain_values import shown

__all__ = ["Built", "build"]

MAX_ACTIVATION_NUMBERS = 1 << 28  # of one picture in one layer: 1 GiB


@dataclass(slots=True)
class Built:
    """The model, and the Keras layer of each plan by its identity (``id``): where its weights go."""

    model: Any
    layers: dict[int, Any] = field(default_factory=dict)


def build(plan: ModelPlan) -> Built:
    """Build the model. Raise KerasFileError for a plan that Keras will not have."""
    builder = _Builder()
    if plan.inputs is None:
        raise KerasFileError("the file does not say the shape of its input", hints="build the model before saving it")
    return Built(builder.model(plan, None), builder.layers)


class _Builder:
    """Holds the layers made so far, of all models in the model."""

    def __init__(self) -> None:
        self.layers: dict[int, Any] = {}

    def model(self, plan: ModelPlan, inputs: Any) -> Any:
        """A functional model; of a chain without an input, ``inputs`` are the tensors that it is called with."""
        outputs: dict[tuple[str, int], list[Any]] = {}
        if plan.inputs is None:
            fresh = keras.Input(batch_shape=inputs.shape, dtype=inputs.dtype, name=f"{plan.name}_input")
            outputs["", 0] = [fresh]
        by_name = {layer.saved_name: layer for layer in plan.layers}
        shifts = _shifts(plan)
        for name, index in _order(plan, by_name, shifts):
            layer = by_name[name]
            outputs[name, index] = self.call(layer, index, lambda ref: _output(outputs, ref, shifts))
        start = fresh if plan.inputs is None else _resolve(plan.inputs, lambda ref: _output(outputs, ref, shifts))
        end = _resolve(plan.outputs, lambda ref: _output(outputs, ref, shifts))
        with _refused(plan.name):
            return keras.Model(start, end, name=plan.name.replace("/", "_"))

    def call(self, layer: LayerPlan, index: int, find: Callable[[TensorRef], Any]) -> list[Any]:
        """The outputs of one call of a layer."""
        with _refused(layer.name):
            if layer.kind is LayerKind.INPUT:
                return [keras.Input(name=layer.name, **layer.options)]
            call = layer.calls[index]
            args = _resolve(call.args, find)
            kwargs = _resolve(call.kwargs, find)
            if layer.kind is LayerKind.OPERATION and layer.what[1] == "GetItem":  # its tuple became a list in the file
                args = tuple(tuple(arg) if isinstance(arg, list) else arg for arg in args)
            if layer.kind is LayerKind.EXPRESSION:
                return [self.expression(layer, args, kwargs)]
            made = self.layers.get(id(layer))
            if made is None:
                made = self.layers[id(layer)] = self.make(layer, args)
            if "training" in kwargs and "training" not in inspect.signature(made.call).parameters:
                del kwargs["training"]
            result = made(*args, **kwargs)
            for following in layer.then:
                result = self.following(following, result)
        results = list(result) if isinstance(result, list | tuple) else [result]
        for tensor in results:
            _check_size(layer, tensor)
        return results

    def make(self, layer: LayerPlan, args: tuple[Any, ...]) -> Any:
        """The Keras layer itself."""
        match layer.kind:
            case LayerKind.LAYER:
                return _keras_layer(layer)
            case LayerKind.OPERATION:
                home, name = layer.what
                return getattr(import_module(home), name)(**layer.options, name=layer.name)
            case LayerKind.MODEL:
                return self.model(layer.what, args[0] if args else None)
            case _:
                return layer.what.from_config({**layer.options, "name": layer.name})

    def following(self, layer: LayerPlan, tensor: Any) -> Any:
        made = self.layers.get(id(layer))
        if made is None:
            made = self.layers[id(layer)] = self.make(layer, (tensor,))
        return made(tensor)

    def expression(self, layer: LayerPlan, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """What the user states: a Rescaling where that does it, else operations, named after the layer."""
        expression: Expression = layer.what
        tensors = [tensor for tensor in (*args, *kwargs.values()) if isinstance(tensor, keras.KerasTensor)]
        if expression.affine is not None and len(tensors) >= 1:
            made = self.layers.get(id(layer))
            if made is None:
                affine = expression.affine
                made = keras.layers.Rescaling(affine.scale, affine.offset, dtype="float32", name=layer.name)
                self.layers[id(layer)] = made
            return made(tensors[0])
        names = sorted(expression.inputs)
        if len(tensors) < len(names):
            raise MnError(f'"{layer.saved_name}" has {len(tensors)} input, and "{expression.text}" wants {len(names)}')
        return expression.apply(dict(zip(("x", "y"), tensors, strict=False)), _operations(layer.name))


def _keras_layer(layer: LayerPlan) -> Any:
    """Not every layer of Keras takes ``trainable`` when it is made."""
    options = dict(layer.options)
    is_trainable = options.pop("trainable", True)
    made = getattr(keras.layers, layer.what)(**options, name=layer.name)
    if not is_trainable:
        made.trainable = False
    return made


def _operations(name: str) -> dict[str, Callable[..., Any]]:
    """Keras operations for an expression's signs and functions. Named, because Keras wants names that differ."""
    numpy, nn = import_module("keras.src.ops.numpy"), import_module("keras.src.ops.nn")
    made = {
        "+": numpy.Add, "-": numpy.Subtract, "*": numpy.Multiply, "/": numpy.TrueDivide, "**": numpy.Power,
        "abs": numpy.Absolute, "exp": numpy.Exp, "log": numpy.Log, "sqrt": numpy.Sqrt, "tanh": numpy.Tanh,
        "min": numpy.Minimum, "max": numpy.Maximum, "sigmoid": nn.Sigmoid, "relu": nn.Relu, "relu6": nn.Relu6,
    }  # fmt: skip
    count = 0

    def operation(kind: type) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            nonlocal count
            if not any(isinstance(value, keras.KerasTensor) for value in values):
                return float(keras.ops.convert_to_numpy(kind()(*values)))
            count += 1
            return kind(name=f"{name}_{count}")(*values)

        return call

    return {sign: operation(kind) for sign, kind in made.items()}


def _shifts(plan: ModelPlan) -> dict[str, int]:
    """By how much a file counts a nested model's calls too high: Keras counts its making as the first."""
    highest: dict[str, int] = {}
    lowest: dict[str, int] = {}
    for ref in references([[call.args, call.kwargs] for layer in plan.layers for call in layer.calls] + [plan.outputs]):
        highest[ref.layer] = max(ref.call, highest.get(ref.layer, 0))
        lowest[ref.layer] = min(ref.call, lowest.get(ref.layer, ref.call))
    return {
        layer.saved_name: 1
        for layer in plan.layers
        if layer.kind is LayerKind.MODEL and lowest.get(layer.saved_name, 0) >= 1
    }


def _order(plan: ModelPlan, by_name: Mapping[str, LayerPlan], shifts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Every call after those that it takes its inputs from. Raise KerasFileError for a circle, or a loose end."""
    graph: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for layer in plan.layers:
        if layer.kind is LayerKind.INPUT:
            graph[layer.saved_name, 0] = []
        for index, call in enumerate(layer.calls):
            refs = references([call.args, call.kwargs])
            if not refs:
                raise KerasFileError(f'the layer "{layer.saved_name}" has no input')
            graph[layer.saved_name, index] = [_source(ref, by_name, shifts) for ref in refs if ref.layer]
    try:
        return [node for node in TopologicalSorter(graph).static_order() if node in graph]
    except CycleError as error:
        raise KerasFileError(f'its layers run in a circle through "{error.args[1][0][0]}"') from error


def _source(ref: TensorRef, by_name: Mapping[str, LayerPlan], shifts: Mapping[str, int]) -> tuple[str, int]:
    layer = by_name.get(ref.layer)
    if layer is None:
        raise KerasFileError(f'a layer "{ref.layer}" is connected, and is not there')
    index = ref.call - shifts.get(ref.layer, 0)
    num_calls = 1 if layer.kind is LayerKind.INPUT else len(layer.calls)
    if not 0 <= index < num_calls:
        raise KerasFileError(f'"{ref.layer}" is called {num_calls} times, and its call {ref.call} is asked for')
    return ref.layer, index


def _output(outputs: Mapping[tuple[str, int], list[Any]], ref: TensorRef, shifts: Mapping[str, int]) -> Any:
    found = outputs.get((ref.layer, ref.call - shifts.get(ref.layer, 0)))
    if found is None or ref.output >= len(found):
        raise KerasFileError(f'"{ref.layer}" has no output {ref.output} of its call {ref.call}')
    return found[ref.output]


def _resolve(value: Any, find: Callable[[TensorRef], Any]) -> Any:
    """The structure with tensors in place of TensorRefs."""
    if isinstance(value, TensorRef):
        return find(value)
    if isinstance(value, Mapping):
        return {name: _resolve(item, find) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_resolve(item, find) for item in value)
    return value


def _check_size(layer: LayerPlan, tensor: Any) -> None:
    shape = tuple(getattr(tensor, "shape", ()))
    if math.prod(int(size) for size in shape[1:] if size is not None) > MAX_ACTIVATION_NUMBERS:
        raise KerasFileError(f'the layer "{layer.saved_name}" makes {shown(list(shape))}: more than any picture needs')


class _refused:  # noqa: N801 - reads as what it does: with _refused(name):
    """Words what Keras says of a layer; Keras raises what its backend raises, of any class."""

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, MnError):
            said = " ".join(str(error).split())[:300] or type(error).__name__
            raise KerasFileError(f'Keras does not take the layer "{self.layer}": {said}') from error
