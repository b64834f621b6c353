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
from mnbench.preparing.held import held_against_reference
from mnbench.reasons import one_line
from mnbench.record import Agreement, Record, Row, Status
from mninfer.errors import MissingDependencyError, MnError

__all__ = ["RunConfig", "Watcher", "run_plan"]

_SAVE_EVERY_S = 10.0
_GOING = (Status.MEASURED, Status.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """One run: the plan, its models by name, and what the record says of itself."""

    plan: Plan
    bundles: Mapping[str, Bundle]
    device: str
    command: str
    is_profiled: bool = False


class Watcher(Protocol):
    """Told of each process before it starts, with how far the run is."""

    def process(self, cell: Cell, *, round_: int, num_done: int, num_all: int, left_s: float) -> None: ...


def run_plan(
    config: RunConfig, *, save: Callable[[Record], None], watcher: Watcher, previous: Record | None = None
) -> Record:
    """Measure every cell of the plan that ``previous`` has not, and return the complete record.

    Raises:
        KeyboardInterrupt: ``save`` has got what there was, marked as not complete.
    """
    story = _Story(config, previous)
    saved_at = 0.0
    try:
        with TemporaryDirectory(prefix="mnbench-", ignore_cleanup_errors=True) as folder:
            for _ in _Rounds(config, story.rows, Path(folder)).processes(watcher):
                if time.monotonic() - saved_at > _SAVE_EVERY_S:
                    save(story.record(is_complete=False))
                    saved_at = time.monotonic()
    except KeyboardInterrupt:
        save(story.record(is_complete=False))
        raise
    record = story.record(is_complete=True)
    save(record)
    return record


class _Story:
    """What is known of the run at any moment, as a record."""

    def __init__(self, config: RunConfig, previous: Record | None) -> None:
        self._config = config
        self._began = time.monotonic()
        self._elapsed_before_s = previous.elapsed_s if previous else 0.0
        self._started = previous.started if previous else datetime.now(UTC).isoformat(timespec="seconds")
        self._before = (previous.machine.get("before") if previous else None) or read_facts()
        self.rows = {cell.key: _row_of(cell, previous) for cell in config.plan.cells}

    def record(self, *, is_complete: bool) -> Record:
        rows = tuple(replace(row, doubts=doubts_of_row(row)) for row in self.rows.values())
        machine = {"before": self._before, "after": read_facts()}
        return Record(
            device=self._config.device,
            command=self._config.command,
            plan=self._config.plan.digest,
            rows=rows,
            models=tuple(bundle.model for bundle in self._config.bundles.values()),
            machine=machine,
            doubts=doubts_of_run(machine, rows),
            is_complete=is_complete,
            started=self._started,
            elapsed_s=round(self._elapsed_before_s + time.monotonic() - self._began, 1),
        )


def _row_of(cell: Cell, previous: Record | None) -> Row:
    """What there is of a row already; what failed or was missing is tried again."""
    old = previous.row(cell.key) if previous else None
    return old if old is not None and old.status in _GOING else Row(cell=cell, status=Status.PENDING)


class _Rounds:
    """The processes of a run, one after the other; ``rows`` grow with each."""

    def __init__(self, config: RunConfig, rows: dict[str, Row], folder: Path) -> None:
        self._config = config
        self._rows = rows
        self._folder = folder
        self._outputs = folder / "outputs.npz"
        self._references: dict[tuple[str, int], list[Any]] = {}

    def processes(self, watcher: Watcher) -> Iterator[None]:
        """Run what is missing; yields after each process."""
        plan = self._config.plan
        todo = [(round_, cell) for round_ in range(plan.rounds) for cell in plan.order(round_)]
        todo = [(round_, cell) for round_, cell in todo if not _has_round(self._rows[cell.key], round_)]
        clock = _Clock(plan)
        for index, (round_, cell) in enumerate(todo):
            if not self._goes_on(cell):
                continue  # it would fail again
            watcher.process(
                cell,
                round_=round_,
                num_done=plan.num_processes - len(todo) + index,
                num_all=plan.num_processes,
                left_s=clock.left_s([cell for _, cell in todo[index:] if self._goes_on(cell)]),
            )
            with clock.timing(cell):
                self._rows[cell.key] = self._measured(self._rows[cell.key], round_)
            yield

    def _goes_on(self, cell: Cell) -> bool:
        return self._rows[cell.key].status in _GOING

    def _measured(self, row: Row, round_: int) -> Row:
        """The row with one process more, or with the reason why there is none. The first tells its outputs, too."""
        is_first = not row.processes
        self._outputs.unlink(missing_ok=True)
        try:
            job = job_for(
                row.cell,
                self._config.bundles[row.cell.model],
                pace=self._config.plan.pace,
                outputs=self._outputs if is_first else None,
                is_profiled=self._config.is_profiled and is_first,
            )
        except MissingDependencyError as error:
            return _with_outcome(row, Outcome(Status.MISSING, one_line(error)), round_)
        except MnError as error:
            return _with_outcome(row, Outcome(Status.FAILED, one_line(error)), round_)
        if job.file is not None:
            row = replace(row, size_bytes=job.file.stat().st_size)
        row = _with_outcome(row, run_worker(job, launch_for(row.cell, self._folder)), round_)
        return replace(row, agreement=self._agreement(row.cell)) if is_first and row.processes else row

    def _agreement(self, cell: Cell) -> Agreement | None:
        """The outputs held against the bundle's, or, of a backward pass, against the first framework's."""
        outputs = _arrays(self._outputs)
        if not outputs:
            return None
        if cell.work is Work.FORWARD_BACKWARD:
            return agreement(outputs, self._references.setdefault((cell.model, cell.batch), outputs), cell)
        return held_against_reference(self._config.bundles[cell.model], cell, outputs)


def _has_round(row: Row, round_: int) -> bool:
    return any(process.round == round_ for process in row.processes)


def _with_outcome(row: Row, outcome: Outcome, round_: int) -> Row:
    if outcome.process is None:
        return replace(row, status=outcome.status, reason=outcome.reason)
    process = replace(outcome.process, round=round_)
    return replace(row, status=Status.MEASURED, processes=(*row.processes, process))


def _arrays(path: Path) -> list[Any]:
    if not path.exists():
        return []
    with np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in archive.files]


class _Clock:
    """How long cells take: as planned at first, then as measured."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._taken_s: dict[str, float] = {}

    @contextmanager
    def timing(self, cell: Cell) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self._taken_s[cell.key] = time.monotonic() - begin

    def left_s(self, cells: Sequence[Cell]) -> float:
        unknown = [cell for cell in cells if cell.key not in self._taken_s]
        return sum(self._taken_s.get(cell.key, 0.0) for cell in cells) + self._plan.estimated_s(unknown)
