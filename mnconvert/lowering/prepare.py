"""A Keras model -> the network that is traced. The given model stays as it is.

BatchNorm is one multiplication and one addition under a known name; the preprocessing is taken out; the input is fixed;
the outputs are logits where they are asked for.
"""

import re
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from mnconvert.config import Scores
from mnconvert.lowering.leading_layers import LeadingLayers
from mnconvert.lowering.scope_names import scope_name
from mnconvert.quantize.plan import Moments
from mninfer.errors import UnsupportedModelError
from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D

__all__ = ["Affine", "Prepared", "mark_in", "prepare"]

_MARK = "mnkit_norm"
_SCORES = ("softmax", "sigmoid", "Softmax", "Sigmoid")  # as activations; as layers and operations
_MARKED = re.compile(rf"(?:^|[;/]){_MARK}_(\d+)(?:_\d+)?/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``norms`` holds each BatchNorm's layer here, in the order of its mark's number; ``ends_in_softmax`` as traced."""

    network: Any
    norms: tuple["Affine", ...]
    moments: tuple[Moments, ...]
    input_shape: tuple[int, ...]


class Affine(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """BatchNorm as it is after training, x * scale + offset; ``fed`` stands in for both numbers while tracing."""

    def __init__(self, scale: Any, offset: Any, **options: Any) -> None:
        super().__init__(**options)
        self.scale, self.offset = scale, offset
        self.fed: tuple[Any, Any] | None = None

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        scale, offset = self.fed or (self.scale, self.offset)
        return inputs * scale + offset


class _PassingLayer(keras.layers.Layer):  # type: ignore[misc]
    """In the place of a layer that is taken out: a Sequential model takes layers alone."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return inputs


class _PassingOperation(keras.Operation):  # type: ignore[misc]
    """In the place of arithmetic with constants that is taken out: gives its one tensor on."""

    def call(self, *inputs: Any, **named: Any) -> Any:
        return next(value for value in (*inputs, *named.values()) if keras.ops.is_tensor(value))

    def compute_output_spec(self, *inputs: Any, **named: Any) -> Any:
        tensor = next(value for value in (*inputs, *named.values()) if isinstance(value, keras.KerasTensor))
        return keras.KerasTensor(tensor.shape, tensor.dtype)


def prepare(
    model: Any, leading: LeadingLayers, *, batch: int, size: tuple[int, int] | None, scores: Scores | None
) -> Prepared:
    """Clone ``model`` for conversion.

    Raises:
        UnsupportedModelError: no single picture as input, its size is neither fixed nor stated, or another batch is.
    """
    shape = _input_shape(model, leading, batch=batch, size=size)
    cloning = _Cloning(leading, _layers_of_scores(model) if scores is Scores.LOGITS else frozenset())
    try:
        network = keras.models.clone_model(
            model, input_tensors=keras.Input(batch_shape=shape, name="image"), clone_function=cloning, recursive=True
        )
    except ValueError as error:
        if model.inputs[0].shape[0] in (None, batch):
            raise
        raise _of_another_batch(model.inputs[0].shape[0], batch) from error
    cloning.copy_weights()
    for layer in network._flatten_layers():
        layer.name = scope_name(layer.name)
    return Prepared(network=network, norms=tuple(cloning.norms), moments=tuple(cloning.moments), input_shape=shape)


def _of_another_batch(own: int, batch: int) -> UnsupportedModelError:
    """What Keras raises where an operation counts on the batch that the network was built for, in our words."""
    what = f"the network is built for batches of {own}, and something in it counts on that; {batch} were asked for"
    return UnsupportedModelError(what, hints=f"--batch {own}")


def mark_in(name: str) -> tuple[int, ...]:
    """The numbers of the BatchNorms that a tensor's name tells of."""
    return tuple(dict.fromkeys(int(number) for number in _MARKED.findall(name)))


class _Cloning:
    """What becomes of each layer; the pairs whose weights have to be copied."""

    def __init__(self, leading: LeadingLayers, without_scores: frozenset[int]) -> None:
        self.leading, self.without_scores = leading, without_scores
        self.norms: list[Affine] = []
        self.moments: list[Moments] = []
        self.pairs: list[tuple[Any, Any]] = []
        self.kernels: list[tuple[Any, Any]] = []

    def __call__(self, layer: Any) -> Any:
        if id(layer) in self.leading.layers:
            is_layer = isinstance(layer, keras.layers.Layer)
            return _PassingLayer(name=layer.name) if is_layer else _PassingOperation(name=layer.name)
        if type(layer).__name__ == "BatchNormalization" and _is_last_axis(layer):
            return self.norm(layer)
        if isinstance(layer, LearnedGroupConv2D):
            return self.convolution(layer)
        config = layer.get_config()
        if id(layer) in self.without_scores:
            if "activation" not in config:  # a Softmax layer
                return _PassingLayer(name=layer.name)
            config["activation"] = "linear"
        clone = type(layer).from_config(config)
        self.pairs.append((layer, clone))
        return clone

    def norm(self, layer: Any) -> Affine:
        mean, variance = _values(layer.moving_mean), _values(layer.moving_variance)
        gamma = _values(layer.gamma) if layer.scale else np.ones_like(mean)
        beta = _values(layer.beta) if layer.center else np.zeros_like(mean)
        scale = gamma / np.sqrt(variance + layer.epsilon)
        clone = Affine(
            scale.astype(np.float32), (beta - mean * scale).astype(np.float32), name=f"{_MARK}_{len(self.norms)}"
        )
        self.norms.append(clone)
        self.moments.append(Moments(beta, np.abs(gamma) * np.sqrt(variance / (variance + layer.epsilon))))
        return clone

    def convolution(self, layer: LearnedGroupConv2D) -> Any:
        """Its mask is multiplied in here: TensorFlow's converter would leave that to every run."""
        clone = keras.layers.Conv2D(layer.filters, 1, use_bias=False, name=layer.name)
        self.kernels.append((clone, layer.dense_kernel()))
        return clone

    def copy_weights(self) -> None:
        for layer, clone in self.pairs:
            if getattr(layer, "weights", ()):  # operations that aren't layers have none
                clone.set_weights(layer.get_weights())
        for clone, kernel in self.kernels:
            clone.set_weights([kernel])


def _values(variable: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float64)


def _is_last_axis(layer: Any) -> bool:
    return bool(layer.axis in (-1, layer.input_spec.ndim - 1))  # Keras 2 writes 1 for the channels of a Dense


def _layers_of_scores(model: Any) -> frozenset[int]:
    """The layers that end an output with a softmax or sigmoid, in models within models as well."""
    found: set[int] = set()
    for output in model.outputs:
        layer = output._keras_history.operation
        if isinstance(layer, keras.Model):
            found |= _layers_of_scores(layer)
        elif type(layer).__name__ in _SCORES or _activation(layer) in _SCORES:
            found.add(id(layer))
    return frozenset(found)


def _activation(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _input_shape(
    model: Any, leading: LeadingLayers, *, batch: int, size: tuple[int, int] | None
) -> tuple[int, int, int, int]:
    shapes = [tuple(tensor.shape) for tensor in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (1, 3):
        raise UnsupportedModelError(
            f"the network's inputs are {', '.join(map(str, map(list, shapes)))}, not one picture "
            "[height, width, 3 or 1 channels]",
            hints="a model whose one input is a picture; take the other inputs out or make them constants",
        )
    _, *fixed, channels = shapes[0]
    known = leading.size or tuple(fixed)
    if None in known and size is None:
        raise UnsupportedModelError(
            f"the network takes pictures of any size ({list(shapes[0])}), a device's file takes one",
            hints="--size HEIGHT WIDTH, as --size 224 224",
        )
    if size is not None and None not in known and size != known:
        raise UnsupportedModelError(
            f"--size {size[0]} {size[1]}, but the network is fixed to {known[0]} {known[1]}",
            hints="leave --size out, or build the network for that size",
        )
    height, width = size or known
    return batch, int(height), int(width), int(channels)
