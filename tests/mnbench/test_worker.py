"""What a worker does, in which order, with a workload that takes notes."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench import worker
from mnbench.cell import Cell, Work
from mnbench.job import Budget, Job
from mnbench.machine.meanwhile import Meanwhile
from mnbench.record import Process, Status
from mnbench.workloads.protocol import Array
from mninfer.errors import EngineError, MissingDependencyError, VariantError

pytestmark = pytest.mark.smoke

BUSY_S = 0.4
# No number of threads: a test's process is not to be kept on a core.
CELL = Cell(work=Work.FORWARD, model="m", engine="litert", threads=None)
BURN = f"import time\nwhile time.process_time() < {BUSY_S}: pass"


class Notes:
    """A workload whose outputs count its runs; ``child`` is a process that nobody waits for before ``close``."""

    def __init__(self, child: Sequence[str] = ()) -> None:
        self.did: list[str] = []
        self._child = subprocess.Popen(child) if child else None

    def run(self) -> None:
        self.did.append("run")

    def parts_ns(self) -> Mapping[str, int]:
        return {}

    def outputs(self) -> Sequence[Array]:
        self.did.append("outputs")
        return [np.float32([self.did.count("run")])]

    def facts(self) -> Mapping[str, Any]:
        self.did.append("facts")
        return {"version": "1"}

    def close(self) -> None:
        self.did.append("close")
        if self._child is not None:
            self._child.wait()


def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workload: Notes, **changes: Any) -> Process:
    monkeypatch.setattr(worker, "open_workload", lambda _: workload)
    budget = Budget(seconds=0.01, warm_up_seconds=0.0, least_samples=3, most_samples=3)
    job = replace(Job(cell=CELL, budget=budget), **changes)
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()))
    assert worker.main([str(tmp_path / "job.json"), str(tmp_path / "outcome.json")]) == 0
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert outcome["status"] == Status.MEASURED
    return Process.from_json(outcome["process"], "process")


def test_the_outputs_are_written_before_anything_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = Notes()
    process = measured(tmp_path, monkeypatch, workload, outputs=tmp_path / "outputs.npz")
    assert workload.did == ["run", "outputs", "run", "run", "run", "run", "facts", "close"]
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert outputs["output_0"] == 1, "of the first run"
    assert len(process.warm_up_ns) == 2, "the first run is the first of the warm-up"
    assert len(process.samples_ns) == 3


def test_without_outputs_there_is_no_run_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = Notes()
    process = measured(tmp_path, monkeypatch, workload)
    assert workload.did == ["run", "run", "run", "run", "facts", "close"]
    assert len(process.warm_up_ns) == 1


def test_memory_is_read_before_an_engine_opens_its_model_again_to_tell_its_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = Notes()

    def read_memory() -> dict[str, int]:
        workload.did.append("memory")
        return {"peak_bytes": 1}

    monkeypatch.setattr(worker, "read_memory", read_memory)
    process = measured(tmp_path, monkeypatch, workload)
    assert workload.did[-3:] == ["memory", "facts", "close"]
    assert process.conditions["peak_bytes"] == 1


@pytest.mark.parametrize(
    ("work", "is_pinned"), [(Work.FORWARD, True), (Work.PHOTO_TO_LABEL, True), (Work.COLD_START, False)]
)
def test_a_whole_process_is_left_on_all_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Work, is_pinned: bool
) -> None:
    monkeypatch.setattr(worker, "pin_to_fastest", lambda threads: [7] * threads)
    process = measured(tmp_path, monkeypatch, Notes(), cell=replace(CELL, work=work, threads=1))
    assert process.conditions["pinned_to"] == ([7] if is_pinned else None)


def test_all_runs_are_counted_and_their_time_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = measured(tmp_path, monkeypatch, Notes(), outputs=tmp_path / "outputs.npz")
    assert process.conditions["num_runs"] == 5
    assert process.conditions["sampled_ns"] >= sum(process.samples_ns)


def test_the_time_of_its_children_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that end with the workload, as whole processes' launchers do: no other program took it."""
    process = measured(tmp_path, monkeypatch, Notes([sys.executable, "-I", "-S", "-c", BURN]))
    own_s = Meanwhile.of(process.conditions).rise("own_cpu_s")
    assert own_s is not None
    assert own_s >= BUSY_S - 0.02


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EngineError("it refuses"), "failed"),
        (MissingDependencyError("not there"), "missing"),
        (VariantError("it never does"), "missing"),
    ],
)
def test_what_can_t_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    def refuse(_: Job) -> Notes:
        raise error

    monkeypatch.setattr(worker, "open_workload", refuse)
    job = Job(cell=CELL, budget=Budget(seconds=0.01, warm_up_seconds=0.0))
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()))
    worker.main([str(tmp_path / "job.json"), str(tmp_path / "outcome.json")])
    told = json.loads((tmp_path / "outcome.json").read_text())
    assert told == {"status": status, "reason": str(error)}
