"""One scale for all channels of a weight: the one that leaves the outputs the least noise, not the one that fits all.

The largest weight of a network after folding may be a hundred times that of another channel, which would get two or
three steps. Clipping a few large weights, and correcting the mean in the bias, costs less than that. No data is needed:
BatchNorm gives the deviation of each input and of each output.
"""

import numpy as np

from mnconvert.quantize.plan import Array
from mnconvert.quantize.rounding import round_weights

__all__ = ["least_noise_scale", "output_noise"]

_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1)
# How much inputs move together, from 0 (each for itself) to 1. On V2 1.0, its _b and V1 0.25/128 per tensor, 500
# pictures: -0.4, -1.4 and -0.4 points at 0; +0.2, -0.4 and -0.4 at 0.5; -0.2, -0.8 and -1.2 at 2.
_TOGETHER = 0.5


def least_noise_scale(weights: Array, scale: float, input_std: Array, output_std: Array) -> float:
    """``scale`` or a share of it; ``weights`` [out, places, in], ``input_std`` [out, 1, in], ``output_std`` [out]."""
    is_alive = output_std > 1e-3 * output_std.max(initial=0.0)
    if not is_alive.any():
        return scale
    power = np.maximum(output_std[is_alive] ** 2, 1e-12)

    def loss(share: float) -> float:
        """Noise to signal of each output channel; one that is lost can't be lost twice."""
        scales = np.full(len(weights), scale * share)
        steps, _ = round_weights(weights, scales)
        noise = output_noise(steps * scales[:, None, None] - weights, input_std)
        return float(np.minimum(noise[is_alive] / power, 1.0).mean())

    return scale * min(_SHARES, key=loss)


def output_noise(change: Array, input_std: Array) -> Array:
    """The variance that a change of weights adds to each output; what it adds to the mean, the bias takes off."""
    each = change * input_std
    return np.asarray((each**2).sum((1, 2)) + _TOGETHER * each.sum((1, 2)) ** 2)
