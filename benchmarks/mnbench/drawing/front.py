"""Which choices nothing else beats in both: faster and at least as accurate, or more accurate and at least as fast."""

from collections.abc import Sequence

__all__ = ["pareto_front"]


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """The places of the points (cost, worth) on the front, cheapest first; of equal points the first."""
    best = float("-inf")
    front = []
    for place in sorted(range(len(points)), key=lambda place: (points[place][0], -points[place][1])):
        worth = points[place][1]
        if worth > best:
            front.append(place)
            best = worth
    return tuple(front)
