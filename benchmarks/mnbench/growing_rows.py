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
_MOST_HUNG = 1  # each takes minutes
_OF_PROCESSES = "round "  # how a reason begins that tells of processes; what never became one is no doubt of the others


class GrowingRows:
    """A row to each cell of ``plan``, in its order; what ``previous`` has of it is there already."""

    def __init__(self, plan: Plan, previous: Record | None) -> None:
        self._rounds = plan.rounds
        self._rows = {cell.key: _begun(cell, previous) for cell in plan.cells}
        self._failures: Counter[str] = Counter()  # of this run: what failed in an earlier one gets another chance
        self._hangs: Counter[str] = Counter()
        self._last_kind: dict[str, str] = {}

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
        elif row.processes:
            is_over = self._is_over(cell.key, outcome)
            status = outcome.status if is_over else row.status
            self._rows[cell.key] = replace(row, status=status, reason=self._noted(row, outcome.reason, round_ + 1))
        else:
            self.end(cell, outcome)

    def _is_over(self, key: str, outcome: Outcome) -> bool:
        """Whether this failure is one too many. What hangs costs more time than what crashes, and may do so once."""
        self._failures[key] += 1
        self._hangs[key] += outcome.is_hung
        return self._hangs[key] > _MOST_HUNG or self._failures[key] > max(1, _MOST_FAILED * self._rounds)

    def _noted(self, row: Row, reason: str, number: int) -> str:
        """The failures of the row's processes until now, and this one: in full unless it is of the kind of the last."""
        key, kind = row.cell.key, reason.partition(": ")[0]
        is_another = kind == self._last_kind.get(key)
        self._last_kind[key] = kind
        note = f"another in round {number}" if is_another else f"{_OF_PROCESSES}{number}: {reason}"
        return f"{row.reason}; {note}" if row.reason else note

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
    """What there is of a row already, and which of its processes failed. What failed or was missing is tried again."""
    old = previous.row(cell.key) if previous else None
    if old is None or not old.processes:
        return Row(cell=cell, status=Status.PENDING)
    reason = old.reason if old.reason.startswith(_OF_PROCESSES) else ""
    return replace(old, status=Status.MEASURED, reason=reason)
