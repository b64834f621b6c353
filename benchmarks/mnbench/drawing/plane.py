"""The plane of accuracy and latency: where a row lies on it, and which room its labels have."""

from dataclasses import dataclass

from mnbench.drawing.axis import Axis
from mnbench.drawing.entries import Entry

__all__ = ["Plane", "percent_of"]


@dataclass(frozen=True, slots=True)
class Plane:
    """Milliseconds run across, per cent of top-1 upwards."""

    x: Axis
    y: Axis

    def place(self, entry: Entry) -> tuple[float, float]:
        return self.x(entry.ms), self.y(percent_of(entry))


def percent_of(entry: Entry) -> float:
    """The accuracy of a row of which it is known."""
    assert entry.accuracy is not None, entry.cell.key
    return entry.accuracy.percent
