"""Does what a plan says: round for round, a fresh process for each cell, and a record that is whole at every moment.

What is measured is kept whatever happens next: ``save`` is called with the record as it stands.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from mnbench.agreement import agreement
from mnbench.cell import Cell, Work
from mnbench.doubts import doubts_of_row, doubts_of_run
from mnbench.jobs import job_for, launch_for
from mnbench.launching import Outcome, run_worker
from mnbench.machine import read_facts
from mnbench.plan import Plan
from mnbench.preparing import Bundle
from mnbench.reasons import one_line
from mnbench.record import Agreement, Record, Row, Status
from mninfer.errors import MissingDependencyError, MnError

__all__ = ["Watcher", "run_plan"]

_SAVE_EVERY_S = 10.0


class Watcher(Protocol):
    """Told of each process before it starts, with how far the run is."""

    def process(self, cell: Cell, *, round_: int, num_done: int, num_all: int, left_s: float) -> None: ...


@dataclass(slots=True)
class _State:
    """What a run has so far. The rows by their cells' keys, in the plan's order."""

    rows: dict[str, Row]
    references: dict[tuple[str, int], list[Any]]
    saved_at: float = 0.0


def run_plan(
    plan: Plan,
    bundles: Mapping[str, Bundle],
    *,
    device: str,
    command: str,
    save: Callable[[Record], None],
    watcher: Watcher,
    previous: Record | None = None,
    is_profiled: bool = False,
) -> Record:
    """Measure every cell of ``plan`` that ``previous`` has not, and return the complete record.

    Raises:
        KeyboardInterrupt: ``save`` has got what there was, marked as not complete.
    """
    began = time.monotonic()
    started = previous.started if previous else datetime.now(UTC).isoformat(timespec="seconds")
    elapsed_before = previous.elapsed_s if previous else 0.0
    before = read_facts()
    state = _State({cell.key: _row_of(cell, previous) for cell in plan.cells}, {})

    def record(*, is_complete: bool) -> Record:
        rows = tuple(replace(row, doubts=doubts_of_row(row)) for row in state.rows.values())
        machine = {"before": before, "after": read_facts()}
        return Record(
            device=device,
            command=command,
            plan=plan.digest,
            rows=rows,
            models=tuple(bundle.model for bundle in bundles.values()),
            machine=machine,
            doubts=doubts_of_run(machine, rows),
            is_complete=is_complete,
            started=started,
            elapsed_s=round(elapsed_before + time.monotonic() - began, 1),
        )

    try:
        with _scratch() as folder:
            for _ in _processes(plan, bundles, state, folder, watcher, is_profiled):
                if time.monotonic() - state.saved_at > _SAVE_EVERY_S:
                    save(record(is_complete=False))
                    state.saved_at = time.monotonic()
    except KeyboardInterrupt:
        save(record(is_complete=False))
        raise
    done = record(is_complete=True)
    save(done)
    return done


def _row_of(cell: Cell, previous: Record | None) -> Row:
    old = previous.row(cell.key) if previous else None
    if old is not None and old.status in (Status.MEASURED, Status.PENDING):
        return old
    return Row(cell=cell, status=Status.PENDING)


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mnbench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _processes(
    plan: Plan, bundles: Mapping[str, Bundle], state: _State, folder: Path, watcher: Watcher, is_profiled: bool
) -> Iterator[None]:
    """One process after the other; the state has its outcome when this yields."""
    todo = [(round_, cell) for round_ in range(plan.rounds) for cell in plan.order(round_)]
    todo = [(round_, cell) for round_, cell in todo if not _has_round(state.rows[cell.key], round_)]
    clock = _Clock(plan)
    for index, (round_, cell) in enumerate(todo):
        row = state.rows[cell.key]
        if row.status in (Status.FAILED, Status.MISSING):
            continue  # it would again
        left_s = clock.left_s([cell for _, cell in todo[index:] if state.rows[cell.key].status in _GOING])
        watcher.process(
            cell,
            round_=round_,
            num_done=plan.num_processes - len(todo) + index,
            num_all=plan.num_processes,
            left_s=left_s,
        )
        bundle = bundles[cell.model]
        with clock.timing(cell):
            outputs = folder / "outputs.npz"
            outputs.unlink(missing_ok=True)
            row = _measured(row, bundle, plan, folder, round_, outputs, is_profiled)
        if row.status is Status.MEASURED and len(row.processes) == 1:
            row = replace(row, agreement=_agreement(cell, bundle, outputs, state))
        state.rows[cell.key] = row
        yield


def _measured(row: Row, bundle: Bundle, plan: Plan, folder: Path, round_: int, outputs: Path, is_profiled: bool) -> Row:
    """The row with one process more, or with the reason why there is none. The first tells its outputs, too."""
    is_first = not row.processes
    try:
        job = job_for(
            row.cell,
            bundle,
            pace=plan.pace,
            outputs=outputs if is_first else None,
            is_profiled=is_profiled and is_first,
        )
    except MissingDependencyError as error:
        return _with_outcome(row, Outcome(Status.MISSING, one_line(error)), round_)
    except MnError as error:
        return _with_outcome(row, Outcome(Status.FAILED, one_line(error)), round_)
    if job.file is not None:
        row = replace(row, size_bytes=job.file.stat().st_size)
    return _with_outcome(row, run_worker(job, launch_for(row.cell, folder)), round_)


_GOING = (Status.MEASURED, Status.PENDING)


def _has_round(row: Row, round_: int) -> bool:
    return any(process.round == round_ for process in row.processes)


def _with_outcome(row: Row, outcome: Outcome, round_: int) -> Row:
    if outcome.process is None:
        return replace(row, status=outcome.status, reason=outcome.reason)
    process = replace(outcome.process, round=round_)
    return replace(row, status=Status.MEASURED, processes=(*row.processes, process))


def _agreement(cell: Cell, bundle: Bundle, path: Path, state: _State) -> Agreement | None:
    """The row's outputs held against the bundle's, or, of a backward pass, against the first engine's."""
    outputs = _arrays(path)
    if not outputs:
        return None
    if cell.work is Work.FORWARD_BACKWARD:
        reference = state.references.setdefault((cell.model, cell.batch), outputs)
        return agreement(outputs, reference, cell)
    return agreement(outputs, _arrays(bundle.reference_for(cell)), cell)


def _arrays(path: Path) -> list[Any]:
    if not path.exists():
        return []
    with np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in archive.files]


class _Clock:
    """How long cells take: as planned at first, then as measured."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._taken: dict[str, float] = {}

    @contextmanager
    def timing(self, cell: Cell) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self._taken[cell.key] = time.monotonic() - begin

    def left_s(self, cells: Sequence[Cell]) -> float:
        unknown = [cell for cell in cells if cell.key not in self._taken]
        return sum(self._taken.get(cell.key, 0.0) for cell in cells) + self._plan.estimated_s(unknown)
