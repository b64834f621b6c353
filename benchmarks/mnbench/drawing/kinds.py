"""The kinds of pictures, by name, and what draws each."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from mnbench.drawing.entries import Entry
from mnbench.drawing.latency import draw_latency
from mnbench.drawing.operators import draw_operators
from mnbench.drawing.pareto import draw_pareto
from mnbench.drawing.parts import draw_parts
from mnbench.drawing.picture import Picture
from mnbench.drawing.threads import draw_threads

__all__ = ["Kind", "draw"]


class Kind(StrEnum):
    """What is drawn."""

    LATENCY = "latency"
    PARETO = "pareto"  # accuracy against latency
    THREADS = "threads"
    OPERATORS = "operators"
    PARTS = "parts"


_DRAWN: dict[Kind, Callable[..., Picture]] = {
    Kind.LATENCY: draw_latency,
    Kind.PARETO: draw_pareto,
    Kind.THREADS: draw_threads,
    Kind.OPERATORS: draw_operators,
    Kind.PARTS: draw_parts,
}


def draw(kind: Kind, entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A picture of the entries; without ``is_log`` the figures decide the scale. Raise InputError: nothing to draw."""
    return _DRAWN[kind](entries, is_log=is_log)
