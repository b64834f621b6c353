"""The layers with which a network normalizes its own pictures: found, read as numbers, and later taken out.

They become the recorded preprocessing, so that a float file expects normalized input and an integer file takes pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from mninfer.preprocessing import Interpolation, PreprocessSpec, Resize
from mnmodels.evaluation.leading_operations import affine_of, leading_operations

__all__ = ["LeadingLayers", "find_leading_layers", "with_leading_layers"]

_Channels = tuple[float, float, float]
_Affine = tuple[_Channels, _Channels]  # mean and std

_IDLE = ("Random", "Gaussian", "Dropout", "SpatialDropout", "ActivityRegularization")
_RESIZES = {"crop_to_aspect_ratio": Resize.CROP, "pad_to_aspect_ratio": Resize.LETTERBOX}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadingLayers:
    """What they compute together: (x - mean) / std per channel, after a resize where there is one.

    ``layers`` are their ids; ``names`` what they are called, in order. ``size`` is (height, width) after the resize.
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layers: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    resize: Resize | None = None

    @property
    def is_idle(self) -> bool:
        """Whether they leave values as they are."""
        return self.mean == (0.0, 0.0, 0.0) and self.std == (1.0, 1.0, 1.0)


def find_leading_layers(model: Any) -> LeadingLayers:
    """Follow the one picture from the input through layers that normalize, resize or (in training) augment it."""
    found = LeadingLayers()
    for layer in leading_operations(model):
        following = _after(found, layer)
        if following is None:
            break
        found = following
    return found


def with_leading_layers(spec: PreprocessSpec, leading: LeadingLayers) -> PreprocessSpec:
    """``spec`` says how a picture becomes the model's input; the result, how it becomes what follows these layers."""
    mean, std = _composed((spec.mean, spec.std), (leading.mean, leading.std))
    resized: dict[str, Any] = {}
    if leading.resize is not None and spec.resize is Resize.STRETCH:
        resized = {"resize": leading.resize, "interpolation": Interpolation.BILINEAR}
    return replace(spec, mean=mean, std=std, **resized)


def _after(found: LeadingLayers, layer: Any) -> LeadingLayers | None:
    """``found`` and one layer more; None where the layer is the network's own."""
    name = type(layer).__name__
    more: dict[str, Any] = {"layers": found.layers | {id(layer)}, "names": (*found.names, layer.name)}
    if _is_idle(layer):
        return replace(found, **more)
    if name == "Resizing" and _is_plain_resizing(layer):
        kinds = [kind for option, kind in _RESIZES.items() if getattr(layer, option, False)]
        size = (int(layer.height), int(layer.width))
        return replace(found, **more, size=size, resize=(kinds or [Resize.STRETCH])[0])
    affine = _reads(layer)
    if affine is None:
        return None
    mean, std = _composed((found.mean, found.std), affine)
    return replace(found, mean=mean, std=std, **more)


def _composed(first: _Affine, second: _Affine) -> _Affine:
    """One normalization after another, as one."""
    means = [m + own * s for m, own, s in zip(first[0], second[0], first[1], strict=True)]
    stds = [s * own for s, own in zip(first[1], second[1], strict=True)]
    return (means[0], means[1], means[2]), (stds[0], stds[1], stds[2])


def _is_idle(layer: Any) -> bool:
    name = type(layer).__name__
    is_own = isinstance(layer, keras.layers.Layer) and type(layer).__module__.startswith("keras.")
    return is_own and (name.startswith(_IDLE) or name in ("InputLayer", "Identity"))


def _is_plain_resizing(layer: Any) -> bool:
    """Bilinear, and a letterbox of black bars at the most: what our preprocessing can do as well."""
    return getattr(layer, "interpolation", None) == "bilinear" and not getattr(layer, "pad_to_aspect_ratio", False)


def _reads(layer: Any) -> _Affine | None:
    """What normalizes, as mean and std: a Rescaling, a Normalization, arithmetic with constants. None of another."""
    name = type(layer).__name__
    if (affine := affine_of(layer)) is not None:
        scale, offset = affine
        if min(scale) <= 0:
            return None
        return _three_of(-o / s for o, s in zip(offset, scale, strict=True)), _three_of(1 / s for s in scale)
    if name == "Normalization" and not getattr(layer, "invert", False) and getattr(layer, "mean", None) is not None:
        mean, variance = _three(layer.mean), _three(layer.variance)
        if mean is None or variance is None:
            return None
        epsilon = float(keras.backend.epsilon())
        return mean, _three_of(max(float(np.sqrt(value)), epsilon) for value in variance)
    return None


def _three(value: Any) -> _Channels | None:
    """A number, or one for each of three channels."""
    numbers = np.asarray(keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value, np.float64).ravel()
    if numbers.size not in (1, 3) or not np.isfinite(numbers).all():
        return None
    return _three_of(float(number) for number in np.broadcast_to(numbers, 3))


def _three_of(numbers: Iterable[float]) -> _Channels:
    first, second, third = numbers
    return first, second, third
