"""Does what a plan says: round for round, a fresh process for each cell, and a record that is whole at every moment.

What is measured is kept whatever happens next: ``save`` is called with the record as it stands.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from mnbench.backward import BackwardOutputs
from mnbench.catalogue import engine_entry
from mnbench.cell import Cell, Work
from mnbench.doubts import doubts_of_row, doubts_of_run
from mnbench.growing_rows import GrowingRows
from mnbench.job import Job
from mnbench.jobs import converted_from, job_for, launch_for
from mnbench.launching import Outcome, run_worker, unwritable_scratch
from mnbench.machine import read_facts
from mnbench.plan import Plan
from mnbench.preparing import Bundle
from mnbench.preparing.held import held_against_reference
from mnbench.profiling.apart import has_operators, profile_apart
from mnbench.reasons import one_line
from mnbench.record import Agreement, Record, Status
from mnbench.time_left import TimeLeft
from mninfer.errors import MissingDependencyError, MnError, VariantError

__all__ = ["RunConfig", "Watcher", "run_plan"]

_SAVE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """One run: the plan, its models by name, and what the record says of itself."""

    plan: Plan
    bundles: Mapping[str, Bundle]
    device: str
    command: str
    is_profiled: bool = False


class Watcher(Protocol):
    """Told of what is done before anything is measured, and of each process before it starts: how far the run is."""

    def stage(self, text: str) -> None: ...

    def process(self, cell: Cell, *, round_: int, num_done: int, num_all: int, left_s: float) -> None: ...


def run_plan(
    config: RunConfig, *, save: Callable[[Record], None], watcher: Watcher, previous: Record | None = None
) -> Record:
    """Measure every cell of the plan that ``previous`` has not, and return the complete record.

    Raises:
        KeyboardInterrupt: ``save`` has got what there was, marked as not complete.
        OutputError: likewise; the disk is full, or there is no folder for what lies between two processes.
    """
    story = _Story(config, previous)
    saved_at = 0.0
    try:
        with _scratch_folder() as folder:
            rounds = _Rounds(config, story.rows, folder)
            rounds.convert(watcher)
            for _ in rounds.processes(watcher):
                if time.monotonic() - saved_at > _SAVE_EVERY_S:
                    save(story.record(is_complete=False))
                    saved_at = time.monotonic()
    except (KeyboardInterrupt, MnError):
        save(story.record(is_complete=False))
        raise
    record = story.record(is_complete=True)
    save(record)
    return record


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="mnbench-", ignore_cleanup_errors=True)
    except OSError as error:
        raise unwritable_scratch(error) from error
    with folder as name:
        yield Path(name)


class _Story:
    """What is known of the run at any moment, as a record."""

    def __init__(self, config: RunConfig, previous: Record | None) -> None:
        self._config = config
        self._began = time.monotonic()
        self._elapsed_before_s = previous.elapsed_s if previous else 0.0
        self._started = previous.started if previous else datetime.now(UTC).isoformat(timespec="seconds")
        self._before = (previous.machine.get("before") if previous else None) or read_facts()
        self.rows = GrowingRows(config.plan, previous)

    def record(self, *, is_complete: bool) -> Record:
        rows = tuple(replace(row, doubts=doubts_of_row(row)) for row in self.rows)
        machine = {"before": self._before, "after": read_facts()}
        return Record(
            device=self._config.device,
            command=self._config.command,
            plan=self._config.plan.digest,
            rows=rows,
            models=tuple(bundle.model for bundle in self._config.bundles.values()),
            machine=machine,
            doubts=doubts_of_run(machine, rows, is_complete=is_complete),
            is_complete=is_complete,
            started=self._started,
            elapsed_s=round(self._elapsed_before_s + time.monotonic() - self._began, 1),
        )


class _Rounds:
    """The processes of a run, one after the other; ``rows`` grow with each."""

    def __init__(self, config: RunConfig, rows: GrowingRows, folder: Path) -> None:
        self._config = config
        self._rows = rows
        self._folder = folder
        self._outputs = folder / "outputs.npz"
        self._backward = BackwardOutputs(rows)
        self._time_left = TimeLeft(config.plan)

    def convert(self, watcher: Watcher) -> None:
        """Have other engines' files made before anything is timed: that may take minutes, and heats the processor."""
        made: dict[tuple[str, Path], Outcome | None] = {}
        for cell in self._config.plan.cells:
            flatbuffer = converted_from(cell, self._config.bundles[cell.model])
            if flatbuffer is None or not self._rows.lacks(cell):
                continue
            if (cell.engine, flatbuffer) not in made:
                watcher.stage(f"{cell.model}: the {cell.variant} file for {engine_entry(cell.engine).title}")
                job = self._job(cell, is_first=False)
                made[cell.engine, flatbuffer] = job if isinstance(job, Outcome) else None
            if (failure := made[cell.engine, flatbuffer]) is not None:
                self._rows.end(cell, failure)

    def processes(self, watcher: Watcher) -> Iterator[None]:
        """Run what is missing; yields after each process."""
        plan = self._config.plan
        todo = [(round_, cell) for round_ in range(plan.rounds) for cell in plan.order(round_)]
        todo = [(round_, cell) for round_, cell in todo if self._rows.lacks(cell, [round_])]
        for index, (round_, cell) in enumerate(todo):
            if not self._rows.goes_on(cell):
                continue  # it would fail again
            watcher.process(
                cell,
                round_=round_,
                num_done=plan.num_processes - len(todo) + index,
                num_all=plan.num_processes,
                left_s=self._time_left.seconds([cell for _, cell in todo[index:] if self._rows.goes_on(cell)]),
            )
            self._measure(cell, round_)
            yield

    def _measure(self, cell: Cell, round_: int) -> None:
        """One process more in the cell's row, or the reason why there is none. The first tells its outputs, too."""
        is_first = not self._rows.of(cell).processes
        self._outputs.unlink(missing_ok=True)
        job = self._job(cell, is_first=is_first)
        if isinstance(job, Outcome):
            self._rows.add(cell, job, round_)
            return
        self._rows.note_size(cell, job.file)
        self._rows.add(cell, self._outcome(job), round_)
        if is_first and self._rows.of(cell).processes:
            self._compare(cell)

    def _job(self, cell: Cell, *, is_first: bool) -> Job | Outcome:
        """The order for a process of the cell, or why there can be none."""
        try:
            return job_for(
                cell,
                self._config.bundles[cell.model],
                pace=self._config.plan.pace,
                outputs=self._outputs if is_first else None,
                is_profiled=self._config.is_profiled and is_first and has_operators(cell),
            )
        except (MissingDependencyError, VariantError) as error:
            return Outcome(Status.MISSING, one_line(error))
        except MnError as error:
            return Outcome(Status.FAILED, one_line(error))

    def _outcome(self, job: Job) -> Outcome:
        """Of a worker and, where that is asked for and there is something to profile, of a second process for that."""
        try:
            launch = launch_for(job.cell, self._folder)
        except OSError as error:  # what a peer's process needs of our code is copied there
            raise unwritable_scratch(error) from error
        with self._time_left.timing(job.cell):
            outcome = run_worker(job, launch)
        if outcome.process is None or not job.is_profiled:
            return outcome
        facts = {**outcome.process.facts, **profile_apart(job, launch)}
        return replace(outcome, process=replace(outcome.process, facts=facts))

    def _compare(self, cell: Cell) -> None:
        """Hold the outputs against the bundle's, or those of backward passes against each other's."""
        outputs = _arrays(self._outputs)
        if not outputs:
            return
        if cell.work is Work.FORWARD_BACKWARD:
            found: Mapping[str, Agreement | None] = self._backward.add(cell, outputs)
        else:
            found = {cell.key: held_against_reference(self._config.bundles[cell.model], cell, outputs)}
        for key, agreement in found.items():
            self._rows.note_agreement(key, agreement)


def _arrays(path: Path) -> list[Any]:
    if not path.exists():
        return []
    with np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in archive.files]
