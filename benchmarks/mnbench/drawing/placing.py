"""Where labels go so that none lies on another: along a line, or around points of a plane. Pure geometry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Area", "place_labels", "spread"]

_RINGS = (0.0, 14.0, 28.0, 44.0, 62.0)


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle by its ends."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Area") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Area") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def spread(wanted: Sequence[float], gap: float) -> tuple[float, ...]:
    """Places in the order of ``wanted``, at least ``gap`` apart and as near to them as the mean of each heap allows."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    heaps: list[list[int]] = []
    for place in order:
        heaps.append([place])
        while len(heaps) > 1 and _first(heaps[-1], wanted, gap) - _last(heaps[-2], wanted, gap) < gap:
            last = heaps.pop()
            heaps[-1] += last
    found = [0.0] * len(wanted)
    for heap in heaps:
        begin = _first(heap, wanted, gap)
        for step, place in enumerate(heap):
            found[place] = begin + step * gap
    return tuple(found)


def _first(heap: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    return sum(wanted[place] for place in heap) / len(heap) - gap * (len(heap) - 1) / 2


def _last(heap: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    return _first(heap, wanted, gap) + gap * (len(heap) - 1)


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    reaches: Sequence[float],
    inside: Area,
    marks: Iterable[Area],
) -> tuple[Area | None, ...]:
    """An area to each label, beside its point, free of ``marks`` and of the others; None where there is no such place.

    The first come first: they get the best places. ``reaches`` tell how far out of its place each may be moved.
    """
    taken = list(marks)
    found: list[Area | None] = []
    for (x, y), (width, height), reach in zip(points, sizes, reaches, strict=True):
        free = (area for area in _around(x, y, width, height, reach) if inside.holds(area))
        best = next((area for area in free if not any(area.overlaps(other) for other in taken)), None)
        taken += [best] if best else []
        found.append(best)
    return tuple(found)


def _around(x: float, y: float, width: float, height: float, reach: float) -> Iterable[Area]:
    """Right, left, above, below, then further out: the order of preference."""
    near = 8.0
    for ring in (each for each in _RINGS if each <= reach):
        for left, top in (
            (x + near, y - height / 2 - ring),
            (x + near, y - height / 2 + ring),
            (x - near - width, y - height / 2 - ring),
            (x - near - width, y - height / 2 + ring),
            (x - width / 2, y - near - height - ring),
            (x - width / 2, y + near + ring),
        ):
            yield Area(left, top, left + width, top + height)
