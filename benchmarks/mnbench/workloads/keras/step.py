"""One step of a training framework as a value: a call that returns when all is computed, and what it computed.

Knows no framework: each makes a step of its own (``on_tensorflow.py``, ``on_jax.py``, ``on_torch.py``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnbench.workloads.protocol import Array

__all__ = ["KerasWorkload", "Step", "loss_and_norms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``call`` computes and waits; ``to_arrays`` makes of its result what is compared, and isn't timed."""

    call: Callable[[], Any]
    to_arrays: Callable[[Any], Sequence[Array]]
    facts: Mapping[str, Any]


class KerasWorkload:
    """A step that has been compiled: its first call has been made when it was opened."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._call = step.call
        self._result = step.call()

    def run(self) -> None:
        self._result = self._call()

    def parts_ns(self) -> Mapping[str, int]:
        """No parts: a compiled pass is one."""
        return {}

    def outputs(self) -> Sequence[Array]:
        """Forward the scores; forward-backward the loss, and the norm of each gradient in the order of the weights."""
        return self._step.to_arrays(self._result)

    def facts(self) -> Mapping[str, Any]:
        return self._step.facts

    def close(self) -> None:
        self._result = None


def loss_and_norms(loss: Any, gradients: Sequence[Any], loss_scale: float) -> tuple[Array, Array]:
    """The loss, and the Euclidean norm of each gradient, in float32 and without the scale."""
    norms = [np.linalg.norm(np.asarray(gradient, np.float64)) / loss_scale for gradient in gradients]
    return np.asarray([loss], np.float32) / np.float32(loss_scale), np.asarray(norms, np.float32)
