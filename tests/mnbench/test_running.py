"""Rounds of processes, without the processes: what is measured when, kept, tried again, and held against what."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench import running
from mnbench.cell import Cell, Variant, Work
from mnbench.job import Job
from mnbench.launching import Launch, Outcome
from mnbench.plan import Plan
from mnbench.record import MeasuredModel, Process, Record, Status
from mnbench.running import RunConfig, run_plan

pytestmark = pytest.mark.smoke

FLOAT = Cell(work=Work.FORWARD, model="m", engine="litert")
INT8 = replace(FLOAT, variant=Variant.INT8)
BACKWARD = Cell(work=Work.FORWARD_BACKWARD, model="m", engine="keras-tensorflow", threads=None)
JAX = replace(BACKWARD, engine="keras-jax")
MODEL = MeasuredModel(name="m", title="M", weights="random", input_shape=(1, 8, 8, 3))
SCORES = np.linspace(-1, 1, 10, dtype=np.float32)[None]


@dataclass
class FakeBundle:
    """A model whose reference's outputs lie in a folder."""

    folder: Path
    model: MeasuredModel = field(default_factory=lambda: MODEL)
    network: dict[str, Any] = field(default_factory=dict)

    @property
    def photo(self) -> Path:
        return self.folder / "photo.jpg"

    def file_for(self, cell: Cell) -> Path:
        return self.folder / "model.tflite"

    def input_for(self, batch: int) -> Path:
        return self.folder / "input.npy"

    def reference_for(self, cell: Cell) -> Path:
        return self.folder / "reference.npz"

    def reference_name(self, cell: Cell) -> str:
        return "the float model"


@dataclass
class Bench:
    """Runs plans with workers that do what ``behave`` says; notes which cells ran in which order."""

    bundle: FakeBundle
    behave: Callable[[Job], Outcome]
    ran: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    saved: list[Record] = field(default_factory=list)
    left_s: list[float] = field(default_factory=list)

    def worker(self, job: Job, launch: Launch) -> Outcome:
        self.ran.append(job.cell.key)
        self.jobs.append(job)
        return self.behave(job)

    def process(self, cell: Cell, *, round_: int, num_done: int, num_all: int, left_s: float) -> None:
        self.left_s.append(left_s)
        assert 0 <= num_done < num_all

    def __call__(self, plan: Plan, *, previous: Record | None = None, is_profiled: bool = False) -> Record:
        bundles: Any = {"m": self.bundle}
        config = RunConfig(plan=plan, bundles=bundles, device="d", command="mnbench run", is_profiled=is_profiled)
        return run_plan(config, save=self.saved.append, watcher=self, previous=previous)


def measured(job: Job, scores: np.ndarray = SCORES) -> Outcome:
    if job.outputs is not None:
        np.savez(job.outputs, output_0=scores)
    return Outcome(Status.MEASURED, "", Process(round=0, samples_ns=(4_000_000,) * 20, warm_up_ns=(5_000_000,)))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "model.tflite").write_bytes(b"x" * 1234)
    np.savez(tmp_path / "reference.npz", output_0=SCORES)
    made = Bench(FakeBundle(tmp_path), measured)
    monkeypatch.setattr(running, "run_worker", made.worker)
    return made


def test_rounds_alternate_their_order_and_every_cell_gets_each(bench: Bench) -> None:
    record = bench(Plan(cells=(FLOAT, INT8), rounds=3))
    assert bench.ran == [FLOAT.key, INT8.key, INT8.key, FLOAT.key, FLOAT.key, INT8.key]
    assert [[process.round for process in row.processes] for row in record.rows] == [[0, 1, 2]] * 2
    assert record.is_complete
    assert bench.saved[-1] == record
    assert record.rows[0].size_bytes == 1234
    assert Record.from_json(record.to_json()) == record


def test_outputs_are_asked_for_once_and_held_against_the_reference(bench: Bench) -> None:
    bench.behave = lambda job: measured(job, SCORES if job.cell == FLOAT else SCORES[:, ::-1])
    record = bench(Plan(cells=(FLOAT, INT8), rounds=2))
    assert [job.outputs is not None for job in bench.jobs] == [True, True, False, False]
    right, wrong = record.rows
    assert right.agreement is not None
    assert right.agreement.is_held
    assert wrong.agreement is not None
    assert not wrong.agreement.is_held
    assert "mismatch" in {doubt.code for doubt in wrong.doubts}
    assert "mismatch" not in {doubt.code for doubt in right.doubts}


def test_a_backward_pass_is_held_against_the_first_frameworks(bench: Bench) -> None:
    bench.behave = lambda job: measured(job, np.float32([2.5]) if job.cell == BACKWARD else np.float32([2.9]))
    first, second = bench(Plan(cells=(BACKWARD, JAX), rounds=1)).rows
    assert first.agreement is not None
    assert first.agreement.is_held
    assert second.agreement is not None
    assert not second.agreement.is_held


@pytest.mark.parametrize("status", [Status.FAILED, Status.MISSING])
def test_what_fails_is_a_row_and_is_not_tried_again(bench: Bench, status: Status) -> None:
    bench.behave = lambda job: Outcome(status, "no such thing") if job.cell == INT8 else measured(job)
    record = bench(Plan(cells=(INT8, FLOAT), rounds=4))
    assert bench.ran.count(INT8.key) == 1
    assert record.rows[0].status is status
    assert record.rows[0].reason == "no such thing"
    assert len(record.rows[1].processes) == 4


def test_what_fails_later_keeps_its_samples(bench: Bench) -> None:
    bench.behave = lambda job: measured(job) if len(bench.ran) < 3 else Outcome(Status.FAILED, "killed by SIGKILL")
    row = bench(Plan(cells=(FLOAT,), rounds=5)).rows[0]
    assert row.status is Status.FAILED
    assert len(row.processes) == 2
    assert len(bench.ran) == 3


def interrupted_after(bench: Bench, count: int) -> Record:
    def behave(job: Job) -> Outcome:
        if len(bench.ran) > count:
            raise KeyboardInterrupt
        return measured(job)

    bench.behave = behave
    with pytest.raises(KeyboardInterrupt):
        bench(Plan(cells=(FLOAT, INT8), rounds=3))
    return bench.saved[-1]


def test_an_interrupted_run_keeps_what_it_has(bench: Bench) -> None:
    record = interrupted_after(bench, 3)
    assert not record.is_complete
    assert [len(row.processes) for row in record.rows] == [1, 2]
    assert all("too-short" in {doubt.code for doubt in row.doubts} for row in record.rows)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_resumed_run_measures_what_is_missing_and_no_more(bench: Bench, count: int) -> None:
    previous = interrupted_after(bench, count)
    bench.ran.clear()
    bench.behave = measured
    record = bench(Plan(cells=(FLOAT, INT8), rounds=3), previous=Record.from_json(previous.to_json()))
    assert len(bench.ran) == 6 - count
    assert [sorted(process.round for process in row.processes) for row in record.rows] == [[0, 1, 2]] * 2
    assert record.started == previous.started
    assert record.elapsed_s >= previous.elapsed_s
    assert record.is_complete


def test_a_resumed_run_tries_again_what_failed(bench: Bench) -> None:
    plan = Plan(cells=(FLOAT,), rounds=2)
    bench.behave = lambda _: Outcome(Status.MISSING, "not installed")
    previous = bench(plan)
    bench.behave = measured
    assert bench(plan, previous=previous).rows[0].status is Status.MEASURED


def test_the_first_process_of_a_row_is_profiled_where_that_is_asked_for(bench: Bench) -> None:
    bench(Plan(cells=(FLOAT,), rounds=3), is_profiled=True)
    assert [job.is_profiled for job in bench.jobs] == [True, False, False]


def test_the_time_left_shrinks(bench: Bench) -> None:
    bench(Plan(cells=(FLOAT, INT8), rounds=3))
    assert bench.left_s == sorted(bench.left_s, reverse=True)
    assert bench.left_s[0] > 0
