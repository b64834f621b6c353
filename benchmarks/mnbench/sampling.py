"""The loop that is timed: warm up until runs take equally long, then sample until the median is known well enough.

Neither ends before a least time is over, however short the runs are: a core may take a tenth of a second to speed up.
Standard library alone; knows nothing of what it runs. The clock stands still for nobody else in this process.
"""

import math
import statistics
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Generic, TypeVar

from mnbench.job import Budget

__all__ = ["Samples", "sample"]

_Item = TypeVar("_Item")

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
    """Nanoseconds, as taken; ``is_stable`` says that the warm-up came to rest before its time was over.

    Of very many runs every second is kept, every fourth, and so on: ``num_runs`` counts them all, the warm-up's too.
    ``sampled_ns`` is how long sampling took, from its first run to its last.
    """

    warm_up_ns: tuple[int, ...]
    samples_ns: tuple[int, ...]
    is_stable: bool
    num_runs: int
    sampled_ns: int
    parts_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class _Thinned(Generic[_Item]):
    """Of all items that come, the first and as many others, spread evenly, as ``most`` has room for."""

    def __init__(self, most: int) -> None:
        self.kept: list[_Item] = []
        self.num_seen = 0
        self._most = most
        self._stride = 1

    def add(self, item: _Item) -> bool:
        """Whether it was kept. Where there is no room every second one goes, and of those to come as many."""
        if len(self.kept) >= self._most and self.num_seen % self._stride == 0:
            del self.kept[1::2]
            self._stride *= 2
        is_kept = self.num_seen % self._stride == 0
        if is_kept:
            self.kept.append(item)
        self.num_seen += 1
        return is_kept


def sample(
    run: Callable[[], None],
    budget: Budget,
    *,
    parts_of: Callable[[], Mapping[str, int]] | None = None,
    clock: Callable[[], int] = perf_counter_ns,
) -> Samples:
    """Time ``run`` within ``budget``; ``parts_of``, called after each run, tells how it was made up."""
    warm_up, is_stable = _warm_up(run, budget, clock)
    taken: _Thinned[int] = _Thinned(budget.most_samples)
    parts: _Thinned[Mapping[str, int]] = _Thinned(budget.most_samples)
    start = clock()
    end = start + _ns(budget.seconds)
    least_end = start + _ns(min(budget.least_seconds, budget.seconds))
    while True:
        begin = clock()
        run()
        done = clock()
        is_kept = taken.add(done - begin)
        if parts_of is not None:
            parts.add(dict(parts_of()))
        if done >= least_end and _is_enough(taken.kept, budget, is_over=done >= end, is_new=is_kept):
            break
    return Samples(
        warm_up_ns=tuple(warm_up.kept),
        samples_ns=tuple(taken.kept),
        is_stable=is_stable,
        num_runs=warm_up.num_seen + taken.num_seen,
        sampled_ns=done - start,
        parts_ns=_by_part(parts.kept),
    )


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _is_enough(taken: Sequence[int], budget: Budget, *, is_over: bool, is_new: bool) -> bool:
    """Whether there are as many samples as are allowed, or the least, and the time is over or the median known."""
    if len(taken) >= budget.most_samples:
        return True
    return len(taken) >= budget.least_samples and (is_over or (is_new and _is_known(taken, budget.precision)))


def _by_part(parts: Sequence[Mapping[str, int]]) -> dict[str, tuple[int, ...]]:
    names = dict.fromkeys(name for each in parts for name in each)
    return {name: tuple(each[name] for each in parts if name in each) for name in names}


def _warm_up(run: Callable[[], None], budget: Budget, clock: Callable[[], int]) -> tuple[_Thinned[int], bool]:
    """Run until its least time is over and two windows in a row agree, or all of its time and enough runs were seen.

    No time at all asks for no warm-up: one run, and nothing is said against it. Runs so slow that the time holds few
    of them get more of it, and in the end the last two of them tell.
    """
    taken: _Thinned[int] = _Thinned(budget.most_samples)
    last: deque[int] = deque(maxlen=2 * _WINDOW)
    begin = clock()
    end, last_end = (begin + _ns(times * budget.warm_up_seconds) for times in (1, _MOST_TIMES_AS_LONG))
    least_end = begin + _ns(min(budget.least_warm_up_seconds, budget.warm_up_seconds))
    while True:
        before = clock()
        run()
        done = clock()
        taken.add(done - before)
        last.append(done - before)
        num_runs = taken.num_seen
        if budget.warm_up_seconds <= 0:
            return taken, True
        if done >= least_end and num_runs >= _LEAST_TO_TELL and _is_steady(tuple(last), _WINDOW):
            return taken, True
        if done >= end and num_runs >= _ENOUGH_TO_TELL:
            return taken, False
        if done >= last_end and num_runs >= _LEAST_SLOW_RUNS:
            return taken, num_runs < _LEAST_TO_TELL and _is_steady(tuple(last), 1)


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
