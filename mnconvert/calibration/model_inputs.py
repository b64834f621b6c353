"""Samples -> float32 tensors as the model's input takes them: pictures by the recorded preprocessing, tensors checked.

Tensors that were normalized in another way than is recorded would give ranges of another network: that is noticed.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.calibration.samples import SampleKind, Samples
from mninfer.errors import CalibrationError
from mninfer.preprocessing import PRESETS, Preprocessor, PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["check_values", "model_inputs"]

Array = npt.NDArray[np.float32]

# Shares of the width of a range. What pictures reach is within 5 % of its ends: some pixel is black and some is white.
_NEAR = 0.05
_OUTSIDE = 0.01
_LITTLE = 0.6

_WAYS: Mapping[str, PreprocessSpec] = MappingProxyType(
    {**PRESETS, "mean=0,std=255": PreprocessSpec(mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))}
)


def model_inputs(samples: Samples, preprocess: PreprocessSpec, tensor: TensorSpec) -> Iterator[Array]:
    """One tensor per sample, float32 in the shape of one picture: ``[1, height, width, channels]``.

    ``tensor`` is the model's float input, with any batch. Ask ``check_values`` beforehand what tensors are worth.

    Raises:
        InputError: a picture can no longer be read.
        CalibrationError: tensors of another shape than the input's.
    """
    one = (1, *tensor.shape[1:])
    if samples.kind is SampleKind.TENSORS:
        return _as_they_are(samples, one)
    spec = TensorSpec(name=tensor.name, shape=one, shape_signature=one, dtype="float32")
    return _preprocessed(samples, Preprocessor(preprocess, spec))


def _preprocessed(samples: Samples, preprocessor: Preprocessor) -> Iterator[Array]:
    for index in range(len(samples)):
        yield preprocessor(samples.load(index, cover=preprocessor.cover))


def _as_they_are(samples: Samples, shape: tuple[int, ...]) -> Iterator[Array]:
    for index in range(len(samples)):
        array: Array = samples.load(index)
        if array.shape != shape[1:]:
            raise CalibrationError(
                f"tensors of {list(array.shape)}: the model's input takes {list(shape[1:])}", where=samples.where
            )
        yield array[None]


def check_values(samples: Samples, preprocess: PreprocessSpec) -> tuple[str, ...]:
    """Warnings about tensors' values, beside what the recorded preprocessing makes of pixels; none for pictures.

    Raises:
        CalibrationError: they were plainly normalized in another way, or not all are finite.
    """
    if samples.kind is SampleKind.PICTURES:
        return ()
    low, high = _extremes(samples)
    meant = _range_of(preprocess)
    width = meant[1] - meant[0]
    told = (
        f"the tensors go from {low:.4g} to {high:.4g}, the recorded preprocessing from {meant[0]:.4g} to {meant[1]:.4g}"
    )
    hints = ("uint8 pictures instead: they are preprocessed as recorded", f"normalize them as recorded: {preprocess}")
    if _is_near(low, high, meant):
        return ()
    other = next((name for name, spec in _WAYS.items() if _is_near(low, high, _range_of(spec))), None)
    if other is not None:
        likeness = f"--preprocess {other}, if that is how the model was trained"
        raise CalibrationError(f"{told}: they look like {other}", where=samples.where, hints=(*hints, likeness))
    if low < meant[0] - _OUTSIDE * width or high > meant[1] + _OUTSIDE * width:
        raise CalibrationError(f"{told}: no picture becomes that", where=samples.where, hints=hints)
    return (f"{told}: pictures mostly use all of it",) if high - low < _LITTLE * width else ()


def _extremes(samples: Samples) -> tuple[float, float]:
    arrays: list[npt.NDArray[Any]] = [samples.load(index) for index in range(len(samples))]
    for name, array in zip(samples.names, arrays, strict=True):
        if not np.isfinite(array).all():
            raise CalibrationError(f"{name} holds values that are not finite", where=samples.where)
    return min(float(array.min()) for array in arrays), max(float(array.max()) for array in arrays)


def _range_of(spec: PreprocessSpec) -> tuple[float, float]:
    """What black and white become, at their widest over the channels."""
    ends = [((0 - mean) / std, (255 - mean) / std) for mean, std in zip(spec.mean, spec.std, strict=True)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _is_near(low: float, high: float, meant: tuple[float, float]) -> bool:
    leeway = _NEAR * (meant[1] - meant[0])
    return abs(low - meant[0]) <= leeway and abs(high - meant[1]) <= leeway
