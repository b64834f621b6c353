"""The rows of a run while it goes on: what a process adds to one, what a failure does to it, what is still to do."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mnbench.cell import Cell
from mnbench.launching import Outcome
from mnbench.plan import Plan
from mnbench.record import Agreement, Record, Row, Status

__all__ = ["GrowingRows"]

_GOING = (Status.MEASURED, Status.PENDING)
_MOST_FAILED = 0.2  # of a row's processes; one may in any case. What crashes more often has no figure to be trusted


class GrowingRows:
    """A row to each cell of ``plan``, in its order; what ``previous`` has of it is there already."""

    def __init__(self, plan: Plan, previous: Record | None) -> None:
        self._rounds = plan.rounds
        self._rows = {cell.key: _begun(cell, previous) for cell in plan.cells}
        self._failures: Counter[str] = Counter()  # of this run: what failed in an earlier one gets another chance

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def of(self, cell: Cell) -> Row:
        """The row of ``cell`` as it is now."""
        return self._rows[cell.key]

    def goes_on(self, cell: Cell) -> bool:
        """Whether another process is worth it: what failed would fail again."""
        return self.of(cell).status in _GOING

    def lacks(self, cell: Cell, rounds: Iterable[int] | None = None) -> bool:
        """Whether a process of one of ``rounds``, by default of any, is missing."""
        there = {process.round for process in self.of(cell).processes}
        return not there.issuperset(range(self._rounds) if rounds is None else rounds)

    def add(self, cell: Cell, outcome: Outcome, round_: int) -> None:
        """A process more; or a failure, of which a row that was measured before may have a few: they are noted."""
        row = self.of(cell)
        if outcome.process is not None:
            process = replace(outcome.process, round=round_)
            self._rows[cell.key] = replace(row, status=Status.MEASURED, processes=(*row.processes, process))
            return
        self._failures[cell.key] += 1
        if not row.processes or self._failures[cell.key] > max(1, _MOST_FAILED * self._rounds):
            self.end(cell, outcome)
            return
        number = round_ + 1
        note = f"{row.reason}; another in round {number}" if row.reason else f"round {number}: {outcome.reason}"
        self._rows[cell.key] = replace(row, reason=note)

    def end(self, cell: Cell, outcome: Outcome) -> None:
        """The row has no figure, and why; the processes that it has stay, for a run that goes on with this one."""
        self._rows[cell.key] = replace(self.of(cell), status=outcome.status, reason=outcome.reason)

    def note_size(self, cell: Cell, file: Path | None) -> None:
        """The size of what was run, where that is a file."""
        if file is not None and file.exists():
            self._rows[cell.key] = replace(self.of(cell), size_bytes=file.stat().st_size)

    def note_agreement(self, key: str, agreement: Agreement | None) -> None:
        """What came of holding the outputs of the row ``key`` against others."""
        self._rows[key] = replace(self._rows[key], agreement=agreement)


def _begun(cell: Cell, previous: Record | None) -> Row:
    """What there is of a row already. What failed or was missing is tried again, beside what was measured of it."""
    old = previous.row(cell.key) if previous else None
    if old is None or not old.processes:
        return Row(cell=cell, status=Status.PENDING)
    return replace(old, status=Status.MEASURED)
