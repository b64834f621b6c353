"""A network of the registry with seeded random weights under which it behaves as a trained one does.

Weights as initializers draw them make a net chaotic: each layer amplifies the last one's rounding, and in eight bits
nothing of it is left. What is random here is kept apart from what a trained net has in common: depthwise filters that
smooth, activations that ReLU6 rarely clips, statistics of BatchNorm that are those of pictures, and a last layer whose
answers depend on the picture, with some classes more frequent than others. The numbers are numpy's, so that every
backend gets the same.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mnbench.preparing.pictures import normalized
from mnconvert.verification import shape_pictures
from mninfer.preprocessing import PreprocessSpec, parse_preprocess

__all__ = ["build_network", "give_weights", "preprocessing"]

_NUM_PICTURES = 16  # that BatchNorm's statistics are of
_PICTURE_SEED = 77  # those of verification have 0
_ROUGHNESS = 0.3  # of a depthwise filter: how far its taps are from a smooth bump
_GAMMA, _BETA = (0.5, 1.5), (0.5, 2.0)
_SCORE_SPREAD = 1.0  # of the logits, by the picture
_CLASS_SPREAD = 3.0  # of the logits, whatever the picture
_BIASED_SCALE = 0.3  # of layers without BatchNorm, the gates of squeeze-and-excitation: gates that are half open

Floats = npt.NDArray[np.float64]


def build_network(network: Mapping[str, Any]) -> Any:
    """The Keras model of ``network``: its "architecture", "options" and "seed". Keras has to be started before."""
    from mnmodels.architectures.registry import build_model

    model = build_model(network["architecture"], **network["options"])
    give_weights(model, seed=network["seed"])
    return model


def give_weights(model: Any, *, seed: int) -> None:
    """Set every weight of ``model``, a classifier of pictures in [-1, 1], from ``seed``."""
    random = np.random.default_rng(seed)
    layers = [layer for layer in model._flatten_layers() if layer.weights and not hasattr(layer, "layers")]
    for layer in layers:
        _give_layer(layer, random)
    pictures = _pictures(model.input_shape[1:3])
    _measure_statistics(model, layers, pictures)
    _give_last(model, layers[-1], pictures, random)


def preprocessing() -> PreprocessSpec:
    """What pictures for a network of the registry go through: [-1, 1], of their middle."""
    return parse_preprocess("inception", resize="crop:0.875")


def _pictures(size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Crowded shapes as mnconvert verifies on: fainter pictures would leave those outside of what was measured."""
    pictures = shape_pictures(_NUM_PICTURES, seed=_PICTURE_SEED, size=size)
    return normalized(list(pictures), size=size, preprocess=preprocessing())


def _give_layer(layer: Any, random: np.random.Generator) -> None:
    """Filters by the number of their inputs (He et al. 2015); BatchNorm's scale and offset; biases of zero."""
    for variable in layer.weights:
        kind = variable.name
        if kind == "gamma":
            variable.assign(random.uniform(*_GAMMA, variable.shape))
        elif kind == "beta":
            variable.assign(random.uniform(*_BETA, variable.shape))
        elif kind == "bias":
            variable.assign(np.zeros(variable.shape))
        elif "kernel" in kind:
            is_depthwise = type(layer).__name__ == "DepthwiseConv2D"
            drawn = _depthwise_filter(variable.shape, random) if is_depthwise else _filter(variable.shape, random)
            variable.assign(drawn * (_BIASED_SCALE if getattr(layer, "use_bias", False) else 1.0))


def _filter(shape: tuple[int, ...], random: np.random.Generator) -> Floats:
    return np.asarray(random.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1])))


def _depthwise_filter(shape: tuple[int, ...], random: np.random.Generator) -> Floats:
    """[height, width, channels, multiplier]: a bump in the middle, roughened."""
    down, across = (np.exp(-0.5 * (np.arange(size) - (size - 1) / 2) ** 2) for size in shape[:2])
    bump = (down[:, None] * across[None, :])[:, :, None, None]
    return np.asarray(bump * (1 + _ROUGHNESS * random.normal(size=shape)))


def _measure_statistics(model: Any, layers: list[Any], pictures: npt.NDArray[np.float32]) -> None:
    """Let every BatchNorm take over the statistics of one pass."""
    norms = [layer for layer in layers if hasattr(layer, "moving_mean")]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(pictures, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum


def _give_last(model: Any, layer: Any, pictures: npt.NDArray[np.float32], random: np.random.Generator) -> None:
    """Scale and shift the classifier, so that its scores are spread about as a trained one's."""
    import keras

    features = keras.ops.convert_to_numpy(keras.Model(model.input, layer.input)(pictures, training=False))
    features = features.reshape(len(pictures), -1).astype(np.float64)
    kernel = keras.ops.convert_to_numpy(layer.kernel).astype(np.float64)
    flat = kernel.reshape(-1, kernel.shape[-1])
    mean = features.mean(0)
    scale = _SCORE_SPREAD / max(float(((features - mean) @ flat).std()), 1e-9)
    layer.kernel.assign(kernel * scale)
    layer.bias.assign(random.normal(size=flat.shape[1]) * _CLASS_SPREAD - (mean @ flat) * scale)
