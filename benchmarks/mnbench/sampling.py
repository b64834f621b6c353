"""The loop that is timed: warm up until runs take equally long, then sample until the median is known well enough.

Standard library alone; knows nothing of what it runs. The clock stands still for nobody else in this process.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns

from mnbench.job import Budget

__all__ = ["Samples", "sample"]

_WINDOW = 3  # the medians of so many runs are compared, one window with the next
_STEADY = 0.05  # they may differ by so much
_FIRST_RUNS = 2  # in no window: they allocate, compile, read the weights
_LEAST_TO_TELL = _FIRST_RUNS + 2 * _WINDOW
_ENOUGH_TO_TELL = _FIRST_RUNS + 4 * _WINDOW  # so many that never rested are not warm, once the time is over
_MOST_TIMES_AS_LONG = 4  # what slow runs may make of the warm-up's time to be told about
_LEAST_SLOW_RUNS = 3  # of which the last two are then compared, whatever time they take
_LOOK_EVERY = 8  # runs between two looks at the interval: looking takes time, though not of any sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Nanoseconds, as taken; ``is_stable`` says that the warm-up came to rest before its time was over."""

    warm_up_ns: tuple[int, ...]
    samples_ns: tuple[int, ...]
    is_stable: bool
    parts_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def sample(
    run: Callable[[], None],
    budget: Budget,
    *,
    parts_of: Callable[[], Mapping[str, int]] | None = None,
    clock: Callable[[], int] = perf_counter_ns,
) -> Samples:
    """Time ``run`` within ``budget``; ``parts_of``, called after each run, tells how it was made up."""
    warm_up_ns, is_stable = _warm_up(run, budget, clock)
    taken: list[int] = []
    parts: dict[str, list[int]] = {}
    end = clock() + round(budget.seconds * 1e9)
    while len(taken) < budget.most_samples:
        begin = clock()
        run()
        done = clock()
        taken.append(done - begin)
        if parts_of is not None:
            for name, part_ns in parts_of().items():
                parts.setdefault(name, []).append(part_ns)
        if len(taken) >= budget.least_samples and (done >= end or _is_known(taken, budget.precision)):
            break
    return Samples(
        warm_up_ns=tuple(warm_up_ns),
        samples_ns=tuple(taken),
        is_stable=is_stable,
        parts_ns={name: tuple(values) for name, values in parts.items()},
    )


def _warm_up(run: Callable[[], None], budget: Budget, clock: Callable[[], int]) -> tuple[list[int], bool]:
    """Run until two windows in a row agree, or the time is over and enough runs have been seen.

    No time at all asks for no warm-up: one run, and nothing is said against it. Runs so slow that the time holds few
    of them get more of it, and in the end the last two of them tell.
    """
    taken: list[int] = []
    begin = clock()
    end, last_end = (begin + round(times * budget.warm_up_seconds * 1e9) for times in (1, _MOST_TIMES_AS_LONG))
    while True:
        before = clock()
        run()
        done = clock()
        taken.append(done - before)
        if budget.warm_up_seconds <= 0:
            return taken, True
        if len(taken) >= _LEAST_TO_TELL and _is_steady(taken, _WINDOW):
            return taken, True
        if done >= end and len(taken) >= _ENOUGH_TO_TELL:
            return taken, False
        if done >= last_end and len(taken) >= _LEAST_SLOW_RUNS:
            return taken, len(taken) < _LEAST_TO_TELL and _is_steady(taken, 1)


def _is_steady(taken: Sequence[int], window: int) -> bool:
    last = statistics.median(taken[-window:])
    before = statistics.median(taken[-2 * window : -window])
    return abs(last - before) <= _STEADY * before


def _is_known(taken: Sequence[int], precision: float) -> bool:
    """Whether the 95 % interval of the median, from order statistics, is within ``precision`` of it on both sides."""
    count = len(taken)
    if count < 2 * _LOOK_EVERY or count % _LOOK_EVERY:
        return False
    ordered = sorted(taken)
    reach = 1.96 * math.sqrt(count) / 2
    low = ordered[max(0, math.floor(count / 2 - reach))]
    high = ordered[min(count - 1, math.ceil(count / 2 + reach))]
    middle = statistics.median(ordered)
    return max(high - middle, middle - low) <= precision * middle
