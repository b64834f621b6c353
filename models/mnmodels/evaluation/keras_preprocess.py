"""How pictures become a Keras model's input: stated > in the file > inferred from its layers > assumed > an error."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras

from mninfer.errors import PreprocessError
from mninfer.preprocessing import PRESETS, PreprocessSource, PreprocessSpec, StatedPreprocess, parse_preprocess
from mnmodels.architectures.registry import build_model
from mnmodels.architectures.widths import divisible
from mnmodels.evaluation.leading_operations import affine_of, leading_operations, operations_of

__all__ = ["infer_preprocess", "likeness", "settle_preprocess"]

_AUGMENTATION = ("Random", "Resizing", "CenterCrop", "AutoContrast", "GaussianNoise")
_PLAIN = frozenset(
    ("InputLayer", "Conv2D", "DepthwiseConv2D", "Dense", "BatchNormalization", "Activation", "ReLU", "Softmax",
     "Add", "ZeroPadding2D", "AveragePooling2D", "GlobalAveragePooling2D", "Dropout", "SpatialDropout2D", "Reshape",
     "Flatten", "Identity")
)  # fmt: skip
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
    """The preprocessing, its ``source`` saying where it is from, and a warning where it is assumed or comes twice.

    Raises:
        PreprocessError: nothing says what it is.
    """
    base, warning = _base(model, in_file)
    if not stated.is_empty:
        return stated.over(base), _normalizes_twice(model, stated.preprocess)
    if base is None:
        raise PreprocessError(
            "nothing says how a picture becomes this model's input: neither you, nor the file, nor its layers",
            hints="state it as the model was trained: --preprocess inception|torch|caffe|raw|mean=..,std=..",
        )
    return base, warning


def _normalizes_twice(model: Any, stated: PreprocessSpec | None) -> str | None:
    """A warning where pixels are normalized for a network whose own layers expect them as they are."""
    raw = PRESETS["raw"]
    if stated is None or (stated.mean, stated.std) == (raw.mean, raw.std) or infer_preprocess(model) is None:
        return None
    return "pixels are normalized twice, as stated and by the network's own first layers: --preprocess raw does it once"


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

    Layers count (Rescaling, Normalization) and arithmetic with constants (``inputs / 127.5 - 1``), taken together, that
    map 0..255 into a range no larger: what makes it larger is meant for other numbers.
    """
    low, high = 0.0, 255.0  # the ends, of the first channel
    is_normalizing = False
    for operation in leading_operations(model):
        name = type(operation).__name__
        if name == "Normalization":
            return replace(PRESETS["raw"], source=PreprocessSource.INFERRED)
        if (affine := affine_of(operation)) is not None:
            scale, offset = affine[0][0], affine[1][0]
            low, high = low * scale + offset, high * scale + offset
            is_normalizing |= (scale, offset) != (1.0, 0.0)
        elif not name.startswith(_AUGMENTATION):
            break
    takes_pixels = is_normalizing and max(abs(low), abs(high)) <= 255.0
    return replace(PRESETS["raw"], source=PreprocessSource.INFERRED) if takes_pixels else None


def likeness(model: Any) -> str | None:
    """The registry's MobileNet V1 or V2 whose layers with weights are this model's, names ignored; else None.

    None, too, where anything else is computed, in front above all: a network that normalizes in a way that isn't
    understood would be given normalized pixels, and normalize them again.
    """
    if any(map(_is_foreign, operations_of(model))):
        return None
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


def _is_foreign(operation: Any) -> bool:
    """Whether it computes what no layer of V1 and V2 does; a sum of two tensors is the Add layer in other words."""
    name = type(operation).__name__
    if isinstance(operation, keras.layers.Layer):
        return name not in _PLAIN and not name.startswith(_AUGMENTATION)
    return name != "Add" or affine_of(operation) is not None


def _weighted(model: Any) -> list[tuple[str, tuple[int, ...], Any]]:
    """(kind, shape of the kernel, strides) of each convolution and dense layer; a dense one counts as 1×1."""
    found: list[tuple[str, tuple[int, ...], Any]] = []
    for layer in operations_of(model):
        name = type(layer).__name__
        if name in ("Conv2D", "Dense"):
            kernel = tuple(layer.kernel.shape)
            is_dense = name == "Dense"
            found.append(("conv", (1, 1, *kernel) if is_dense else kernel, (1, 1) if is_dense else layer.strides))
        elif name == "DepthwiseConv2D":
            found.append(("depthwise", tuple(layer.kernel.shape), layer.strides))
    return found
