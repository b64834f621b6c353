"""What was decided for every tensor, as data: for ``--explain``, the report and ``overwrite``."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Moments", "QuantPlan", "RangeSource", "Seen", "TensorPlan", "WeightPlan"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation of each channel of a tensor, [channels] each."""

    mean: Array
    std: Array


@dataclass(frozen=True, slots=True)
class Seen:
    """What pictures showed of an activation; means and deviations are per channel."""

    low: float
    high: float
    moments: Moments


class RangeSource(StrEnum):
    """How the range of an activation came to be known."""

    INPUT = "input"  # the recorded preprocessing of pixels 0..255
    BATCH_NORM = "batch norm"  # the statistics of a BatchNorm that ends here
    MOMENTS = "moments"  # moments that flowed here from BatchNorms or the input
    PICTURES = "pictures"  # measured on calibration pictures
    FIXED = "fixed"  # what the operator's definition says, as 1/256 for SOFTMAX
    SAME = "same"  # the operator passes numbers through, so it shares its input's scale


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlan:
    """One activation: its real range, and the scale and zero point that follow. ``why`` is a short sentence."""

    index: int
    name: str
    low: float
    high: float
    source: RangeSource
    scale: float
    zero_point: int
    dtype: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("name", "low", "high", "scale", "zero_point", "dtype", "why")
        } | {"source": str(self.source)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPlan:
    """A convolution's or matrix product's constants: ``values`` in int8 as the file has them, ``bias`` in int32 or 64.

    ``scales`` is one number or one per output channel along ``axis``; ``num_flipped`` counts weights that are not
    rounded to the nearest step; ``bias_shift`` is the largest correction of a bias, in units of its output's std.
    """

    operator: int
    name: str
    filter_index: int
    bias_index: int | None
    values: npt.NDArray[np.int8]
    scales: Array
    axis: int
    bias: npt.NDArray[np.integer[Any]] | None
    bias_scales: Array
    num_flipped: int
    bias_shift: float

    def to_json(self) -> dict[str, Any]:
        return {
            "operator": self.operator,
            "name": self.name,
            "shape": list(self.values.shape),
            "num_scales": int(self.scales.size),
            "scale_min": float(self.scales.min()),
            "scale_max": float(self.scales.max()),
            "num_flipped": self.num_flipped,
            "bias_shift": self.bias_shift,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantPlan:
    """All decisions of one quantization; ``kept_float`` are indices of operators that stay float."""

    tensors: tuple[TensorPlan, ...]
    weights: tuple[WeightPlan, ...]
    kept_float: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "tensors": [tensor.to_json() for tensor in self.tensors],
            "weights": [weight.to_json() for weight in self.weights],
            "kept_float": list(self.kept_float),
        }
