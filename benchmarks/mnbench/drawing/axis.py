"""From numbers to places: linear from zero, or logarithmic, with the round numbers that stand beside an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mnbench.statistics import Interval
from mnconvert.report.html.axes import round_ticks

__all__ = ["Axis", "axis_for", "shown_ends"]

# Where the longest is so many times the shortest, bars from zero show the short ones as nothing; a logarithm, both.
_WIDEST_LINEAR = 50.0
_STEPS = (1, 2, 5)
_FURTHEST = 3.0  # an interval is shown to so many times its middle: one without bounds would leave nothing of the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """``low`` lies at ``start``, ``high`` at ``end``, in pixels; ``ticks`` are inside."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """The place of ``value``, or the nearest end of the axis."""
        inside = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def axis_for(
    values: Sequence[float],
    start: float,
    end: float,
    *,
    most: int = 7,
    is_log: bool | None = None,
    low: float = 0.0,
    widest_linear: float = _WIDEST_LINEAR,
) -> Axis:
    """An axis that holds all positive ``values``, from ``low`` or the round number below it.

    Where they differ more than ``widest_linear`` times it is logarithmic, unless ``is_log`` says.
    """
    shown = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
    if is_log is None:
        is_log = max(shown) > widest_linear * min(shown)
    if is_log:
        return _log_axis(min(shown), max(shown), start, end, most)
    ticks = round_ticks(low, max(shown), most)
    return Axis(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=ticks)


def shown_ends(interval: Interval) -> tuple[float, float]:
    """What an axis has to hold of an interval; of one observation it is the figure alone."""
    if not interval.is_known:
        return interval.middle, interval.middle
    return max(interval.low, interval.middle / _FURTHEST), min(interval.high, interval.middle * _FURTHEST)


def _log_axis(low: float, high: float, start: float, end: float, most: int) -> Axis:
    """From the round number below the lowest to that above the highest: 1, 2 or 5 times a power of ten."""
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    steps = [step * 10.0**power for power in range(first, last + 1) for step in _STEPS]
    begin = max(step for step in steps if step <= low * (1 + 1e-9))
    stop = min(step for step in steps if step >= high * (1 - 1e-9) and step > begin)
    ticks = [step for step in steps if begin <= step <= stop]
    if len(ticks) > most:
        ticks = [step for step in ticks if math.isclose(math.log10(step), round(math.log10(step)), abs_tol=1e-9)]
    return Axis(low=begin, high=stop, start=start, end=end, ticks=tuple(ticks), is_log=True)
