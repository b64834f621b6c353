from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnbench.cell import Cell, Work
from mnbench.doubts import doubts_of_row, doubts_of_run
from mnbench.machine import read_conditions, read_facts
from mnbench.record import Agreement, Process, Row, Status
from support.machines import CPU, LAPTOP, PI5, VIRTUAL, answering, host_of, write_tree
from support.records import process_of, row_of

pytestmark = pytest.mark.smoke

CELL = Cell(work=Work.FORWARD, model="net", engine="litert")
QUIET: dict[str, Any] = {
    "cores_busy_s": 10.0,
    "cores_stolen_s": 1.0,
    "cores_total_s": 100.0,
    "own_cpu_s": 0.5,
    "frequency_mhz": 2400.0,
    "throttle_count": 7,
    "quota_throttled_count": 3,
    "throttled_now": [],
    "throttled_since_start": ["under-voltage"],
    "is_on_battery": False,
}
# Two seconds on one core, all of them ours.
LATER = QUIET | {"cores_busy_s": 12.0, "cores_total_s": 102.0, "own_cpu_s": 2.5, "gpu": {"frequency_mhz": 1980.0}}


def row(*processes: Process, agreement: Agreement | None = None) -> Row:
    return Row(cell=CELL, status=Status.MEASURED, processes=processes, agreement=agreement)


def with_conditions(after: Mapping[str, Any], before: Mapping[str, Any] = QUIET) -> Row:
    """A good row, but for what the machine's state became in one of its processes."""
    good = row_of(CELL, 8.0, conditions={"before": QUIET, "after": LATER})
    bad = replace(good.processes[2], conditions={"before": before, "after": after})
    return replace(good, processes=(*good.processes[:2], bad, *good.processes[3:]))


def of_medians(*medians_ms: float) -> Row:
    return row(*(process_of(median, round_number=number) for number, median in enumerate(medians_ms)))


def codes(row: Row) -> list[str]:
    return [doubt.code for doubt in doubts_of_row(row)]


def text_of(row: Row, code: str) -> str:
    return next(doubt.text for doubt in doubts_of_row(row) if doubt.code == code)


# Rows.


@pytest.mark.parametrize("seed", range(20))
def test_a_good_row_has_no_doubt(seed: int) -> None:
    assert codes(row_of(CELL, 8.0, seed=seed, conditions={"before": QUIET, "after": LATER})) == []


def test_a_row_whose_machine_tells_nothing_has_none_for_that() -> None:
    assert codes(row_of(CELL, 8.0, conditions={})) == []
    assert codes(row_of(CELL, 8.0, conditions={"before": dict.fromkeys(QUIET), "after": dict.fromkeys(QUIET)})) == []


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"throttle_count": 9}, "throttled", "the CPU held itself back for its heat twice meanwhile"),
        ({"quota_throttled_count": 4}, "throttled", "the container had used up its share of CPU time once meanwhile"),
        ({"throttled_now": ["throttled"]}, "throttled", "the board reported throttled meanwhile"),
        (
            {"throttled_since_start": ["under-voltage", "frequency capped"]},
            "throttled",
            "the board reported frequency capped meanwhile",
        ),
        (
            {"frequency_mhz": 1500.0},
            "frequency-changed",
            "the CPU ran at 1500 MHz in one process and at 2400 in another",
        ),
        (
            {"gpu": {"frequency_mhz": 1200.0}},
            "frequency-changed",
            "the GPU ran at 1200 MHz in one process and at 1980 in another",
        ),
        ({"cores_busy_s": 12.6}, "load-by-others", "other programs took 6% of the cores that it ran on"),
        ({"cores_stolen_s": 1.5}, "load-by-others", "the hypervisor gave 5% of its cores' time to others"),
        (
            {"gpu": {"throttled": ["hardware thermal slowdown", "software power cap"]}},
            "throttled",
            "the GPU reported hardware thermal slowdown",
        ),
    ],
)
def test_one_process_of_five_gives_its_row_a_doubt(changes: dict[str, Any], code: str, text: str) -> None:
    found = with_conditions(LATER | changes)
    assert codes(found) == [code]
    assert text_of(found, code) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"throttle_count": 7},  # as before
        {"throttle_count": 0},  # set back: a laptop that slept
        {"throttled_since_start": ["under-voltage"]},  # long ago
        {"throttled_since_start": []},
        {"frequency_mhz": 2310.0},  # 4 %
        {"cores_busy_s": 12.2},  # 2 % of five processes' time
        {"cores_busy_s": 11.9},  # less than ours: the system counts in ticks
        {"cores_stolen_s": 1.1},
        {"gpu": {"throttled": ["software power cap"]}},
        {"gpu": None},
    ],
)
def test_what_explains_nothing_is_no_doubt(changes: dict[str, Any]) -> None:
    assert codes(with_conditions(LATER | changes)) == []


@pytest.mark.parametrize(
    ("percents", "found"),
    [
        ((40, 35, 0, 60, 50), ["load-by-others"]),
        ((90, 0, 0, 80, 5), []),  # our own processes before, still in the second that nvidia-smi looks back
        ((0, 0, 0, 0, 0), []),
        ((None, None, None, None, None), []),
    ],
)
def test_a_gpu_that_others_use_is_doubted(percents: tuple[float | None, ...], found: list[str]) -> None:
    good = row_of(CELL, 8.0, conditions={"before": QUIET, "after": LATER})
    processes = tuple(
        replace(process, conditions={"before": QUIET | {"gpu": {"utilization_percent": percent}}, "after": LATER})
        for process, percent in zip(good.processes, percents, strict=True)
    )
    doubtful = replace(good, processes=processes)
    assert codes(doubtful) == found
    if found:
        assert text_of(doubtful, found[0]) == "the GPU was at work already, 40% of the time before ours began"


def test_a_tick_more_or_less_is_no_load() -> None:
    """Five processes of 50 ms: a tick of each is a fifth of their time, and tells nothing."""
    brief = QUIET | {"cores_busy_s": 10.06, "cores_total_s": 100.06, "own_cpu_s": 0.55}
    assert codes(row_of(CELL, 8.0, conditions={"before": QUIET, "after": brief})) == []


def test_outputs_of_another_network_come_first() -> None:
    wrong = Agreement(is_held=False, reference="litert", sqnr_db=3.1, text="3.1 dB; 20 dB are expected of int8")
    found = replace(with_conditions(LATER | {"throttle_count": 8}), agreement=wrong)
    assert codes(found) == ["mismatch", "throttled"]
    assert text_of(found, "mismatch") == "its outputs are not those of litert: 3.1 dB; 20 dB are expected of int8"
    assert codes(replace(found, agreement=replace(wrong, is_held=True))) == ["throttled"]


def test_a_row_that_failed_has_no_doubt_but_a_mismatch() -> None:
    assert codes(Row(cell=CELL, status=Status.FAILED, reason="it crashed")) == []


def test_a_warm_up_that_ran_out_of_time() -> None:
    good = row_of(CELL, 8.0)
    cold = tuple(replace(each, is_stable=number > 1) for number, each in enumerate(good.processes))
    found = replace(good, processes=cold)
    assert codes(found) == ["not-warm"]
    assert "in 2 of 5 processes" in text_of(found, "not-warm")


@pytest.mark.parametrize(
    ("num_processes", "num_samples", "text"),
    [
        (1, 40, "1 process; an interval wants 5 or more"),
        (4, 40, "4 processes; an interval wants 5 or more"),
        (5, 4, "a process with 4 samples; a median wants 5 or more"),
        (5, 1, "a process with 1 sample; a median wants 5 or more"),
    ],
)
def test_too_few_processes_or_samples(num_processes: int, num_samples: int, text: str) -> None:
    found = row_of(CELL, 8.0, num_rounds=num_processes, num_samples=num_samples)
    assert text_of(found, "too-short") == text


def test_five_processes_of_five_samples_are_enough() -> None:
    assert "too-short" not in codes(row_of(CELL, 12.0, num_samples=5))


def test_a_moment_is_too_short_however_many_samples_it_has() -> None:
    found = row_of(CELL, 0.1, num_samples=30)
    assert text_of(found, "too-short") == "a process that sampled for 3 ms; that wants 50 or more"


def test_samples_that_were_spread_over_a_time_are_not_too_short() -> None:
    """Of a thousand runs not all are kept: their sum is less than what the process took."""
    found = row_of(CELL, 0.1, num_samples=30, conditions={"num_runs": 2000, "sampled_ns": 200_000_000})
    assert "too-short" not in codes(found)


def test_processes_that_do_not_agree() -> None:
    found = of_medians(8.0, 9.0, 7.5, 8.8, 7.9)
    assert codes(found) == ["spread-too-wide"]
    assert "the interval reaches 10% from the middle" in text_of(found, "spread-too-wide")


def test_samples_that_do_not_agree() -> None:
    """Every process has two speeds, and all have the same median."""
    found = row(*(Process(round=i, samples_ns=(8_000_000, 12_000_000, 10_000_000) * 20) for i in range(5)))
    assert codes(found) == ["spread-too-wide"]
    assert "the middle half of the samples spans 40% of the median" in text_of(found, "spread-too-wide")


def test_one_process_whose_samples_do_not_agree_is_no_spread() -> None:
    """Its median counts once, as every other does."""
    wide = Process(round=0, samples_ns=(8_000_000, 12_000_000, 10_000_000) * 20)
    assert codes(row(wide, *(Process(round=i, samples_ns=(10_000_000,) * 20) for i in range(1, 5)))) == []


def test_a_tail_is_no_spread() -> None:
    """A tenth of the runs takes five times as long: the median stands firm."""
    samples = (8_000_000,) * 45 + (40_000_000,) * 5
    assert codes(row(*(Process(round=i, samples_ns=samples) for i in range(5)))) == []


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (1.02, "runs took longer from round to round: the last 8% longer"),
        (0.98, "runs took shorter from round to round: the last 8% shorter"),
    ],
)
def test_a_drift_from_round_to_round(step: float, text: str) -> None:
    found = row(*(Process(round=i, samples_ns=(round(8e6 * step**i),) * 20) for i in range(5)))
    assert codes(found) == ["drift"]
    assert text_of(found, "drift") == text


def test_ups_and_downs_are_no_drift() -> None:
    assert codes(of_medians(8.0, 8.2, 8.0, 8.2, 8.0)) == []


def test_noise_is_seldom_called_a_drift() -> None:
    """Of 200 rows with 2 % of noise from process to process."""
    found = [codes(row_of(CELL, 8.0, seed=seed, drift=0.02)) for seed in range(200)]
    assert sum("drift" in each for each in found) <= 8


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=5))
NAMES = [*QUIET, "gpu"]
STATES = st.dictionaries(st.sampled_from(NAMES), VALUES | st.dictionaries(st.sampled_from(["throttled"]), VALUES))


@settings(max_examples=200, deadline=None)
@given(
    VALUES | st.dictionaries(st.sampled_from(["before", "after"]), VALUES | STATES),
    st.lists(st.integers(0, 10**30) | st.just(0), min_size=1, max_size=9),
)
def test_a_record_by_others_may_hold_anything(conditions: Any, samples: Sequence[int]) -> None:
    conditions = conditions if isinstance(conditions, Mapping) else {"before": conditions, "after": conditions}
    processes = tuple(Process(round=i, samples_ns=tuple(samples), conditions=conditions) for i in range(5))
    for doubt in doubts_of_row(row(*processes)):
        assert doubt.code
        assert doubt.text
    doubts_of_run({"before": conditions, "after": conditions.get("after")}, [row(*processes)])


# Runs.


def run_codes(*facts: Mapping[str, Any], rows: Sequence[Row] = ()) -> list[str]:
    machine = dict(zip(("before", "after"), facts, strict=False))
    return [doubt.code for doubt in doubts_of_run(machine, rows)]


def test_a_good_run_has_no_doubt() -> None:
    facts = {"cpu": {"governor": "performance"}, "is_on_battery": False, "emulator": None, "virtual_machine": None}
    assert run_codes(facts, facts, rows=[row_of(CELL, 8.0)]) == []
    assert run_codes() == []


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"emulator": "qemu-user"}, "emulated", "by qemu-user: the times are worthless"),
        ({"is_on_battery": True}, "battery", "on its battery"),
        ({"cpu": {"governor": "ondemand"}}, "governor", 'is "ondemand", not "performance"'),
        ({"virtual_machine": "KVM"}, "virtual-machine", "a virtual machine (KVM): its neighbours"),
        ({"virtual_machine": "unknown"}, "virtual-machine", "a virtual machine: its neighbours"),
    ],
)
def test_what_holds_before_or_after_a_run_is_a_doubt_of_it(
    changes: dict[str, Any], code: str, text: str, is_first: bool
) -> None:
    good: dict[str, Any] = {"cpu": {"governor": "performance"}}
    moments = (good | changes, good) if is_first else (good, good | changes)
    doubts = doubts_of_run(dict(zip(("before", "after"), moments, strict=True)), [])
    assert [doubt.code for doubt in doubts] == [code]
    assert text in doubts[0].text


def test_a_battery_that_only_a_process_saw() -> None:
    assert run_codes(rows=[with_conditions(LATER | {"is_on_battery": True})]) == ["battery"]


def test_an_interrupted_run_says_how_much_is_left() -> None:
    rows = [row_of(CELL, 8.0), Row(cell=CELL, status=Status.PENDING), Row(cell=CELL, status=Status.PENDING)]
    assert [doubt.text for doubt in doubts_of_run({}, rows)] == ["the run was interrupted: 2 of 3 rows are pending"]
    assert [doubt.text for doubt in doubts_of_run({}, rows[:2])] == ["the run was interrupted: 1 of 2 rows is pending"]


def test_an_interrupted_run_whose_rows_all_have_a_process_says_so() -> None:
    rows = [row_of(CELL, 8.0, num_rounds=3), row_of(CELL, 8.0, num_rounds=2)]
    (doubt,) = doubts_of_run({}, rows, is_complete=False)
    assert doubt.code == "interrupted"
    assert doubt.text == "the run was interrupted: its rows have 2 to 3 processes, fewer than planned"
    assert doubts_of_run({}, rows, is_complete=True) == ()


def test_a_process_that_failed_among_others_is_a_doubt() -> None:
    good = row_of(CELL, 8.0)
    assert codes(replace(good, reason="round 3: killed by SIGKILL")) == ["process-failed"]
    assert "process-failed" not in codes(replace(good, status=Status.FAILED, reason="round 3: killed by SIGKILL"))


def test_rows_that_failed_are_no_interruption() -> None:
    assert run_codes(rows=[Row(cell=CELL, status=Status.FAILED, reason="it crashed")]) == []


# From a machine's files to a doubt.


@pytest.mark.parametrize(
    ("files", "architecture", "expected"),
    [
        (PI5, "aarch64", ["governor"]),
        (PI5, "x86_64", ["emulated", "governor"]),
        (LAPTOP, "x86_64", ["battery", "governor"]),
        (VIRTUAL, "x86_64", ["virtual-machine"]),
    ],
)
def test_the_doubts_of_a_machine(files: dict[str, str], architecture: str, expected: list[str], tmp_path: Path) -> None:
    facts = read_facts(host_of(tmp_path, files, architecture=architecture))
    assert run_codes(facts, facts) == expected


@pytest.mark.parametrize(
    ("files", "change", "code"),
    [
        (LAPTOP, {f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "44\n"}, "throttled"),
        (VIRTUAL, {"sys/fs/cgroup/cpu.stat": "nr_throttled 13\n"}, "throttled"),
        (VIRTUAL, {"proc/stat": "cpu0 400 0 50 2350 0 0 0 500\ncpu1 100 0 50 2650 0 0 0 500\n"}, "load-by-others"),
        (VIRTUAL, {"proc/stat": "cpu0 100 0 50 2350 0 0 0 800\ncpu1 100 0 50 2650 0 0 0 500\n"}, "load-by-others"),
    ],
)
def test_what_a_machine_s_files_say_meanwhile_is_a_doubt(
    files: dict[str, str], change: dict[str, str], code: str, tmp_path: Path
) -> None:
    host = host_of(tmp_path, files)
    before = read_conditions(host)
    write_tree(tmp_path, change)
    conditions = {"before": before, "after": read_conditions(host)}
    assert codes(row_of(CELL, 8.0, conditions=conditions)) == [code]


def test_a_pi_with_a_weak_power_supply(tmp_path: Path) -> None:
    before = read_conditions(host_of(tmp_path, PI5, ask=answering(vcgencmd="throttled=0x0\n")))
    after = read_conditions(host_of(tmp_path, PI5, ask=answering(vcgencmd="throttled=0x50000\n")))
    found = row_of(CELL, 8.0, conditions={"before": before, "after": after})
    assert text_of(found, "throttled") == "the board reported throttled and under-voltage meanwhile"
