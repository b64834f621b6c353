"""What is believed of a tensor's values: a Gaussian per channel, bent by the functions that it has gone through.

Values are held at fixed points of a standard normal variable, so that a function of a function, or a product of two
functions of one tensor (x times its own sigmoid), is exact to the grid. Arrays have the tensor's rank, with size 1
where all places are alike: [1, 1, 1, channels] for a feature map.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from mnconvert.quantize.plan import Array

__all__ = ["ALIKE", "SIGMAS", "State"]

ALIKE = 0.5
SIGMAS = 6.0  # how far a range goes: 4 clips (79.8 % of 89.5 on MobileNet V2), 8 gives what 6 does
_POINTS = np.linspace(-SIGMAS, SIGMAS, 161)  # a step of 0.075 deviations: a clipped Gaussian is right to 0.0005
_WEIGHTS = np.exp(-(_POINTS**2) / 2) / np.exp(-(_POINTS**2) / 2).sum()
_ROOTS = count()


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """``values`` are [..., points]; tensors of one ``root`` move together, those of two are taken as independent.

    ``steadiness`` is how much of its deviation is left once places were averaged; the range stays as wide.
    """

    values: Array
    root: int
    steadiness: float = 1.0

    @classmethod
    def gaussian(cls, mean: Array, std: Array, low: Array | float = -np.inf, high: Array | float = np.inf) -> "State":
        """A tensor of its own, never outside [low, high]."""
        values = mean[..., None] + std[..., None] * _POINTS
        bounds = (np.broadcast_to(np.asarray(bound, np.float64), mean.shape)[..., None] for bound in (low, high))
        return cls(np.clip(values, *bounds), next(_ROOTS))

    @property
    def mean(self) -> Array:
        return np.asarray(self.values @ _WEIGHTS)

    @property
    def std(self) -> Array:
        centred = self.values - self.mean[..., None]
        return np.asarray(np.sqrt((centred * centred) @ _WEIGHTS))

    @property
    def low(self) -> Array:
        return np.asarray(self.values.min(-1))

    @property
    def high(self) -> Array:
        return np.asarray(self.values.max(-1))

    def within(self, sigmas: float) -> tuple[float, float]:
        """The lowest and the highest value of any channel, up to so many deviations of what it comes from."""
        values = self.values[..., np.abs(_POINTS) <= sigmas + 1e-9]
        return float(values.min()), float(values.max())

    @property
    def usual_std(self) -> Array:
        """That of one picture's value: of an average over places less than of the places themselves."""
        return np.asarray(self.std * self.steadiness)

    def through(self, function: Callable[[Array], Array]) -> "State":
        """A function of each value; it still moves with its root."""
        return State(function(self.values), self.root, self.steadiness)

    def arranged(self, arrange: Callable[[Array], Array]) -> "State":
        """The same values in other places: ``arrange`` is given each array without the points, one point at a time."""
        moved = np.moveaxis(self.values, -1, 0)
        return State(np.stack([arrange(each) for each in moved], -1), self.root, self.steadiness)

    def pooled(self) -> "State":
        """After pooling: no longer in step with the map that it came from, and as wide."""
        return State(self.values, next(_ROOTS), self.steadiness)

    def averaged(self) -> "State":
        """After averaging all places, which are about half alike; a channel that fires everywhere keeps its range.

        Measured on four networks, the pooled deviation is 0.49, 0.51, 0.65 and 0.71 of the map's.
        """
        return State(self.values, next(_ROOTS), ALIKE**0.5)
