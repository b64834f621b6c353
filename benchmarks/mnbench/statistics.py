"""From samples to figures with intervals: the median of each process is one observation, the unit of every interval.

Runs within a process are no independent draws: they share its memory layout, its caches, its minute. Processes are.
Times are positive and spread in proportion, so everything is computed on their logarithms, and a ratio is a difference.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mnbench.record import Process, Row, Status

__all__ = [
    "MARGIN",
    "Interval",
    "Verdict",
    "energy_interval",
    "interval_of",
    "middle_half_of",
    "paired_ratio_of",
    "part_intervals",
    "process_medians_ms",
    "ratio_of",
    "ratio_of_rows",
    "row_interval",
    "trend_of",
    "verdict",
]

# How far an interval has to stay clear of 1: what a run has for itself (a warmer day, another neighbour) moves all of
# its processes by about a percent, which no interval over them can know. Of 1000 rows in two such runs, measured by
# five processes of 1 to 2 % noise: where nothing changed, 140 to 300 are called faster or slower without it, 13 to 25
# with it; of those that became 10 % slower, 987 to 1000 are called so (tests/mnbench/test_statistics.py).
MARGIN = 0.02

# Two-sided 95 % points of Student's t by degrees of freedom: NIST/SEMATECH e-Handbook, 1.3.6.7.2.
_T_95 = {
    **dict(enumerate((12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228), start=1)),
    **dict(enumerate((2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086), start=11)),
    **dict(zip((25, 30, 40, 60, 100), (2.060, 2.042, 2.021, 2.000, 1.984), strict=True)),
}
_Z_95 = 1.960
# What a clock can tell: nothing takes less than a tick, and a record that says 30 years is not one of ours.
_LEAST_NS, _MOST_NS = 1, 10**18
_NS_PER_MS = 1e6
_LEAST_JOULES, _MOST_JOULES = 1e-6, 1e12  # likewise: counters count microjoules


class Verdict(StrEnum):
    """What may be said of one row beside another."""

    FASTER = "faster"
    SLOWER = "slower"
    CANT_TELL = "can't tell"
    OTHER_OUTPUTS = "other outputs"  # one of them computes something else: its time is that of something else


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it lies with 95 % confidence; one observation alone lies anywhere: 0 to infinity."""

    middle: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether there are ends to be shown: two observations or more."""
        return math.isfinite(self.high)

    @property
    def half_width(self) -> float:
        """How far the farther end lies from the middle, as a share of it."""
        return max(self.high - self.middle, self.middle - self.low) / self.middle

    def overlaps(self, other: "Interval") -> bool:
        return self.low <= other.high and other.low <= self.high

    def to_json(self) -> dict[str, Any]:
        """Ends that are not known are null."""
        low, high = (self.low, self.high) if self.is_known else (None, None)
        return {"middle": self.middle, "low": low, "high": high}


def interval_of(values: Sequence[float]) -> Interval:
    """The geometric mean of positive ``values`` and its interval."""
    logs = _logs(values)
    return _interval(statistics.fmean(logs), _standard_error(logs), len(logs) - 1)


def ratio_of(a: Sequence[float], b: Sequence[float]) -> Interval:
    """What ``a`` is of ``b``, measured apart (Welch's t on logarithms): above 1 where ``a`` takes longer."""
    logs_a, logs_b = _logs(a), _logs(b)
    squares = [_standard_error(logs) ** 2 for logs in (logs_a, logs_b)]
    return _interval(
        statistics.fmean(logs_a) - statistics.fmean(logs_b),
        math.sqrt(sum(squares)),
        _welch_freedom(squares, (len(logs_a), len(logs_b))),
    )


def paired_ratio_of(a: Mapping[int, float], b: Mapping[int, float]) -> Interval | None:
    """What ``a`` is of ``b`` by round of one run, so that what a round has in common cancels; None without a round
    that both have.
    """
    rounds = sorted(set(a) & set(b))
    return interval_of([a[each] / b[each] for each in rounds]) if rounds else None


def ratio_of_rows(a: Row, b: Row, *, is_same_run: bool) -> Interval | None:
    """What row ``a`` takes of what ``b`` does, paired by round where both are of one run; None where one is empty."""
    if not (_figured(a) and _figured(b)):
        return None
    if is_same_run:
        return paired_ratio_of(_by_round(a), _by_round(b))
    return ratio_of(process_medians_ms(a), process_medians_ms(b))


def trend_of(values: Sequence[float]) -> Interval:
    """What the last of ``values`` is of the first, by a straight line through their logarithms in order."""
    logs = _logs(values)
    last, freedom = len(logs) - 1, len(logs) - 2
    if freedom < 1:
        return _interval(logs[-1] - logs[0], math.inf, 0)
    places = range(len(logs))
    slope, start = statistics.linear_regression(places, logs)
    left_over = sum((log - start - slope * place) ** 2 for place, log in zip(places, logs, strict=True))
    width = sum((place - last / 2) ** 2 for place in places)
    return _interval(slope * last, last * math.sqrt(left_over / freedom / width), freedom)


def verdict(ratio: Interval, *, margin: float = MARGIN) -> Verdict:
    """What ``ratio`` says of what is above its line, if all of its interval is clear of 1 by ``margin``."""
    if ratio.low > 1 + margin:
        return Verdict.SLOWER
    if ratio.high < 1 / (1 + margin):
        return Verdict.FASTER
    return Verdict.CANT_TELL


def process_medians_ms(row: Row) -> tuple[float, ...]:
    """The median of each process, in the order of measuring."""
    return tuple(_median_ms(process.samples_ns) for process in row.processes)


def row_interval(row: Row) -> Interval | None:
    """Milliseconds of a row; None where it is not measured: what one that failed got until then is no figure."""
    return interval_of(process_medians_ms(row)) if _figured(row) else None


def part_intervals(row: Row) -> Mapping[str, Interval]:
    """Milliseconds of each part of a row's runs, in order; of the processes that have the part."""
    processes = _figured(row)
    names = dict.fromkeys(name for process in processes for name in process.parts_ns)
    return {name: interval_of(medians) for name in names if (medians := _part_medians(processes, name))}


def energy_interval(row: Row) -> Interval | None:
    """Millijoules that the machine took for one run, its idling included; None where no process was told.

    The counters ran from the first run of the warm-up to the last sample.
    """
    per_run = [
        1e3 * joules / _num_runs(process)
        for process in _figured(row)
        if isinstance(joules := process.conditions.get("energy_joules"), int | float)
        and _LEAST_JOULES <= joules < _MOST_JOULES
    ]
    return interval_of(per_run) if per_run else None


def _num_runs(process: Process) -> int:
    """All of them, where it is told: of very many not every one is kept."""
    kept = len(process.warm_up_ns) + len(process.samples_ns)
    told = process.conditions.get("num_runs")
    return max(told, kept) if isinstance(told, int) and told < _MOST_NS else kept


def middle_half_of(samples_ns: Sequence[int]) -> float:
    """How far apart the quartiles of one process's samples are, as a share of its median; of one sample 0."""
    if len(samples_ns) < 2:
        return 0.0
    low, middle, high = statistics.quantiles([_bounded(each) for each in samples_ns], n=4, method="inclusive")
    return (high - low) / middle


def _figured(row: Row) -> tuple[Process, ...]:
    """The processes that a figure of the row is made of."""
    return row.processes if row.status is Status.MEASURED else ()


def _part_medians(processes: Iterable[Process], name: str) -> list[float]:
    return [_median_ms(process.parts_ns[name]) for process in processes if process.parts_ns.get(name)]


def _by_round(row: Row) -> dict[int, float]:
    """The median of each round; of a round with several processes, their geometric mean."""
    found: dict[int, list[float]] = {}
    for process in row.processes:
        found.setdefault(process.round, []).append(_median_ms(process.samples_ns))
    return {number: statistics.geometric_mean(values) for number, values in found.items()}


def _median_ms(samples_ns: Sequence[int]) -> float:
    return statistics.median(_bounded(each) for each in samples_ns) / _NS_PER_MS


def _bounded(sample_ns: int) -> int:
    return min(max(sample_ns, _LEAST_NS), _MOST_NS)


def _logs(values: Sequence[float]) -> list[float]:
    if not values or not all(value > 0 and math.isfinite(value) for value in values):
        raise ValueError(f"an interval is of positive numbers, not of {values!r}")
    return [math.log(value) for value in values]


def _standard_error(logs: Sequence[float]) -> float:
    """Of their mean; infinite for one."""
    return statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf


def _welch_freedom(squares: Sequence[float], counts: Sequence[int]) -> float:
    """Degrees of freedom of a difference (Welch and Satterthwaite) from both squared standard errors."""
    if not 0 < sum(squares) < math.inf:
        return min(counts) - 1
    shares = [square / sum(squares) for square in squares]  # scaled first: the squares of small ones are 0
    return 1 / sum(share**2 / (count - 1) for share, count in zip(shares, counts, strict=True))


def _interval(mean: float, error: float, freedom: float) -> Interval:
    middle = math.exp(mean)
    if math.isinf(error):
        return Interval(middle, 0.0, math.inf)
    reach = math.exp(min(_t_95(freedom) * error, 700.0))  # e^700 is the last that a float holds
    return Interval(middle, middle / reach, middle * reach)


def _t_95(freedom: float) -> float:
    """Between the table's lines straight in 1/freedom: right to 0.2 % from 4 on, and below that too wide, if wrong."""
    if freedom in _T_95:
        return _T_95[int(freedom)]
    below = max(each for each in _T_95 if each <= freedom)
    above = min((each for each in _T_95 if each > freedom), default=math.inf)
    top = _T_95[below]
    bottom = _Z_95 if math.isinf(above) else _T_95[int(above)]
    share = (1 / below - 1 / freedom) / (1 / below - 1 / above)
    return top + share * (bottom - top)
