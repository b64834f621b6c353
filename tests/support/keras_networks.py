"""The shapes network as a Keras model, plain or with something in it that is hard to convert."""

from typing import Any

import numpy as np

from mnconvert.config import ConvertConfig
from mninfer.preprocessing import StatedPreprocess
from mnmodels.backend import start_keras
from mnmodels.data.array_pictures import ArrayPictures
from support.network import Layer
from support.networks import SHAPES_SIZE, shapes_network
from support.pictures import CLASSES, shape_pictures

__all__ = ["labelled_shapes", "request", "shapes_keras"]

keras = start_keras("tensorflow")

_SPREAD = 2.0  # powers of ten, up and down


def request(**options: Any) -> ConvertConfig:
    """A conversion of the shapes network, which takes [-1, 1]."""
    stated = StatedPreprocess.parse(preprocess="inception")
    return ConvertConfig(**{"preprocess": stated, "labels": CLASSES, **options})


def labelled_shapes(count: int, seed: int = 11) -> ArrayPictures:
    """Pictures that the network is right about, most of them."""
    images, classes = shape_pictures(count, seed=seed)
    names = [f"{number}" for number in range(count)]
    return ArrayPictures(images=images, classes=classes, labels=CLASSES, names=names)


def shapes_keras(
    *,
    is_hard: bool = False,
    softmax: str | None = "dense",
    input_shape: tuple[int | None, int | None, int] = (*SHAPES_SIZE, 3),
    flips_input: bool = False,
) -> Any:
    """``softmax`` within the ``dense`` layer, as a ``layer`` of its own, or None.

    ``is_hard``: two layers, ``spread`` and ``gather``, scale channels by many powers of ten and back. ``flips_input``:
    it takes blue, green, red.
    """
    x = image = keras.Input(input_shape, name="image")
    layers = shapes_network()
    for number, layer in enumerate(layers):
        x = _added(layer, number, x, softmax=softmax, flips_input=flips_input and number == 0)
        if is_hard and number == len(layers) - 2:
            x = _scaled(_scaled(x, "spread", 1), "gather", -1)
    if softmax == "layer":
        x = keras.layers.Softmax(name="softmax")(x)
    return keras.Model(image, x, name="shapes")


def _added(layer: Layer, number: int, x: Any, *, softmax: str | None, flips_input: bool) -> Any:
    weights = layer.weights[:, :, ::-1] if flips_input else layer.weights
    name = f"{layer.kind}_{number}"
    if layer.kind == "dense":
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        made = keras.layers.Dense(len(layer.bias), name=name, activation="softmax" if softmax == "dense" else None)
        return _with_weights(made, x, [weights, layer.bias])
    options: dict[str, Any] = {"strides": layer.stride, "padding": "same", "name": name}
    if layer.kind == "conv":
        x = _with_weights(keras.layers.Conv2D(len(layer.bias), weights.shape[0], **options), x, [weights, layer.bias])
    else:
        made = keras.layers.DepthwiseConv2D(weights.shape[0], **options)
        x = _with_weights(made, x, [weights[..., None], layer.bias])
    return keras.layers.ReLU(6.0, name=f"relu_{number}")(x)


def _scaled(x: Any, name: str, sign: int) -> Any:
    num_channels = x.shape[-1]
    scales = 10.0 ** np.linspace(-_SPREAD, _SPREAD, num_channels)
    weights = np.diag(scales**sign)[None, None].astype(np.float32)
    made = keras.layers.Conv2D(num_channels, 1, name=name)
    return _with_weights(made, x, [weights, np.zeros(num_channels, np.float32)])


def _with_weights(made: Any, x: Any, weights: list[Any]) -> Any:
    y = made(x)
    made.set_weights(weights)
    return y
