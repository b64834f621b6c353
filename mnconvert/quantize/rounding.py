"""Weights to whole steps: to the nearest, and then the cheapest few the other way, until each filter's errors cancel.

SQuant (Guo et al. 2022, "SQuant: On-the-Fly Data-Free Quantization via Diagonal Hessian Approximation"), at the level
of filters: a filter whose rounding errors sum to zero shifts its output by nothing where its inputs are alike.
"""

import numpy as np
import numpy.typing as npt

from mnconvert.quantize.plan import Array
from mnconvert.quantize.scales import INT8_MAX

__all__ = ["round_weights"]


def round_weights(weights: Array, scales: Array, *, is_balanced: bool = True) -> tuple[npt.NDArray[np.int8], int]:
    """[out, ...] weights and a scale for each of ``out`` -> int8 steps, and how many are not the nearest one."""
    exact = weights.reshape(weights.shape[0], -1) / scales[:, None]
    steps = np.clip(np.round(exact), -INT8_MAX, INT8_MAX)
    if not is_balanced:
        return steps.astype(np.int8).reshape(weights.shape), 0
    error = steps - exact
    excess = error.sum(1)
    num_flips = np.round(np.abs(excess)).astype(np.int64)
    # Towards the sum's other side a flip costs least where the rounding was furthest to this one.
    gain = error * np.sign(excess)[:, None]
    gain[np.abs(steps) >= INT8_MAX] = -np.inf
    ranks = np.argsort(np.argsort(-gain, 1, kind="stable"), 1, kind="stable")
    is_flipped = (ranks < num_flips[:, None]) & (gain > 0)
    steps -= is_flipped * np.sign(excess)[:, None]
    return steps.astype(np.int8).reshape(weights.shape), int(is_flipped.sum())
