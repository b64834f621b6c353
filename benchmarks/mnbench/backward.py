"""Backward passes held against each other: nobody else knows their answers.

The reference is the first framework that computed in float32, or the first of all while there is none; but none whose
outputs are no numbers, as long as another's are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mnbench.agreement import agreement
from mnbench.cell import Cell, Variant, Work
from mnbench.record import Agreement, Row

__all__ = ["BackwardOutputs"]

_Group = tuple[str, int]


class BackwardOutputs:
    """The losses and gradients of a run, by model and batch.

    ``rows`` are those of the record that the run goes on with: where some of a group were measured then, their outputs
    are gone, and what is measured now isn't held against anything.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._closed = {_group_of(row.cell) for row in rows if row.cell.work is Work.FORWARD_BACKWARD and row.processes}
        self._groups: dict[_Group, dict[Cell, Sequence[Any]]] = {}

    def add(self, cell: Cell, outputs: Sequence[Any]) -> Mapping[str, Agreement | None]:
        """The agreement of each cell of the group so far, by its key; None of the reference, and without one.

        Outputs that aren't finite agree with none, their own among them.
        """
        group = self._groups.setdefault(_group_of(cell), {})
        group[cell] = outputs
        if _group_of(cell) in self._closed:
            return {cell.key: None}
        reference = min(group, key=lambda each: _rank(each, group[each]))
        return {
            each.key: None
            if each is reference and _are_finite(found)
            else agreement(found, group[reference], each, reference.engine)
            for each, found in group.items()
        }


def _rank(cell: Cell, outputs: Sequence[Any]) -> tuple[bool, bool]:
    """The least is the reference; of equals the first."""
    return not _are_finite(outputs), cell.variant is not Variant.FLOAT32


def _are_finite(outputs: Sequence[Any]) -> bool:
    return all(np.isfinite(output).all() for output in outputs)


def _group_of(cell: Cell) -> _Group:
    return cell.model, cell.batch
