"""Reasons to distrust a figure, as data: what the samples, their processes and the machine's state tell against it.

Nothing is corrected or left out for them: a figure stands as it was measured, and its doubts beside it, wherever it is
shown. Thresholds are where a doubt begins to explain a difference that a reader would act on.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mnbench.machine.meanwhile import Meanwhile
from mnbench.record import Doubt, Process, Row, Status
from mnbench.statistics import Verdict, middle_half_of, process_medians_ms, row_interval, trend_of, verdict

__all__ = ["LEAST_PROCESSES", "doubts_of_row", "doubts_of_run"]

LEAST_PROCESSES = 5  # what an interval is promised over: with 4, Student's t widens it by 40 %
LEAST_SAMPLES = 5  # a median of fewer is one run's accident
LEAST_SAMPLED_NS = 50_000_000  # less is one moment of the machine: governors change a clock by steps of 10 ms
WIDEST_INTERVAL = 0.05  # +/- of the middle: beyond it, two engines 10 % apart can't be told apart
WIDEST_MIDDLE_HALF = 0.10  # of the median, within a process: an undisturbed engine's middle half spans 1-3 %
MOST_BY_OTHERS = 0.05  # of the cores' time: a neighbour that takes it costs about as much of ours
MOST_STOLEN = 0.02  # likewise by a hypervisor; less is its own bookkeeping
WIDEST_FREQUENCY = 0.05  # between processes: time is inverse to it
# nvidia-smi looks back for up to a second, in which our own process before may have ended: so the middle of several.
MOST_GPU_BEFORE = 0.10
# What slows a GPU down at an unforeseen moment. A power cap is no doubt: it is how fast this card is under load.
_GPU_HEAT = {"hardware slowdown", "hardware thermal slowdown", "software thermal slowdown", "hardware power brake"}


def doubts_of_row(row: Row) -> tuple[Doubt, ...]:
    """The doubts of one row by themselves, the gravest first; a row without a process has none but a mismatch."""
    readings = [Meanwhile.of(process.conditions) for process in row.processes]
    found = [_mismatch(row)]
    if row.processes:
        found += [check(row.processes) for check in (_heat, _quota, _gpu_heat, _pi, _not_warm, _too_short)]
        found += [_failed_once(row), _spread(row), _drift(row), *_frequencies(readings)]
        found += [_others(readings), _stolen(readings), _gpu_others(readings)]
    return tuple(doubt for doubt in found if doubt is not None)


def doubts_of_run(machine: Mapping[str, Any], rows: Iterable[Row], *, is_complete: bool = True) -> tuple[Doubt, ...]:
    """The doubts that all rows share, from the facts ``before`` and ``after`` and from what the rows have seen.

    ``is_complete`` says whether the run came to its end, which rows that all have a process don't tell.
    """
    rows = tuple(rows)
    moments = [facts for name in ("before", "after") if isinstance(facts := machine.get(name), Mapping)]
    checks: tuple[Callable[[Sequence[Mapping[str, Any]], Sequence[Row]], Doubt | None], ...]
    checks = (_emulated, _battery, _governor, _virtual_machine)
    found = [_interrupted(rows, is_complete=is_complete), *(check(moments, rows) for check in checks)]
    return tuple(doubt for doubt in found if doubt is not None)


def _mismatch(row: Row) -> Doubt | None:
    if row.agreement is None or row.agreement.is_held:
        return None
    return Doubt("mismatch", f"its outputs are not those of {row.agreement.reference}: {row.agreement.text}")


def _heat(processes: Sequence[Process]) -> Doubt | None:
    times = _total_rise(processes, "throttle_count")
    return Doubt("throttled", f"the CPU held itself back for its heat {_times(times)} meanwhile") if times else None


def _quota(processes: Sequence[Process]) -> Doubt | None:
    times = _total_rise(processes, "quota_throttled_count")
    text = f"the container had used up its share of CPU time {_times(times)} meanwhile"
    return Doubt("throttled", text) if times else None


def _pi(processes: Sequence[Process]) -> Doubt | None:
    words = sorted(set().union(*(Meanwhile.of(process.conditions).throttled_words() for process in processes)))
    return Doubt("throttled", f"the board reported {' and '.join(words)} meanwhile") if words else None


def _gpu_heat(processes: Sequence[Process]) -> Doubt | None:
    words = set().union(*(Meanwhile.of(process.conditions).gpu_words() for process in processes)) & _GPU_HEAT
    return Doubt("throttled", f"the GPU reported {' and '.join(sorted(words))}") if words else None


def _failed_once(row: Row) -> Doubt | None:
    is_noted = row.status is Status.MEASURED and row.reason
    return Doubt("process-failed", f"a process of it failed: {row.reason}") if is_noted else None


def _not_warm(processes: Sequence[Process]) -> Doubt | None:
    count = sum(not process.is_stable for process in processes)
    text = f"in {count} of {len(processes)} processes the runs still changed when the warm-up's time was over"
    return Doubt("not-warm", text) if count else None


def _too_short(processes: Sequence[Process]) -> Doubt | None:
    if len(processes) < LEAST_PROCESSES:
        noun = "process" if len(processes) == 1 else "processes"
        return Doubt("too-short", f"{len(processes)} {noun}; an interval wants {LEAST_PROCESSES} or more")
    fewest = min(len(process.samples_ns) for process in processes)
    if fewest < LEAST_SAMPLES:
        text = f"a process with {fewest} sample{'s' * (fewest != 1)}; a median wants {LEAST_SAMPLES} or more"
        return Doubt("too-short", text)
    shortest = min(map(_sampled_ns, processes))
    text = f"a process that sampled for {shortest / 1e6:.0f} ms; that wants {LEAST_SAMPLED_NS / 1e6:.0f} or more"
    return Doubt("too-short", text) if shortest < LEAST_SAMPLED_NS else None


def _sampled_ns(process: Process) -> int:
    """How long it sampled: as it told, or at least for as long as its samples are."""
    told = process.conditions.get("sampled_ns")
    return max(told if isinstance(told, int) else 0, sum(process.samples_ns))


def _spread(row: Row) -> Doubt | None:
    interval = row_interval(row)
    if interval is not None and interval.is_known and interval.half_width > WIDEST_INTERVAL:
        text = f"the processes' medians differ: the interval reaches {interval.half_width:.0%} from the middle"
        return Doubt("spread-too-wide", text)
    usual = statistics.median(middle_half_of(process.samples_ns) for process in row.processes)
    text = f"within a process, the middle half of the samples spans {usual:.0%} of the median"
    return Doubt("spread-too-wide", text) if usual > WIDEST_MIDDLE_HALF else None


def _drift(row: Row) -> Doubt | None:
    trend = trend_of(process_medians_ms(row))
    if verdict(trend) is Verdict.CANT_TELL:
        return None
    word = "longer" if trend.middle > 1 else "shorter"
    return Doubt("drift", f"runs took {word} from round to round: the last {abs(trend.middle - 1):.0%} {word}")


def _frequencies(readings: Sequence[Meanwhile]) -> tuple[Doubt | None, ...]:
    return (
        _frequency("CPU", [reading.frequency_mhz for reading in readings]),
        _frequency("GPU", [reading.gpu_mhz for reading in readings]),
    )


def _frequency(name: str, told: Sequence[float | None]) -> Doubt | None:
    found = [mhz for mhz in told if mhz is not None and mhz > 0]
    if not found or (max(found) - min(found)) / statistics.median(found) <= WIDEST_FREQUENCY:
        return None
    text = f"the {name} ran at {min(found):.0f} MHz in one process and at {max(found):.0f} in another"
    return Doubt("frequency-changed", text)


def _others(readings: Sequence[Meanwhile]) -> Doubt | None:
    share = Meanwhile.share_of_others(readings)
    text = f"other programs took {share or 0:.0%} of the cores that it ran on"
    return Doubt("load-by-others", text) if share is not None and share > MOST_BY_OTHERS else None


def _gpu_others(readings: Sequence[Meanwhile]) -> Doubt | None:
    found = [share for reading in readings if (share := reading.gpu_used_before) is not None]
    usual = statistics.median(found) if found else 0.0
    text = f"the GPU was at work already, {usual:.0%} of the time before ours began"
    return Doubt("load-by-others", text) if usual > MOST_GPU_BEFORE else None


def _stolen(readings: Sequence[Meanwhile]) -> Doubt | None:
    share = Meanwhile.share_stolen(readings)
    text = f"the hypervisor gave {share or 0:.0%} of its cores' time to others"
    return Doubt("load-by-others", text) if share is not None and share > MOST_STOLEN else None


def _emulated(moments: Sequence[Mapping[str, Any]], _: Sequence[Row]) -> Doubt | None:
    name = _first_text(moments, "emulator")
    text = f"the processor is emulated by {name}: the times are worthless, the answers are not"
    return Doubt("emulated", text) if name else None


def _interrupted(rows: Sequence[Row], *, is_complete: bool) -> Doubt | None:
    pending = sum(row.status is Status.PENDING for row in rows)
    if pending:
        verb = "is" if pending == 1 else "are"
        return Doubt("interrupted", f"the run was interrupted: {pending} of {len(rows)} rows {verb} pending")
    if is_complete:
        return None
    counts = [len(row.processes) for row in rows]
    text = f"its rows have {min(counts, default=0)} to {max(counts, default=0)} processes, fewer than planned"
    return Doubt("interrupted", f"the run was interrupted: {text}")


def _battery(moments: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> Doubt | None:
    is_told = any(facts.get("is_on_battery") is True for facts in moments)
    is_seen = any(Meanwhile.of(process.conditions).is_on_battery for row in rows for process in row.processes)
    text = "the machine ran on its battery: it may have held itself back"
    return Doubt("battery", text) if is_told or is_seen else None


def _governor(moments: Sequence[Mapping[str, Any]], _: Sequence[Row]) -> Doubt | None:
    told = [cpu.get("governor") for facts in moments if isinstance(cpu := facts.get("cpu"), Mapping)]
    other = next((name for name in told if isinstance(name, str) and name != "performance"), None)
    text = f'the CPU\'s governor is "{other}", not "performance": its frequency follows the load'
    return Doubt("governor", text) if other else None


def _virtual_machine(moments: Sequence[Mapping[str, Any]], _: Sequence[Row]) -> Doubt | None:
    name = _first_text(moments, "virtual_machine")
    by = "" if name == "unknown" else f" ({name})"
    text = f"a virtual machine{by}: its neighbours, its frequency and its heat are not seen from within"
    return Doubt("virtual-machine", text) if name else None


def _first_text(moments: Sequence[Mapping[str, Any]], name: str) -> str | None:
    return next((value for facts in moments if isinstance(value := facts.get(name), str) and value), None)


def _total_rise(processes: Sequence[Process], name: str) -> int:
    """A counter's rises summed; nothing where it isn't told."""
    return round(sum(Meanwhile.of(process.conditions).rise(name) or 0 for process in processes))


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
