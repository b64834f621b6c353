"""How pictures become a Keras model's input: stated > in the file > inferred from its layers > assumed > an error."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import keras

from mninfer.errors import PreprocessError
from mninfer.preprocessing import PRESETS, PreprocessSource, PreprocessSpec, StatedPreprocess, parse_preprocess
from mnmodels.architectures.registry import build_model
from mnmodels.architectures.widths import divisible

__all__ = ["infer_preprocess", "likeness", "settle_preprocess"]

_AUGMENTATION = ("Random", "Resizing", "CenterCrop", "AutoContrast", "GaussianNoise")
_STANDARD_ALPHAS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_IMAGENET_CLASSES = (1000, 1001)
# Name, layers with weights (normalizations not counted), filters of the first one.
_KNOWN: tuple[tuple[str, int, Callable[[float], int]], ...] = (
    ("mobilenet_v1", 28, lambda alpha: int(32 * alpha)),
    ("mobilenet_v2", 53, lambda alpha: divisible(32 * alpha)),
)


def settle_preprocess(
    model: Any, *, stated: StatedPreprocess, in_file: PreprocessSpec | None
) -> tuple[PreprocessSpec, str | None]:
    """The preprocessing, its ``source`` saying where it is from, and a warning where it had to be assumed.

    Raises:
        PreprocessError: nothing says what it is.
    """
    base, warning = _base(model, in_file)
    if not stated.is_empty:
        return stated.over(base), None
    if base is None:
        raise PreprocessError(
            "nothing says how a picture becomes this model's input: neither you, nor the file, nor its layers",
            hints="state it as the model was trained: --preprocess inception|torch|caffe|raw|mean=..,std=..",
        )
    return base, warning


def _base(model: Any, in_file: PreprocessSpec | None) -> tuple[PreprocessSpec | None, str | None]:
    if in_file is not None:
        return replace(in_file, source=PreprocessSource.FILE), None
    if (inferred := infer_preprocess(model)) is not None:
        return inferred, None
    name = likeness(model)
    if name is None:
        return None, None
    spec = parse_preprocess("inception", resize="crop:0.875")
    warning = f"the preprocessing is assumed, because the network is {name} layer by layer: {spec}"
    return replace(spec, source=PreprocessSource.ASSUMED), warning


def infer_preprocess(model: Any) -> PreprocessSpec | None:
    """Pixels as they are, where the network itself begins by normalizing them; None where it does not.

    A Rescaling counts that maps 0..255 into a small range: one that would make it larger is meant for other numbers.
    """
    for layer in _layers(model):
        name = type(layer).__name__
        if name == "Normalization" or (name == "Rescaling" and _takes_pixels(layer)):
            return replace(PRESETS["raw"], source=PreprocessSource.INFERRED)
        if name != "InputLayer" and not name.startswith(_AUGMENTATION):
            return None
    return None


def likeness(model: Any) -> str | None:
    """The registry's MobileNet V1 or V2 whose layers with weights are this model's, names ignored; else None."""
    layers = _weighted(model)
    shape = tuple(model.inputs[0].shape[1:]) if len(model.inputs) == 1 else ()
    classes = model.outputs[0].shape[-1]
    if not layers or len(shape) != 3 or None in shape or classes not in _IMAGENET_CLASSES:
        return None
    for name, num_layers, stem in _KNOWN:
        for alpha in _STANDARD_ALPHAS:
            if (len(layers), layers[0][1][-1]) != (num_layers, stem(alpha)):
                continue  # building a twin takes a second
            twin = build_model(name, alpha=alpha, input_shape=shape, classes=classes)
            if _weighted(twin) == layers:
                return f"{name} {alpha:g}"
    return None


def _layers(model: Any) -> Iterator[Any]:
    """The layers in order, those of nested models in the place of these."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _takes_pixels(layer: Any) -> bool:
    ends = [float(scale) * pixel + float(offset) for scale, offset in [_ends(layer)] for pixel in (0.0, 255.0)]
    return max(map(abs, ends)) <= 255.0


def _ends(layer: Any) -> tuple[float, float]:
    """The first of each, where they differ between channels."""
    scale, offset = layer.scale, layer.offset
    first = [value[0] if isinstance(value, list | tuple) else value for value in (scale, offset)]
    return float(first[0]), float(first[1])


def _weighted(model: Any) -> list[tuple[str, tuple[int, ...], Any]]:
    """(kind, shape of the kernel, strides) of each convolution and dense layer; a dense one counts as 1×1."""
    found: list[tuple[str, tuple[int, ...], Any]] = []
    for layer in _layers(model):
        name = type(layer).__name__
        if name in ("Conv2D", "Dense"):
            kernel = tuple(layer.kernel.shape)
            is_dense = name == "Dense"
            found.append(("conv", (1, 1, *kernel) if is_dense else kernel, (1, 1) if is_dense else layer.strides))
        elif name == "DepthwiseConv2D":
            found.append(("depthwise", tuple(layer.kernel.shape), layer.strides))
    return found
