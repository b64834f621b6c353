"""The batch that saturates a device: doubled until throughput hardly rises, or memory ends.

``python -m mnbench.workloads.keras.saturation JOB.json OUTCOME.json [MOST]`` finds it in a process of its own.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from mnbench.job import Job
from mnbench.sampling import sample
from mnbench.workloads.keras.opening import open_backend
from mnbench.workloads.keras.step import KerasWorkload
from mninfer.errors import EngineError, MnError

__all__ = ["Ending", "Saturation", "find_saturating_batch", "main", "saturating_batch"]

_MOST = 1024


class Ending(StrEnum):
    """Why the batch is not doubled again."""

    FLAT = "flat"  # throughput rose by less than asked
    MEMORY = "memory"  # the engine refused the next one
    LIMIT = "limit"  # the next one is more than was allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """``batch`` is the last whose throughput rose; ``tried`` has pictures a second of each batch, in order."""

    batch: int
    ending: Ending
    tried: Mapping[int, float]
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "batch": self.batch,
            "ending": str(self.ending),
            "pictures_per_second": {str(batch): round(value, 3) for batch, value in self.tried.items()},
            "reason": self.reason,
        }


def saturating_batch(
    throughput: Callable[[int], float], *, first: int = 1, most: int = 4096, least_gain: float = 0.05
) -> Saturation:
    """Double the batch from ``first`` on until ``throughput`` rises by less than ``least_gain``.

    An EngineError of ``throughput`` at a batch ends it there; at the first batch it is raised.

    >>> saturating_batch(lambda batch: min(batch, 8) * 100.0).batch
    8
    """
    if not 1 <= first <= most:
        raise ValueError(f"a batch from {first} to {most} is none")
    tried = {first: throughput(first)}
    batch = first
    while 2 * batch <= most:
        try:
            tried[2 * batch] = throughput(2 * batch)
        except EngineError as error:
            return Saturation(batch=batch, ending=Ending.MEMORY, tried=tried, reason=error.what)
        if tried[2 * batch] < tried[batch] * (1.0 + least_gain):
            return Saturation(batch=batch, ending=Ending.FLAT, tried=tried)
        batch *= 2
    return Saturation(batch=batch, ending=Ending.LIMIT, tried=tried)


def main(argv: Sequence[str] | None = None) -> int:
    """Find the batch of a job's cell, of ``MOST`` at the most, and write it, or the ``error``; 0 where it was found."""
    job_path, outcome_path, *most = sys.argv[1:] if argv is None else argv
    job = Job.from_json(json.loads(Path(job_path).read_text(encoding="utf-8")))
    try:
        outcome = find_saturating_batch(job, most=int(most[0]) if most else _MOST).to_json()
    except MnError as error:
        outcome = {"error": str(error)}
    Path(outcome_path).write_text(json.dumps(outcome), encoding="utf-8")
    return 1 if "error" in outcome else 0


def find_saturating_batch(job: Job, *, most: int = _MOST) -> Saturation:
    """Measure the job's cell, in this process, at one batch after the other, each within the job's budget.

    The cell's own batch and the job's input don't matter. The process has to be started with the environment of the
    cell. Raises what ``open_workload`` does.
    """
    backend = open_backend(replace(job, input=None))
    shape = backend.network.input_shape

    def throughput(batch: int) -> float:
        pictures = np.random.default_rng(0).uniform(-1.0, 1.0, (batch, *shape)).astype(np.float32)
        workload = KerasWorkload(backend.step(pictures))
        try:
            return batch * 1e9 / median(sample(workload.run, job.budget).samples_ns)
        finally:
            workload.close()

    return saturating_batch(throughput, most=most)


if __name__ == "__main__":
    sys.exit(main())
