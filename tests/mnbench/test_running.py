"""Rounds of processes, without the processes: what is measured when, kept, tried again, and held against what."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench import jobs, running, time_left
from mnbench.cell import Cell, Variant, Work
from mnbench.job import Job
from mnbench.launching import Launch, Outcome
from mnbench.plan import Plan
from mnbench.record import Agreement, MeasuredModel, Process, Record, Row, Status
from mnbench.running import RunConfig, run_plan
from mnbench.statistics import row_interval
from mninfer.errors import MissingDependencyError, MnError, OutputError, UnsupportedModelError, VariantError

pytestmark = pytest.mark.smoke

FLOAT = Cell(work=Work.FORWARD, model="m", engine="litert")
INT8 = replace(FLOAT, variant=Variant.INT8)
BACKWARD = Cell(work=Work.FORWARD_BACKWARD, model="m", engine="keras-tensorflow", threads=None)
JAX = replace(BACKWARD, engine="keras-jax")
TORCH = replace(BACKWARD, engine="keras-torch")
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
    stages: list[str] = field(default_factory=list)

    def worker(self, job: Job, launch: Launch) -> Outcome:
        self.ran.append(job.cell.key)
        self.jobs.append(job)
        return self.behave(job)

    def stage(self, text: str) -> None:
        self.stages.append(text)

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


def backward(bench: Bench, *cells: Cell, previous: Record | None = None) -> list[Agreement | None]:
    """The agreements of backward passes whose loss is 2.5, but for JAX', by cell."""
    bench.behave = lambda job: measured(job, np.float32([2.9 if job.cell == JAX else 2.5]))
    return [row.agreement for row in bench(Plan(cells=cells, rounds=1), previous=previous).rows]


def test_a_backward_pass_is_held_against_the_first_framework_s(bench: Bench) -> None:
    first, second, third = backward(bench, BACKWARD, JAX, TORCH)
    assert first is None, "nobody holds the reference against itself"
    assert second is not None
    assert not second.is_held
    assert second.reference == "keras-tensorflow"
    assert third is not None
    assert third.is_held


def test_the_reference_of_backward_passes_is_one_in_float32(bench: Bench) -> None:
    coarse = replace(TORCH, variant=Variant.BF16)
    first, second, third = backward(bench, coarse, BACKWARD, JAX)
    assert first is not None
    assert first.reference == "keras-tensorflow"
    assert second is None
    assert third is not None
    assert not third.is_held


def test_gradients_that_are_no_numbers_are_doubted_and_no_reference(bench: Bench) -> None:
    losses = {BACKWARD: np.inf, JAX: 2.5, TORCH: 2.5}
    bench.behave = lambda job: measured(job, np.float32([losses[job.cell]]))
    rows = bench(Plan(cells=(BACKWARD, JAX, TORCH), rounds=1)).rows
    first, second, third = (row.agreement for row in rows)
    assert first is not None
    assert not first.is_held
    assert "1 of 1 values of output 0 are not finite" in first.text
    assert "mismatch" in {doubt.code for doubt in rows[0].doubts}
    assert second is None
    assert third is not None
    assert (third.reference, third.is_held) == ("keras-jax", True)
    (alone,) = bench(Plan(cells=(BACKWARD,), rounds=1)).rows
    assert "mismatch" in {doubt.code for doubt in alone.doubts}


def test_another_batch_has_another_reference(bench: Bench) -> None:
    assert backward(bench, BACKWARD, replace(JAX, batch=8)) == [None, None]


def test_after_an_interruption_a_backward_pass_is_held_against_nothing(bench: Bench) -> None:
    """What it would be held against has been measured, and its outputs are gone."""
    plan = Plan(cells=(BACKWARD, JAX), rounds=1)
    previous = bench(Plan(cells=(BACKWARD,), rounds=1))
    record = bench(plan, previous=replace(previous, plan=plan.digest))
    assert [row.agreement for row in record.rows] == [None, None]


@pytest.mark.parametrize("status", [Status.FAILED, Status.MISSING])
def test_what_fails_is_a_row_and_is_not_tried_again(bench: Bench, status: Status) -> None:
    bench.behave = lambda job: Outcome(status, "no such thing") if job.cell == INT8 else measured(job)
    record = bench(Plan(cells=(INT8, FLOAT), rounds=4))
    assert bench.ran.count(INT8.key) == 1
    assert record.rows[0].status is status
    assert record.rows[0].reason == "no such thing"
    assert len(record.rows[1].processes) == 4


def failing_in(bench: Bench, *rounds: int) -> Row:
    """A row of five rounds, some of which fail."""
    failed = Outcome(Status.FAILED, "killed by SIGKILL")
    bench.behave = lambda job: failed if len(bench.ran) in rounds else measured(job)
    return bench(Plan(cells=(FLOAT,), rounds=5)).rows[0]


def test_one_failure_after_others_went_well_is_noted_and_no_more(bench: Bench) -> None:
    row = failing_in(bench, 3)
    assert row.status is Status.MEASURED
    assert [process.round for process in row.processes] == [0, 1, 3, 4]
    assert {doubt.code: doubt.text for doubt in row.doubts}["process-failed"].endswith("round 3: killed by SIGKILL")
    assert row_interval(row) is not None


def test_what_fails_twice_keeps_its_samples_and_has_no_figure(bench: Bench) -> None:
    row = failing_in(bench, 3, 4)
    assert row.status is Status.FAILED
    assert len(row.processes) == 2
    assert len(bench.ran) == 4, "it would fail again"
    assert row_interval(row) is None


@pytest.mark.parametrize(("rounds", "failing", "status"), [(10, 2, "measured"), (10, 3, "failed"), (20, 4, "measured")])
def test_how_many_may_fail_is_a_share_of_the_rounds(bench: Bench, rounds: int, failing: int, status: str) -> None:
    failed = Outcome(Status.FAILED, "killed by SIGKILL")
    bench.behave = lambda job: failed if 3 <= len(bench.ran) < 3 + failing else measured(job)
    row = bench(Plan(cells=(FLOAT,), rounds=rounds)).rows[0]
    assert row.status == status
    if status == "measured":
        assert len(row.processes) == rounds - failing
        assert row.reason.startswith("round 3: killed by SIGKILL; another in round 4")


def behaving(bench: Bench, outcomes: Mapping[int, Outcome]) -> Row:
    """A row of twenty rounds, of which some go as told."""
    bench.behave = lambda job: outcomes.get(len(bench.ran)) or measured(job)
    return bench(Plan(cells=(FLOAT,), rounds=20)).rows[0]


CRASHED = Outcome(Status.FAILED, "killed by SIGKILL: no memory")
HUNG = Outcome(Status.FAILED, "hung: ended after 185 s")


def test_what_hangs_twice_is_not_waited_for_again(bench: Bench) -> None:
    row = behaving(bench, {3: HUNG, 5: HUNG})
    assert row.status is Status.FAILED
    assert row.reason == "round 3: hung: ended after 185 s; another in round 5"
    assert (len(bench.ran), len(row.processes)) == (5, 3)


def test_a_crash_and_a_hang_are_told_apart(bench: Bench) -> None:
    row = behaving(bench, {3: CRASHED, 4: CRASHED, 5: HUNG})
    assert row.status is Status.MEASURED
    assert row.reason == f"round 3: {CRASHED.reason}; another in round 4; round 5: {HUNG.reason}"


def test_a_row_that_failed_in_the_end_goes_on_with_the_processes_that_it_has(bench: Bench) -> None:
    plan = Plan(cells=(FLOAT,), rounds=5)
    failed = Outcome(Status.FAILED, "killed by SIGKILL")
    bench.behave = lambda job: failed if len(bench.ran) > 3 else measured(job)
    previous = bench(plan)
    assert previous.rows[0].status is Status.FAILED
    bench.ran.clear()
    bench.behave = measured
    record = bench(plan, previous=Record.from_json(previous.to_json()))
    assert len(bench.ran) == 2
    assert record.rows[0].processes[:3] == previous.rows[0].processes
    assert record.rows[0].status is Status.MEASURED
    assert record.rows[0].agreement == previous.rows[0].agreement
    assert "process-failed" in {doubt.code for doubt in record.rows[0].doubts}, "once, it did"


def test_what_is_kept_of_a_failed_row_is_in_the_first_record_that_is_saved(bench: Bench) -> None:
    bench.behave = lambda job: Outcome(Status.FAILED, "no") if len(bench.ran) > 3 else measured(job)
    plan = Plan(cells=(FLOAT,), rounds=5)
    previous = bench(plan)

    def interrupted(_: Job) -> Outcome:
        raise KeyboardInterrupt

    bench.behave = interrupted
    with pytest.raises(KeyboardInterrupt):
        bench(plan, previous=previous)
    assert len(bench.saved[-1].rows[0].processes) == 3


# What other engines load.


@dataclass
class Tools:
    """Engines' own tools: which files were made, and when, in processes measured until then."""

    bench: Bench
    error: BaseException | None = None
    made: list[tuple[str, int]] = field(default_factory=list)

    def convert(self, name: str, variant: Variant, file: Path, folder: Path) -> Path:
        target = folder / f"{name}.{variant}"
        if target.name not in dict(self.made):
            self.made.append((target.name, len(self.bench.ran)))
            if self.error is not None:
                raise self.error
        return target


@pytest.fixture
def tools(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Tools:
    made = Tools(bench)
    monkeypatch.setattr(jobs, "convert", made.convert)
    monkeypatch.setattr(running, "launch_for", lambda _, scratch: Launch(scratch=scratch, variables={}))
    return made


ONNX = replace(FLOAT, engine="onnxruntime")
OPENVINO = replace(FLOAT, engine="openvino")


def test_all_files_of_other_engines_are_made_before_anything_is_measured(bench: Bench, tools: Tools) -> None:
    record = bench(Plan(cells=(FLOAT, ONNX, replace(ONNX, threads=2), OPENVINO), rounds=2))
    assert tools.made == [("onnxruntime.float32", 0), ("openvino.float32", 0)]
    assert bench.stages == ["m: the float32 file for ONNX Runtime", "m: the float32 file for OpenVINO"]
    assert {row.status for row in record.rows} == {Status.MEASURED}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnsupportedModelError("its tool refuses"), Status.FAILED),
        (VariantError("it never does"), Status.MISSING),
        (MissingDependencyError("not installed"), Status.MISSING),
    ],
)
def test_what_can_not_be_converted_is_tried_once_and_a_row_that_says_so(
    bench: Bench, tools: Tools, error: MnError, status: Status
) -> None:
    tools.error = error
    record = bench(Plan(cells=(ONNX, replace(ONNX, threads=2), FLOAT), rounds=2))
    assert [(row.status, row.reason) for row in record.rows[:2]] == [(status, error.what)] * 2
    assert len(tools.made) == 1
    assert bench.ran == [FLOAT.key] * 2


@pytest.mark.parametrize(
    "error", [UnsupportedModelError("tf2onnx ended with 3"), MissingDependencyError("not installed")]
)
def test_a_file_that_was_not_there_for_a_while_is_no_doubt_of_the_processes(
    bench: Bench, tools: Tools, error: MnError
) -> None:
    plan = Plan(cells=(ONNX,), rounds=5)
    bench.behave = lambda job: measured(job) if len(bench.ran) < 3 else _interrupt()
    with pytest.raises(KeyboardInterrupt):
        bench(plan)
    tools.made.clear()
    tools.error = error
    previous = bench(plan, previous=bench.saved[-1])
    assert (previous.rows[0].reason, len(previous.rows[0].processes)) == (error.what, 2)
    tools.made.clear()
    tools.error = None
    bench.behave = measured
    (row,) = bench(plan, previous=Record.from_json(previous.to_json())).rows
    assert (row.status, row.reason, len(row.processes)) == (Status.MEASURED, "", 5)
    assert "process-failed" not in {doubt.code for doubt in row.doubts}


def _interrupt() -> Outcome:
    raise KeyboardInterrupt


def test_a_run_that_has_all_of_an_engine_converts_nothing_for_it(bench: Bench, tools: Tools) -> None:
    plan = Plan(cells=(ONNX, FLOAT), rounds=1)
    previous = bench(plan)
    bench.stages.clear()
    bench(plan, previous=previous)
    assert bench.stages == []


def test_control_c_while_files_are_made_leaves_a_record_to_go_on_with(bench: Bench, tools: Tools) -> None:
    tools.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        bench(Plan(cells=(ONNX,), rounds=1))
    assert not bench.saved[-1].is_complete


def test_a_disk_without_room_ends_the_run_with_what_there_is(bench: Bench) -> None:
    def behave(job: Job) -> Outcome:
        if len(bench.ran) > 2:
            raise OutputError("no room", hints="make some")
        return measured(job)

    bench.behave = behave
    with pytest.raises(OutputError, match="no room"):
        bench(Plan(cells=(FLOAT, INT8), rounds=3))
    assert [len(row.processes) for row in bench.saved[-1].rows] == [1, 1]
    assert not bench.saved[-1].is_complete


def test_without_a_folder_for_scratch_files_there_is_an_error_that_says_so(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match=r"(?s)can't be written.*TMPDIR="):
        bench(Plan(cells=(FLOAT,), rounds=1))


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
    assert "interrupted" in {doubt.code for doubt in record.doubts}


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


def test_a_row_s_operators_are_profiled_once_after_its_first_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "profile_apart", lambda job, _: {"profile": len(bench.ran)})
    photo = replace(FLOAT, work=Work.PHOTO_TO_LABEL, engine="mninfer")
    record = bench(Plan(cells=(FLOAT, photo), rounds=3), is_profiled=True)
    assert [process.facts.get("profile") for process in record.rows[0].processes] == [1, None, None]
    assert not any(process.facts for process in record.rows[1].processes), "it has no operators by itself"


def test_a_row_that_fails_is_not_profiled(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "profile_apart", lambda *_: pytest.fail("there is nothing to profile"))
    bench.behave = lambda _: Outcome(Status.FAILED, "it refuses")
    assert bench(Plan(cells=(FLOAT,), rounds=1), is_profiled=True).rows[0].reason == "it refuses"


def test_the_time_left_shrinks(bench: Bench) -> None:
    bench(Plan(cells=(FLOAT, INT8), rounds=3))
    planned, *measured_s = bench.left_s[0], *bench.left_s[2:]
    assert planned > bench.left_s[1] > max(measured_s), "what was measured counts, as soon as it is"
    assert min(measured_s) > 0


def test_what_is_done_once_for_a_row_is_no_part_of_the_time_left(
    bench: Bench, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker takes two seconds; the profile after the first one takes 500, and the conversion before it 300."""
    now_s = [0.0]

    def after(seconds: float, result: Any) -> Any:
        now_s[0] += seconds
        return result

    monkeypatch.setattr(time_left, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(running, "profile_apart", lambda *_: after(500, {}))
    monkeypatch.setattr(jobs, "convert", lambda name, variant, file, folder: after(300, file))
    bench.behave = lambda job: after(2, measured(job))
    bench(Plan(cells=(FLOAT, ONNX), rounds=3), is_profiled=True)
    assert bench.left_s[2:] == [8, 6, 4, 2]
