"""Biases: what rounding adds to each output on average is taken off again, and the rest is put into whole steps.

Analytic bias correction (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction",
section 4.2), with the expected inputs that BatchNorm gives.
"""

import numpy as np
import numpy.typing as npt

from mnconvert.quantize.plan import Array

__all__ = ["INT32_MARGIN", "INT48_MARGIN", "expected_shift", "least_scales", "quantized_bias"]

INT32_MARGIN = 2.0**30  # sums of products need the other half of an int32
INT48_MARGIN = 2.0**46  # what kernels of int16 activations keep of an int64


def expected_shift(change: Array, expected: Array, num_groups: int) -> Array:
    """What a change of weights [out, places, in of the group] adds to each output, given each input channel's mean."""
    num_out, _, num_in = change.shape
    grouped = change.sum(1).reshape(num_groups, num_out // num_groups, num_in)
    return np.asarray((grouped * expected.reshape(num_groups, 1, num_in)).sum(2).ravel())


def least_scales(bias: Array, input_scale: float, margin: float = INT32_MARGIN) -> Array:
    """The smallest weight scales whose biases fit: a channel of almost no weights may have a bias of any size."""
    return np.asarray(np.abs(bias) / (input_scale * margin))


def quantized_bias(bias: Array, scales: Array, dtype: type[np.integer]) -> npt.NDArray[np.integer]:
    """Whole steps of input scale times weight scale."""
    return np.round(bias / scales).astype(dtype)
