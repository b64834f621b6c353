"""``--max-drop``: the fewest layers to keep float so that top-1 falls by no more than was allowed.

Functions convert and measure; what is tried, and in which order, is decided here. A layer's damage is a guess, so that
the answer is measured: more and more of the worst are kept, then those are given back that turn out not to matter.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnconvert.accuracy.report import AccuracyReport

__all__ = ["Attempt", "DropReport", "Kept", "find_kept_float", "report_drop"]

MOST_GIVEN_BACK = 12
"""Attempts at keeping one layer less; each converts and evaluates anew."""

ConvertWith = Callable[[tuple[int, ...]], bytes]
Measure = Callable[[bytes], AccuracyReport]
MeasureLatencies = Callable[[Mapping[str, bytes]], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One conversion with these operators kept float: their indices, in order."""

    kept: tuple[int, ...]
    accuracy: AccuracyReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The outcome of a search: ``chosen`` holds the drop if ``is_held``, else it is what came nearest.

    ``tried`` are all attempts in their order; the first one keeps nothing float.
    """

    is_held: bool
    chosen: Attempt
    tried: tuple[Attempt, ...]

    @property
    def before(self) -> Attempt:
        return self.tried[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReport:
    """What stays float, what it won and what it costs. Latencies are None where they could not be measured."""

    max_drop: float
    is_held: bool
    kept: tuple[int, ...]
    names: tuple[str, ...]
    before: AccuracyReport
    after: AccuracyReport
    latency_before_ms: float | None
    latency_after_ms: float | None
    num_tried: int

    def to_json(self) -> dict[str, Any]:
        return {
            "max_drop": self.max_drop,
            "is_held": self.is_held,
            "kept_float": list(self.names),
            "num_tried": self.num_tried,
            "before": {"drop": self.before.drop_points, "latency_ms": self.latency_before_ms} | _error(self.before),
            "after": {"drop": self.after.drop_points, "latency_ms": self.latency_after_ms} | _error(self.after),
        }


def find_kept_float(
    convert_with: ConvertWith, measure: Measure, damage: Mapping[int, float], *, max_drop: float
) -> Kept:
    """Search among the operators of ``damage``, the worst first, until the drop is ``max_drop`` points or less.

    1, 2, 4, ... of the worst are kept float, the number is then halved in on, and layers that the drop doesn't need
    are given back one by one. Nothing is kept float where nothing has to be.
    """
    search = _Search(convert_with, measure, max_drop)
    ranked = sorted(damage, key=lambda operator: (-damage[operator], operator))
    count = search.fewest_of(ranked)
    if count is None:
        nearest = min(search.tried.values(), key=lambda attempt: (attempt.accuracy.drop_points, len(attempt.kept)))
        return Kept(is_held=False, chosen=nearest, tried=tuple(search.tried.values()))
    chosen = search.without_needless(ranked[:count])
    return Kept(is_held=True, chosen=chosen, tried=tuple(search.tried.values()))


class _Search:
    """Attempts by what they keep float: none is made twice."""

    def __init__(self, convert_with: ConvertWith, measure: Measure, max_drop: float) -> None:
        self._convert_with, self._measure, self._max_drop = convert_with, measure, max_drop
        self.tried: dict[tuple[int, ...], Attempt] = {}

    def attempt(self, kept: Iterable[int]) -> Attempt:
        key = tuple(sorted(kept))
        if key not in self.tried:
            self.tried[key] = Attempt(key, self._measure(self._convert_with(key)))
        return self.tried[key]

    def holds(self, kept: Iterable[int]) -> bool:
        return self.attempt(kept).accuracy.drop_points <= self._max_drop + 1e-9  # 1 of 100 is 1 point, not a hair more

    def fewest_of(self, ranked: Sequence[int]) -> int | None:
        """How many of the first of ``ranked`` it takes; None if all of them are not enough."""
        if self.holds(()):
            return 0
        failing, holding = 0, min(1, len(ranked))
        while not self.holds(ranked[:holding]):
            if holding == len(ranked):
                return None
            failing, holding = holding, min(2 * holding, len(ranked))
        while holding - failing > 1:
            middle = (failing + holding) // 2
            failing, holding = (failing, middle) if self.holds(ranked[:middle]) else (middle, holding)
        return holding

    def without_needless(self, kept: Sequence[int]) -> Attempt:
        """Give back what the drop holds without, the least damaging first. The last one is why it holds."""
        left = list(kept)
        for operator in kept[-2 : -2 - MOST_GIVEN_BACK : -1]:
            fewer = [each for each in left if each != operator]
            if self.holds(fewer):
                left = fewer
        return self.attempt(left)


def report_drop(
    found: Kept,
    convert_with: ConvertWith,
    measure_latencies: MeasureLatencies,
    *,
    max_drop: float,
    names: Mapping[int, str],
) -> DropReport:
    """``names`` are the operators' by index. ``measure_latencies`` runs named files in turns, in milliseconds."""
    places = {"before": found.before.kept, "after": found.chosen.kept}
    files = {place: convert_with(kept) for place, kept in places.items() if place == "before" or kept}
    times = measure_latencies(files)
    return DropReport(
        max_drop=max_drop,
        is_held=found.is_held,
        kept=found.chosen.kept,
        names=tuple(names[operator] for operator in found.chosen.kept),
        before=found.before.accuracy,
        after=found.chosen.accuracy,
        latency_before_ms=times.get("before"),
        latency_after_ms=times.get("after" if found.chosen.kept else "before"),
        num_tried=len(found.tried),
    )


def _error(accuracy: AccuracyReport) -> dict[str, float]:
    return {"standard_error": 100 * accuracy.top1_difference.standard_error}
