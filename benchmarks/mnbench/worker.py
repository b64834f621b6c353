"""One fresh process that measures one cell: ``python -m mnbench.worker JOB.json OUTCOME.json``.

It says everything through the outcome file: an engine's own chatter goes where the parent sends it. Standard library
alone until the engine is opened: the environments of peers have nothing else of ours than this package and mninfer.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter_ns
from typing import Any, cast

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Device, Work
from mnbench.ends_with_parent import end_with_parent
from mnbench.job import Job
from mnbench.machine import EnergyMeter, read_conditions
from mnbench.pinning import pin_to_fastest
from mnbench.process_memory import read_memory
from mnbench.reasons import one_line
from mnbench.record import Process, Status
from mnbench.sampling import sample
from mnbench.workloads.protocol import Workload
from mninfer.errors import MissingDependencyError, MnError, VariantError

__all__ = ["main", "measure", "open_workload"]

_BY_WORK = {
    Work.PHOTO_TO_LABEL: "mnbench.workloads.photo_to_label",
    Work.COLD_START: "mnbench.workloads.cold_start",
    Work.IMPORT: "mnbench.workloads.import_time",
}
_BY_KIND = {
    EngineKind.FLATBUFFER: "mnbench.workloads.flatbuffer",
    EngineKind.KERAS: "mnbench.workloads.keras",
    EngineKind.PEER: "mnbench.peers.workload",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the job says and write the outcome; 0 unless the outcome itself could not be written."""
    job_path, outcome_path = sys.argv[1:] if argv is None else argv
    outcome = _outcome_of(Job.from_json(json.loads(Path(job_path).read_text(encoding="utf-8"))))
    part = Path(f"{outcome_path}.part")
    part.write_text(json.dumps(outcome), encoding="utf-8")
    part.replace(outcome_path)
    return 0


def _outcome_of(job: Job) -> dict[str, Any]:
    """Measure, or tell why that is not possible: ``status``, ``reason`` and, where it was, ``process``."""
    try:
        return {"status": str(Status.MEASURED), "reason": "", "process": measure(job).to_json()}
    except (MissingDependencyError, VariantError) as error:
        return {"status": str(Status.MISSING), "reason": one_line(error)}
    except MnError as error:
        return {"status": str(Status.FAILED), "reason": one_line(error)}


def measure(job: Job) -> Process:
    """Open the engine, run it once, warm it up, sample it, and note what the machine was like meanwhile.

    Its outputs are those of the first run and are written before anything is timed for good. A whole process is left
    on all cores, as a user's is.
    """
    pinned = None if job.cell.work.is_whole_process else pin_to_fastest(job.cell.threads)
    has_gpu = job.cell.device is Device.GPU
    before = read_conditions(with_gpu=has_gpu)
    begin = perf_counter_ns()
    workload = open_workload(job)
    open_ns = perf_counter_ns() - begin
    meter = EnergyMeter()
    meter.start()
    first_ns = _first_run(workload, job.outputs)
    samples = sample(workload.run, job.budget, parts_of=workload.parts_ns)
    joules = meter.joules()
    memory = read_memory()  # before the facts: an engine may open the model once more to tell them
    facts = workload.facts()
    workload.close()  # before the last reading: the time of children is ours from their end on
    after = read_conditions(with_gpu=has_gpu)
    return Process(
        round=0,
        samples_ns=samples.samples_ns,
        warm_up_ns=first_ns + samples.warm_up_ns,
        is_stable=samples.is_stable,
        parts_ns=samples.parts_ns,
        open_ns=open_ns,
        facts=facts,
        conditions={
            "before": before,
            "after": after,
            "pinned_to": pinned,
            "num_runs": len(first_ns) + samples.num_runs,
            "sampled_ns": samples.sampled_ns,
            **memory,
            "energy_joules": joules,
        },
    )


def _first_run(workload: Workload, outputs: Path | None) -> tuple[int, ...]:
    """Where the outputs are asked for: one run, its time, and the outputs as ``output_0``, ``output_1``, …"""
    if outputs is None:
        return ()
    begin = perf_counter_ns()
    workload.run()
    taken_ns = perf_counter_ns() - begin
    import numpy as np

    arrays: Mapping[str, Any] = {f"output_{i}": output for i, output in enumerate(workload.outputs())}
    with outputs.open("wb") as file:
        np.savez(file, **arrays)
    return (taken_ns,)


def open_workload(job: Job) -> Workload:
    """The engine of the job's cell, with its model, ready to run."""
    module = _BY_WORK.get(job.cell.work) or _BY_KIND[engine_entry(job.cell.engine).kind]
    return cast(Workload, import_module(module).open_workload(job))


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
