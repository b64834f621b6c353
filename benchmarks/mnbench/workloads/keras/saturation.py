"""The batch that saturates a device: doubled until throughput hardly rises, or memory ends.

``python -m mnbench.workloads.keras.saturation JOB.json OUTCOME.json [MOST]`` finds it in a process of its own, and
writes after each batch what it knows: a process that runs out of memory is ended by the system without a word.
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

from mnbench.cell import Device
from mnbench.ends_with_parent import end_with_parent
from mnbench.job import Job
from mnbench.machine.host import Host
from mnbench.machine.memory import read_memory_available
from mnbench.process_memory import read_memory
from mnbench.sampling import sample
from mnbench.workloads.keras.opening import open_backend
from mnbench.workloads.keras.step import KerasWorkload
from mninfer.errors import EngineError, MnError

__all__ = ["Ending", "Saturation", "find_saturating_batch", "main", "saturating_batch"]

_MOST = 1024
_MOST_OF_MEMORY = 0.8  # of what is left: other programs go on
_FLAT_DOUBLINGS = 2  # in a row: one may have been disturbed, or lie between two of a device's tile sizes


class Ending(StrEnum):
    """Why the batch is not doubled again."""

    FLAT = "flat"  # throughput rose by less than asked, twice or as often as could be tried
    MEMORY = "memory"  # the engine refused the next one
    LIMIT = "limit"  # the next one is more than was allowed
    ENDED = "ended"  # the process was ended at the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """``batch`` is the last whose throughput rose enough; ``tried`` has pictures a second of each batch, in order."""

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
    throughput: Callable[[int], float],
    *,
    first: int = 1,
    most: int = 4096,
    least_gain: float = 0.05,
    keep: Callable[[Saturation], None] = lambda _: None,
) -> Saturation:
    """Double the batch from ``first`` on until two doublings in a row raise ``throughput`` by less than ``least_gain``.

    An EngineError of ``throughput`` at a batch ends it there; at the first batch it is raised. ``keep`` gets, before
    each batch but the first, what is to be said if that one ends the process.

    >>> saturating_batch(lambda batch: min(batch, 8) * 100.0).batch
    8
    """
    if not 1 <= first <= most:
        raise ValueError(f"a batch from {first} to {most} is none")
    tried = {first: throughput(first)}
    batch = tested = first

    def found(ending: Ending, reason: str = "") -> Saturation:
        if tested > batch and ending is not Ending.FLAT:  # one doubling, at least, has shown that it is flat
            ending, reason = Ending.FLAT, ""
        return Saturation(batch=batch, ending=ending, tried=dict(tried), reason=reason)

    while 2 * tested <= most:
        keep(found(Ending.ENDED, f"the process was ended at a batch of {2 * tested}"))
        try:
            tried[2 * tested] = throughput(2 * tested)
        except EngineError as error:
            return found(Ending.MEMORY, error.what)
        tested *= 2
        if tried[tested] >= tried[batch] * (1.0 + least_gain):
            batch = tested
        elif tested == batch << _FLAT_DOUBLINGS:
            return found(Ending.FLAT)
    return found(Ending.LIMIT)


def main(argv: Sequence[str] | None = None) -> int:
    """Find the batch of a job's cell, of ``MOST`` at the most, and write it, or the ``error``; 0 where it was found."""
    job_path, outcome_path, *most = sys.argv[1:] if argv is None else argv
    job = Job.from_json(json.loads(Path(job_path).read_text(encoding="utf-8")))

    def keep(found: Saturation) -> None:
        _write(found.to_json(), Path(outcome_path))

    try:
        keep(find_saturating_batch(job, most=int(most[0]) if most else _MOST, keep=keep))
    except MnError as error:
        _write({"error": str(error)}, Path(outcome_path))
        return 1
    return 0


def _write(outcome: Mapping[str, Any], path: Path) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(outcome), encoding="utf-8")
    part.replace(path)


def find_saturating_batch(
    job: Job, *, most: int = _MOST, keep: Callable[[Saturation], None] = lambda _: None
) -> Saturation:
    """Measure the job's cell, in this process, at one batch after the other, each within the job's budget.

    The cell's own batch and the job's input don't matter. The process has to be started with the environment of the
    cell. On a CPU no batch is tried that the memory which is left has no room for. Raises what ``open_workload`` does.
    """
    backend = open_backend(replace(job, input=None))
    shape = backend.network.input_shape
    room = _Room() if job.cell.device is Device.CPU else None

    def throughput(batch: int) -> float:
        if room is not None:
            room.check(batch)
        pictures = np.random.default_rng(0).uniform(-1.0, 1.0, (batch, *shape)).astype(np.float32)
        workload = KerasWorkload(backend.step(pictures))
        try:
            return batch * 1e9 / median(sample(workload.run, job.budget).samples_ns)
        finally:
            workload.close()

    return saturating_batch(throughput, most=most, keep=keep)


class _Room:
    """Holds what a batch will take, told from what the ones before took, against the memory that is left."""

    def __init__(
        self,
        peak: Callable[[], int | None] = lambda: read_memory().get("peak_bytes"),
        available: Callable[[], int | None] = lambda: read_memory_available(Host()),
    ) -> None:
        self._peak = peak
        self._available = available
        self._peak_at_first = peak() or 0

    def check(self, batch: int) -> None:
        """Raise EngineError where there is no room: twice the batch takes twice what the last took at its most."""
        available = self._available()
        taken = (self._peak() or 0) - self._peak_at_first
        if available is not None and 2 * taken > _MOST_OF_MEMORY * available:
            sizes = f"{2 * taken / 1e9:.1f} GB of memory, and {available / 1e9:.1f} are left"
            raise EngineError(f"a batch of {batch} would take about {sizes}")


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
