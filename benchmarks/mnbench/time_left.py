"""How long a run still takes: its processes as planned at first, then as long as they took."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from mnbench.cell import Cell
from mnbench.plan import Plan

__all__ = ["TimeLeft"]


class TimeLeft:
    """The time of each cell's last worker; what is done once, as a profile, isn't counted again for later rounds."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._taken_s: dict[str, float] = {}

    @contextmanager
    def timing(self, cell: Cell) -> Iterator[None]:
        """Meanwhile a worker of ``cell`` runs, and nothing else."""
        begin = monotonic()
        yield
        self._taken_s[cell.key] = monotonic() - begin

    def seconds(self, cells: Sequence[Cell]) -> float:
        """Of one process more for each of ``cells``."""
        unknown = [cell for cell in cells if cell.key not in self._taken_s]
        return sum(self._taken_s.get(cell.key, 0.0) for cell in cells) + self._plan.estimated_s(unknown)
