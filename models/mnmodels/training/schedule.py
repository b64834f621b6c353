"""The learning rate of every step, as one array: what is trained with can be printed, plotted and tested."""

import numpy as np
from numpy.typing import NDArray

from mnmodels.training.recipe import ScheduleSpec

__all__ = ["learning_rates"]


def learning_rates(spec: ScheduleSpec, peak: float, epochs: int, steps_per_epoch: int) -> NDArray[np.float32]:
    """One learning rate per step, ``epochs * steps_per_epoch`` of them.

    Warm-up rises in a straight line to ``peak``; the rest of the schedule begins where it ends, except that the
    milestones of a step schedule are epochs from the start.

    >>> learning_rates(ScheduleSpec(name="cosine"), 1.0, epochs=2, steps_per_epoch=2)
    array([1.        , 0.8535534 , 0.5       , 0.14644662], dtype=float32)
    """
    steps = np.arange(epochs * steps_per_epoch, dtype=np.float64)
    warmup = min(spec.warmup_epochs * steps_per_epoch, float(len(steps)))
    if spec.name == "cosine":
        share = np.clip((steps - warmup) / max(len(steps) - warmup, 1), 0, 1)
        rates = spec.final + (1 - spec.final) * (1 + np.cos(np.pi * share)) / 2
    elif spec.name == "step":
        rates = spec.factor ** _num_drops(spec, steps / steps_per_epoch)
    else:
        rates = np.ones_like(steps)
    return np.asarray(peak * np.where(steps < warmup, np.minimum((steps + 1) / max(warmup, 1), 1), rates), np.float32)


def _num_drops(spec: ScheduleSpec, epochs: NDArray[np.float64]) -> NDArray[np.float64]:
    if spec.every:
        return np.floor(epochs / spec.every)
    return np.searchsorted(np.asarray(sorted(spec.milestones)), epochs, side="right").astype(np.float64)
