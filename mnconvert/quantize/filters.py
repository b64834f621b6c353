"""Every operator's weights in one shape, [out, places, in of the group], and back to what the file has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.quantize.plan import Array
from mninfer.model_file import Operator

__all__ = ["FILTERS", "Filter", "filter_of"]

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Where an operator has its picture, its weights and its bias; ``axis`` is that of the output channels."""

    source: int
    weights: int
    bias: int
    axis: int
    flat: Callable[[AnyArray], AnyArray]
    shaped: Callable[[AnyArray, tuple[int, ...]], AnyArray]

    def num_groups(self, flat: Array, num_channels: int) -> int:
        """Into how many groups the input's channels fall."""
        return max(1, num_channels // int(flat.shape[2]))


def _outer(weights: AnyArray) -> AnyArray:
    """[out, ..., in]."""
    return weights.reshape(weights.shape[0], -1, weights.shape[-1])


def _last(weights: AnyArray) -> AnyArray:
    """[1, height, width, out]."""
    return np.moveaxis(weights, 3, 0).reshape(weights.shape[3], -1, 1)


def _to_last(flat: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    return np.ascontiguousarray(np.moveaxis(flat.reshape(shape[3], 1, *shape[1:3]), 0, 3))


def _reshaped(flat: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    return flat.reshape(shape)


_CONVOLUTION = Filter(source=0, weights=1, bias=2, axis=0, flat=_outer, shaped=_reshaped)
FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "CONV_2D": _CONVOLUTION,
        "DEPTHWISE_CONV_2D": Filter(source=0, weights=1, bias=2, axis=3, flat=_last, shaped=_to_last),
        "FULLY_CONNECTED": _CONVOLUTION,
        "TRANSPOSE_CONV": Filter(source=2, weights=1, bias=3, axis=0, flat=_outer, shaped=_reshaped),
    }
)


def filter_of(operator: Operator) -> Filter | None:
    """None for an operator that has no weights."""
    return FILTERS.get(operator.name)
