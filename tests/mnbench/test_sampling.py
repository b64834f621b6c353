"""The timed loop, with a clock that the test turns."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.job import Budget
from mnbench.sampling import sample

pytestmark = pytest.mark.smoke


class Machine:
    """A clock, and a run that moves it by the next duration; the last one repeats."""

    def __init__(self, durations_ns: list[int]) -> None:
        self.now_ns = 0
        self.num_runs = 0
        self._durations: Iterator[int] = iter(durations_ns)
        self._last = durations_ns[-1]

    def run(self) -> None:
        self.num_runs += 1
        self.now_ns += next(self._durations, self._last)

    def clock(self) -> int:
        return self.now_ns


def budget(**changes: float) -> Budget:
    return Budget(**{"seconds": 1.0, "warm_up_seconds": 1.0, **changes})  # type: ignore[arg-type]


def test_warm_up_ends_when_runs_take_equally_long() -> None:
    machine = Machine([900, 500, 300, 200, 150, 120, 100, 100, 100, 100, 100, 100, 100])
    samples = sample(machine.run, budget(), clock=machine.clock)
    assert samples.is_stable
    assert samples.warm_up_ns[0] == 900
    assert max(samples.samples_ns) == 100


def test_warm_up_that_never_rests_ends_with_its_time_and_says_so() -> None:
    machine = Machine([10_000_000 + 1_000_000 * i for i in range(100)])
    samples = sample(machine.run, budget(warm_up_seconds=0.1, seconds=0.1), clock=machine.clock)
    assert not samples.is_stable
    assert 100_000_000 <= sum(samples.warm_up_ns) < 400_000_000


def test_no_warm_up_is_one_run_and_nothing_is_said_against_it() -> None:
    machine = Machine([100])
    samples = sample(machine.run, budget(warm_up_seconds=0.0), clock=machine.clock)
    assert len(samples.warm_up_ns) == 1
    assert samples.is_stable


@pytest.mark.parametrize("run_ms", [1, 30, 37, 50, 100, 149, 150, 151, 400, 5000])
@pytest.mark.parametrize("seconds", [0.03, 0.3, 1.0])
def test_steady_runs_are_warm_however_slow_they_are(run_ms: int, seconds: float) -> None:
    machine = Machine([4 * run_ms * 10**6, run_ms * 10**6])
    samples = sample(machine.run, budget(warm_up_seconds=seconds), clock=machine.clock)
    assert samples.is_stable
    assert len(samples.warm_up_ns) <= 8


@pytest.mark.parametrize("run_ms", [37, 100, 400])
def test_slow_runs_that_never_rest_are_not_warm_and_end_in_time(run_ms: int) -> None:
    machine = Machine([round(run_ms * 10**6 * 0.9**i) for i in range(1000)])
    samples = sample(machine.run, budget(warm_up_seconds=0.3), clock=machine.clock)
    assert not samples.is_stable
    assert sum(samples.warm_up_ns) <= 4 * 0.3e9 + run_ms * 10**6


def test_one_disturbed_run_does_not_end_a_slow_warm_up() -> None:
    machine = Machine([ms * 10**6 for ms in (300, 100, 100, 100, 100, 180, 180, 100, 100)])
    assert sample(machine.run, budget(warm_up_seconds=0.3), clock=machine.clock).is_stable


def test_equal_samples_end_early_and_spread_ones_go_on() -> None:
    steady = Machine([1000])
    spread = Machine([ns for _ in range(1000) for ns in (500, 1000, 2000, 700, 1500)])
    assert len(sample(steady.run, budget(), clock=steady.clock).samples_ns) == 16
    assert len(sample(spread.run, budget(most_samples=100), clock=spread.clock).samples_ns) == 100


LEAST = {"least_seconds": 0.2, "least_warm_up_seconds": 0.1}


@pytest.mark.parametrize("run_us", [10, 110, 500])
def test_short_runs_are_warmed_and_sampled_for_the_least_time_and_some_of_them_kept(run_us: int) -> None:
    machine = Machine([run_us * 1000])
    samples = sample(machine.run, budget(**LEAST), clock=machine.clock)
    assert machine.now_ns == pytest.approx(0.3e9, rel=0.02)
    assert samples.num_runs == machine.num_runs
    assert samples.sampled_ns == pytest.approx(0.2e9, rel=0.05)
    for kept in (samples.warm_up_ns, samples.samples_ns):
        assert 100 <= len(kept) <= 400
    assert samples.is_stable


def test_a_core_that_speeds_up_late_is_not_measured_at_its_low_clock() -> None:
    """A governor's 90 ms, in which runs are equally long, too."""
    machine = Machine([*[200_000] * 450, 100_000])
    assert set(sample(machine.run, budget(**LEAST), clock=machine.clock).samples_ns) == {100_000}


def test_what_is_kept_of_many_samples_is_spread_evenly_over_them() -> None:
    machine = Machine([1000, *range(1_000_000, 1_001_000)])
    limits = budget(warm_up_seconds=0.0, least_seconds=0.9, most_samples=100, precision=0.0)
    samples = sample(machine.run, limits, parts_of=lambda: {"part": machine.num_runs}, clock=machine.clock)
    runs = samples.parts_ns["part"]
    assert 50 <= len(runs) == len(samples.samples_ns) <= 100
    assert {after - before for before, after in pairwise(runs)} == {16}
    assert [run - 2 + 1_000_000 for run in runs] == list(samples.samples_ns)


def test_a_least_time_beyond_the_budgets_own_is_none() -> None:
    machine = Machine([1_000_000])
    limits = budget(seconds=0.05, warm_up_seconds=0.02, **LEAST)
    sample(machine.run, limits, clock=machine.clock)
    assert machine.now_ns <= 0.08e9


def test_time_ends_it_but_never_below_the_least() -> None:
    slow = Machine([2_000_000_000, 3_000_000_000] * 20)
    samples = sample(slow.run, budget(least_samples=7), clock=slow.clock)
    assert len(samples.samples_ns) == 7


def test_parts_are_asked_for_after_each_run_and_outside_of_it() -> None:
    machine = Machine([1000])

    def parts() -> dict[str, int]:
        machine.now_ns += 77_000
        return {"decode": machine.num_runs, "invoke": 1}

    samples = sample(machine.run, budget(), parts_of=parts, clock=machine.clock)
    assert set(samples.samples_ns) == {1000}
    first = len(samples.warm_up_ns) + 1
    assert samples.parts_ns["decode"] == tuple(range(first, first + len(samples.samples_ns)))


@given(
    st.lists(st.integers(10**4, 10**8), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(0, 30),
    st.sampled_from([0.0, 0.01, 0.3]),
)
def test_bounds_hold_for_any_durations(durations: list[int], least: int, more: int, least_seconds: float) -> None:
    machine = Machine(durations)
    limits = budget(
        least_samples=least, most_samples=least + more, seconds=0.2, warm_up_seconds=0.05, least_seconds=least_seconds
    )
    samples = sample(machine.run, limits, clock=machine.clock)
    assert least <= len(samples.samples_ns) <= least + more
    assert 1 <= len(samples.warm_up_ns) <= least + more
    assert machine.num_runs == samples.num_runs
    assert min(least_seconds, 0.2) * 1e9 <= samples.sampled_ns
    assert sum(samples.samples_ns) <= samples.sampled_ns <= machine.now_ns
