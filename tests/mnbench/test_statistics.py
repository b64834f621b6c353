import math
import statistics
from collections import Counter
from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.cell import Cell, Work
from mnbench.record import Process, Row, Status
from mnbench.statistics import (
    Interval,
    Verdict,
    energy_interval,
    interval_of,
    middle_half_of,
    paired_ratio_of,
    part_intervals,
    process_medians_ms,
    ratio_of,
    ratio_of_rows,
    row_interval,
    trend_of,
    verdict,
)
from support.records import process_of, row_of

pytestmark = pytest.mark.smoke

CELL = Cell(work=Work.FORWARD, model="net", engine="litert")
TIMES = st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=8)


def row(*processes: Process) -> Row:
    return Row(cell=CELL, status=Status.MEASURED, processes=processes)


def process(*samples_ns: int, round_number: int = 1, **more: object) -> Process:
    return replace(Process(round=round_number, samples_ns=samples_ns), **more)


# Intervals.


def test_an_interval_is_student_s_on_logarithms() -> None:
    values = [10.0, 10.4, 9.8, 10.1, 10.3]
    logs = [math.log(value) for value in values]
    reach = math.exp(2.776 * statistics.stdev(logs) / math.sqrt(5))
    interval = interval_of(values)
    assert interval.middle == pytest.approx(statistics.geometric_mean(values))
    assert (interval.low, interval.high) == pytest.approx((interval.middle / reach, interval.middle * reach))


def test_one_observation_may_lie_anywhere() -> None:
    interval = interval_of([11.2])
    assert interval == Interval(pytest.approx(11.2), 0.0, math.inf)
    assert not interval.is_known
    assert interval.to_json() == {"middle": interval.middle, "low": None, "high": None}


def test_equal_observations_leave_no_doubt() -> None:
    interval = interval_of([3.0] * 5)
    assert interval.low == interval.middle == interval.high
    assert interval.half_width == 0


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [1.0, -1.0], [math.nan], [math.inf]])
def test_an_interval_is_of_positive_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive numbers"):
        interval_of(values)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """95 of 100: within three standard errors of 4000 draws."""
    random = Random(0)
    draws = (interval_of([random.lognormvariate(math.log(12.0), 0.03) for _ in range(5)]) for _ in range(4000))
    share = sum(each.low <= 12.0 <= each.high for each in draws) / 4000
    assert abs(share - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 4000)


@pytest.mark.parametrize(("count", "reach"), [(2, 12.706), (3, 4.303), (5, 2.776), (31, 2.042), (101, 1.984)])
def test_the_reach_follows_the_number_of_observations(count: int, reach: float) -> None:
    values = [math.exp((-1) ** i * 0.01) for i in range(count)]
    error = statistics.stdev(math.log(value) for value in values) / math.sqrt(count)
    interval = interval_of(values)
    assert math.log(interval.high / interval.middle) == pytest.approx(reach * error, rel=1e-9)


@pytest.mark.parametrize(
    ("freedom", "exact"), [(4.5, 2.6589), (6.8, 2.3788), (12.5, 2.1692), (35, 2.0301), (500, 1.9647)]
)
def test_between_the_lines_of_the_table_the_reach_is_right_to_a_quarter_percent(freedom: float, exact: float) -> None:
    """The exact points are of scipy.stats.t.ppf(0.975, freedom)."""
    from mnbench.statistics import _t_95

    assert _t_95(freedom) == pytest.approx(exact, rel=0.0025)


@given(TIMES, st.floats(0.1, 10))
def test_an_interval_scales_with_its_values(values: list[float], factor: float) -> None:
    scaled, plain = interval_of([value * factor for value in values]), interval_of(values)
    assert scaled.middle == pytest.approx(plain.middle * factor)
    assert scaled.half_width == pytest.approx(plain.half_width, rel=1e-6, abs=1e-6)


@given(TIMES)
def test_the_middle_lies_within(values: list[float]) -> None:
    interval = interval_of(values)
    assert interval.low <= interval.middle <= interval.high
    assert min(values) * (1 - 1e-9) <= interval.middle <= max(values) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("a", "b", "is_shared"),
    [((1.0, 2.0), (1.5, 3.0), True), ((1.0, 2.0), (2.0, 3.0), True), ((1.0, 2.0), (2.1, 3.0), False)],
)
def test_intervals_overlap_or_not(a: tuple[float, float], b: tuple[float, float], is_shared: bool) -> None:
    first, second = Interval(sum(a) / 2, *a), Interval(sum(b) / 2, *b)
    assert first.overlaps(second) is second.overlaps(first) is is_shared


# Ratios.


def test_a_ratio_is_above_one_where_the_first_takes_longer() -> None:
    assert ratio_of([11.0, 11.2, 10.8], [10.0, 10.1, 9.9]).middle == pytest.approx(1.1, rel=1e-3)


def test_a_ratio_s_reach_is_welch_s() -> None:
    """An example of unlike spreads, by hand: squares s²/n 1.75e-4 and 2e-5, freedom by Satterthwaite 2.7 or so."""
    a, b = [1.0, 1.05, 0.95, 1.02], [1.0, 1.01, 0.99, 1.0, 1.005]
    squares = [statistics.variance(map(math.log, each)) / len(each) for each in (a, b)]
    freedom = sum(squares) ** 2 / (squares[0] ** 2 / 3 + squares[1] ** 2 / 4)
    ratio = ratio_of(a, b)
    reach = math.log(ratio.high / ratio.middle) / math.sqrt(sum(squares))
    assert 3 < freedom < 4
    assert 2.776 < reach < 3.182


@given(TIMES, TIMES)
def test_the_other_way_round_is_the_inverse(a: list[float], b: list[float]) -> None:
    ratio, inverse = ratio_of(a, b), ratio_of(b, a)
    assert ratio.middle * inverse.middle == pytest.approx(1)
    if ratio.is_known and inverse.is_known:
        assert ratio.low * inverse.high == pytest.approx(1)


@given(TIMES)
def test_a_ratio_to_itself_is_one_and_tells_nothing(values: list[float]) -> None:
    assert verdict(ratio_of(values, values)) is Verdict.CANT_TELL


def test_a_process_alone_tells_nothing() -> None:
    assert verdict(ratio_of([20.0], [10.0, 10.1, 9.9])) is Verdict.CANT_TELL
    assert verdict(ratio_of([20.0], [10.0])) is Verdict.CANT_TELL


def test_spreads_too_small_for_their_squares_are_none() -> None:
    """A standard error of 1e-170 has no square: the freedom falls back to the smaller count."""
    ratio = ratio_of([1.0, 1.0 + 2e-16, 1.0], [1.0, 1.0, 1.0])
    assert ratio.middle == pytest.approx(1)
    assert ratio.is_known


def test_what_rounds_have_in_common_cancels() -> None:
    """Each round is slower than the one before by 10 %, for both: pairs agree, and apart they don't."""
    a = {number: 10.0 * 1.1**number for number in range(5)}
    b = {number: 9.0 * 1.1**number * (1 + 0.001 * (-1) ** number) for number in range(5)}
    paired = paired_ratio_of(a, b)
    assert paired is not None
    assert verdict(paired) is Verdict.SLOWER
    assert verdict(ratio_of(list(a.values()), list(b.values()))) is Verdict.CANT_TELL


def test_only_rounds_of_both_are_paired() -> None:
    assert paired_ratio_of({1: 10.0, 2: 12.0, 7: 99.0}, {1: 5.0, 2: 6.0, 3: 1.0}) == interval_of([2.0, 2.0])
    assert paired_ratio_of({1: 10.0}, {2: 10.0}) is None


def test_rows_of_one_run_are_paired_and_of_two_are_not() -> None:
    a, b = row_of(CELL, 11.0), row_of(CELL, 10.0)
    apart = ratio_of(process_medians_ms(a), process_medians_ms(b))
    paired = ratio_of_rows(a, b, is_same_run=True)
    assert ratio_of_rows(a, b, is_same_run=False) == apart
    assert paired is not None
    assert paired.middle == pytest.approx(apart.middle)
    assert paired != apart


def test_a_row_without_processes_has_no_ratio() -> None:
    assert ratio_of_rows(row(), row_of(CELL, 1.0), is_same_run=True) is None
    assert ratio_of_rows(row_of(CELL, 1.0), row(), is_same_run=False) is None


def test_processes_of_one_round_count_once() -> None:
    twice = row(process(9, round_number=1), process(16, round_number=1), process(12, round_number=2))
    once = row(process(12, round_number=1), process(12, round_number=2))
    assert ratio_of_rows(twice, once, is_same_run=True) == interval_of([1.0, 1.0])


# Rows.


def test_each_process_gives_its_median() -> None:
    assert process_medians_ms(row(process(3_000_000, 1_000_000, 2_000_000), process(5_000_000))) == (2.0, 5.0)


def test_a_row_s_figure_is_over_processes_not_over_samples() -> None:
    """A thousand samples of one process weigh as much as one of another."""
    found = row_interval(row(process(*[10**6] * 1000), process(4 * 10**6)))
    assert found is not None
    assert found.middle == pytest.approx(2.0)


def test_a_row_without_processes_has_no_figure() -> None:
    assert row_interval(row()) is None


@pytest.mark.parametrize("status", [Status.FAILED, Status.MISSING, Status.PENDING])
def test_a_row_that_is_not_measured_has_no_figure_whatever_it_got_until_then(status: Status) -> None:
    good = row(*(process(10**6, parts_ns={"decode": (1,)}, conditions={"energy_joules": 2.0}) for _ in range(5)))
    failed = replace(good, status=status)
    assert row_interval(good) is not None
    assert energy_interval(good) is not None
    assert part_intervals(good)
    assert ratio_of_rows(good, good, is_same_run=True) is not None
    assert (row_interval(failed), energy_interval(failed), part_intervals(failed)) == (None, None, {})
    assert ratio_of_rows(good, failed, is_same_run=True) is None
    assert ratio_of_rows(failed, good, is_same_run=False) is None
    assert part_intervals(row()) == {}


@pytest.mark.parametrize(("samples", "ms"), [((0, 0, 0), 1e-6), ((10**400,), 1e12), ((10**400, 10**401), 1e12)])
def test_nonsense_in_a_record_is_bounded(samples: tuple[int, ...], ms: float) -> None:
    """0 ns and 10^400 ns are whole numbers, and may stand in a file by others."""
    found = row_interval(row(process(*samples)))
    assert found is not None
    assert found.middle == pytest.approx(ms)
    assert middle_half_of(samples) >= 0


def test_parts_are_figures_of_their_own() -> None:
    parts = {"decode": (3_000_000, 5_000_000), "invoke": (4_000_000, 4_000_000)}
    only_once = {"decode": (4_000_000,), "invoke": ()}
    found = part_intervals(row(process(1, parts_ns=parts), process(1, parts_ns=only_once)))
    assert list(found) == ["decode", "invoke"]
    assert found["decode"].middle == pytest.approx(4.0)
    assert found["decode"].is_known
    assert not found["invoke"].is_known


def test_energy_is_shared_out_over_runs_that_were_not_kept_too() -> None:
    told = process(*[10] * 30, warm_up_ns=(10,) * 10, conditions={"energy_joules": 2.0, "num_runs": 4000})
    found = energy_interval(row(told))
    assert found is not None
    assert found.middle == pytest.approx(0.5)


def test_energy_is_shared_out_over_all_runs_the_warm_up_s_too() -> None:
    told = process(*[10] * 30, warm_up_ns=(10,) * 10, conditions={"energy_joules": 2.0})
    untold = process(*[10] * 30, conditions={"energy_joules": None})
    found = energy_interval(row(told, untold))
    assert found is not None
    assert found.middle == pytest.approx(50.0)


@pytest.mark.parametrize("joules", [None, 0, -1.0, "2", math.nan, math.inf, [2.0]])
def test_energy_that_is_no_number_is_not_told(joules: object) -> None:
    assert energy_interval(row(process(10, conditions={"energy_joules": joules}))) is None


def test_the_middle_half_is_a_share_of_the_median() -> None:
    assert middle_half_of([8, 9, 10, 11, 12]) == pytest.approx(0.2)
    assert middle_half_of([10]) == 0


def test_a_trend_is_what_the_last_is_of_the_first() -> None:
    trend = trend_of([10.0 * 1.02**i for i in range(5)])
    assert trend.middle == pytest.approx(1.02**4)
    assert verdict(trend) is Verdict.SLOWER


def test_two_observations_have_no_trend() -> None:
    assert not trend_of([10.0, 20.0]).is_known
    assert trend_of([10.0, 20.0]).middle == pytest.approx(2.0)


def test_noise_has_a_trend_as_seldom_as_the_interval_says() -> None:
    random = Random(1)
    trends = (trend_of([random.lognormvariate(2.0, 0.02) for _ in range(5)]) for _ in range(2000))
    share = sum(each.low > 1 or each.high < 1 for each in trends) / 2000
    assert abs(share - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 2000)


# Verdicts.


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.03, 1.2, Verdict.SLOWER),
        (1.01, 1.2, Verdict.CANT_TELL),
        (0.8, 0.97, Verdict.FASTER),
        (0.8, 0.985, Verdict.CANT_TELL),
        (0.9, 1.1, Verdict.CANT_TELL),
        (0.0, math.inf, Verdict.CANT_TELL),
    ],
)
def test_a_verdict_is_given_where_all_of_the_interval_is_clear_of_one(
    low: float, high: float, expected: Verdict
) -> None:
    assert verdict(Interval(1.0, low, high)) is expected


@given(TIMES, TIMES, st.floats(0, 0.5))
def test_the_two_sides_are_alike(a: list[float], b: list[float], margin: float) -> None:
    mirrored = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER, Verdict.CANT_TELL: Verdict.CANT_TELL}
    there, back = ratio_of(a, b), ratio_of(b, a)
    at_the_edge = any(math.isclose(end, 1 + margin) for each in (there, back) for end in (each.low, 1 / each.high))
    if not at_the_edge:
        assert verdict(back, margin=margin) is mirrored[verdict(there, margin=margin)]


class Noise(NamedTuple):
    """How the medians of a run's processes come about, each a share: what a run has for itself, a drift from its first
    process to its last (either way), each process's own, and how often one is disturbed by 5 to 30 %.
    """

    run: float
    drift: float
    process: float
    disturbed: float = 0.0

    def medians(self, random: Random, factor: float) -> list[float]:
        offset, slope = random.gauss(0, self.run), random.uniform(-self.drift, self.drift)
        return [
            10 * factor * math.exp(offset + slope * (place / 4 - 0.5) + self._of_process(random)) for place in range(5)
        ]

    def _of_process(self, random: Random) -> float:
        is_disturbed = random.random() < self.disturbed
        return random.gauss(0, self.process) + (random.uniform(0.05, 0.3) if is_disturbed else 0)


def rates(noise: Noise, factor: float, *, rows: int = 4000) -> Counter[Verdict]:
    """How often each verdict is given, of 1000: five processes in each of two runs."""
    random = Random(f"{noise} {factor}")
    found = Counter(verdict(ratio_of(noise.medians(random, factor), noise.medians(random, 1))) for _ in range(rows))
    return Counter({each: round(1000 * count / rows) for each, count in found.items()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "most_false", "least_found"),
    [
        (Noise(run=0.003, drift=0.01, process=0.005), 0, 1000),  # a desktop with a fixed frequency
        (Noise(run=0.007, drift=0.02, process=0.01), 10, 998),  # a quiet machine
        (Noise(run=0.01, drift=0.02, process=0.01), 35, 998),  # the same on two days
        (Noise(run=0.01, drift=0.02, process=0.02), 25, 970),  # a busy virtual machine
        (Noise(run=0.01, drift=0.02, process=0.01, disturbed=0.02), 30, 860),  # one process in fifty is disturbed
        (Noise(run=0.02, drift=0.05, process=0.04), 65, 600),  # a laptop that is worked on: rather no answer
    ],
)
def test_what_a_verdict_is_worth(noise: Noise, most_false: int, least_found: int) -> None:
    """Of 1000 rows: those called other where nothing changed, and those found that became 10 % slower or faster."""
    alike, slower, faster = rates(noise, 1.0), rates(noise, 1.1), rates(noise, 1 / 1.1)
    assert alike[Verdict.FASTER] + alike[Verdict.SLOWER] <= most_false
    assert slower[Verdict.SLOWER] >= least_found
    assert faster[Verdict.FASTER] >= least_found
    assert slower[Verdict.FASTER] == faster[Verdict.SLOWER] == 0


@given(st.integers(0, 10_000))
def test_ten_percent_in_samples_are_found_and_none_are_not(seed: int) -> None:
    """From raw samples, with the long tail that they have: the whole way from nanoseconds to the verdict."""
    before, after = (row_of(CELL, 8.0, seed=seed + offset) for offset in (0, 20_000))
    slowed = replace(after, processes=tuple(_slowed(each) for each in after.processes))
    ratio = ratio_of_rows(slowed, before, is_same_run=False)
    assert ratio is not None
    assert verdict(ratio) is Verdict.SLOWER


def _slowed(process: Process) -> Process:
    return replace(process, samples_ns=tuple(round(each * 1.1) for each in process.samples_ns))


def test_samples_of_the_same_are_seldom_called_otherwise() -> None:
    pairs = ((row_of(CELL, 8.0, seed=seed), row_of(CELL, 8.0, seed=-seed - 1)) for seed in range(200))
    found = Counter(verdict(ratio_of_rows(a, b, is_same_run=False) or interval_of([1.0])) for a, b in pairs)
    assert found[Verdict.CANT_TELL] >= 198


def test_a_process_of_samples_is_what_the_support_says() -> None:
    """The generator that the two tests above stand on: its median is where it was asked to be."""
    assert process_medians_ms(row(process_of(8.0)))[0] == pytest.approx(8.0, rel=0.01)


def test_energy_that_no_counter_counts_is_none() -> None:
    """A share of it would be 0, which has no logarithm."""
    told = process(10, conditions={"energy_joules": 1e-320, "num_runs": 10**17})
    assert energy_interval(row(told)) is None
    least = energy_interval(row(process(10, conditions={"energy_joules": 1e-6, "num_runs": 10**17})))
    assert least is not None
    assert least.middle > 0
