"""What the worker times: something that is ready, runs once when told to, and knows what it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Workload"]

Array = npt.NDArray[np.float32]


class Workload(Protocol):
    """One engine with one model, opened by a module's ``open_workload(job)``.

    Opening raises MissingDependencyError where the engine isn't installed, EngineError or UnsupportedModelError where
    it refuses; the cell then stands in the record with that reason.
    """

    def run(self) -> None:
        """All of what is timed, finished when it returns: a device that computes later has been waited for.

        The input lies ready where the engine keeps one (an interpreter's tensor); where its interface takes the input
        with each call, handing it over is part of the run.
        """

    def parts_ns(self) -> Mapping[str, int]:
        """The last run's nanoseconds by part, in order; empty where it has none. Not timed itself."""

    def outputs(self) -> Sequence[Array]:
        """The last run's outputs in float32 (dequantized): the forward pass's scores; of a backward pass the loss
        and the norm of each gradient; empty where there is nothing to compare.
        """

    def facts(self) -> Mapping[str, Any]:
        """What is in effect, as JSON: ``version`` of the engine always; ``coverage`` of a delegate ({"num_operators",
        "num_delegated", "delegate"}), ``precision``, ``instruction_set``, ``threads`` where the engine tells.
        """

    def close(self) -> None: ...
