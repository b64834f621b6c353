"""Ranges to scales and zero points, as TFLite's quantization specification has them."""

import numpy as np

from mnconvert.quantize.plan import Array

__all__ = ["INT8_MAX", "asymmetric", "symmetric", "symmetric_scales"]

INT8_MAX = 127  # weights keep to -127..127, so that their zero point is 0
_LEAST_SPAN = 1e-6


def asymmetric(low: float, high: float) -> tuple[float, int]:
    """An int8 activation's scale and zero point; 0 is always a step of its own.

    >>> asymmetric(0.0, 6.0)
    (0.0235294122248888, -128)
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32(max(high - low, _LEAST_SPAN) / 255))
    return scale, int(np.clip(round(-128 - low / scale), -128, 127))


def symmetric(low: float, high: float) -> tuple[float, int]:
    """An int16 activation's scale; its zero point is 0.

    >>> symmetric(-6.0, 1.0)[1]
    0
    """
    return float(np.float32(max(abs(low), abs(high), _LEAST_SPAN) / 32767)), 0


def symmetric_scales(weights: Array, *, is_per_tensor: bool) -> Array:
    """The step of each output channel's weights, [out, ...]; or the largest of them for all."""
    largest = np.abs(weights.reshape(weights.shape[0], -1)).max(1)
    if is_per_tensor:
        largest = np.full_like(largest, largest.max(initial=0.0))
    return np.asarray(np.maximum(largest, 1e-12) / INT8_MAX)
