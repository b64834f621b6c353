"""Runs of ``benchmark_model`` as rows of a record: what was measured alike is one row, each run a process.

Such a run tells the mean of its runs (newer ones also the median), not each: that is one sample, and a doubt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.doubts import LEAST_PROCESSES, doubts_of_row
from mnbench.interop.benchmark_model import BenchmarkLog
from mnbench.profiling.profile import OperatorTime, Profile
from mnbench.record import Doubt, Process, Row, Status
from mninfer.errors import InputError

__all__ = ["ENGINE", "cell_of_log", "one_size", "process_of_log", "row_of_processes", "rows_of_logs"]

ENGINE = "benchmark_model"
# Switches of delegates that no cell stands for: such a figure would be shown as a CPU's.
_FOREIGN = ("use nnapi", "use hexagon", "use coreml", "use edgetpu", "use ethosu", "use external delegate")
_BYTES_PER_MB = 1 << 20  # the program's "MB" of memory; its model's size is in 1e6
_US = 1000
_GPU = "GPU"


def rows_of_logs(logs: Sequence[tuple[BenchmarkLog, str, Variant]]) -> tuple[Row, ...]:
    """The rows of ``logs``, each with its model's name and variant. Raise InputError for a delegate of no cell, or two
    models of one name.
    """
    by_cell: dict[Cell, list[BenchmarkLog]] = {}
    for log, model, variant in logs:
        by_cell.setdefault(cell_of_log(log, model, variant), []).append(log)
    return tuple(_row(cell, runs) for cell, runs in by_cell.items())


def _row(cell: Cell, logs: Sequence[BenchmarkLog]) -> Row:
    sizes = [None if log.size_mb is None else round(log.size_mb * 1e6) for log in logs]
    processes = tuple(process_of_log(log, index) for index, log in enumerate(logs))
    return row_of_processes(cell, processes, one_size(cell, sizes))


def one_size(cell: Cell, sizes: Iterable[int | None]) -> int | None:
    """The bytes of the model that all runs of ``cell`` are of, if one tells. Raise InputError: they are of several."""
    told = sorted({size for size in sizes if size is not None})
    if len(told) > 1:
        raise InputError(
            f'the runs of "{cell.key}" are of models of {told[0]:,} and of {told[-1]:,} bytes',
            hints="import each model's runs by themselves, by names of their own: --model NAME",
        )
    return told[0] if told else None


def cell_of_log(log: BenchmarkLog, model: str, variant: Variant) -> Cell:
    """What the log's figure is of. Raise InputError where a delegate computed it that no cell stands for."""
    foreign = next((name for name in _FOREIGN if log.is_on(name)), None)
    if foreign is not None or log.settings.get("external delegate path"):
        name = "an external delegate" if foreign is None else foreign.removeprefix("use ")
        raise InputError(
            f"the log is of {name}, which mnbench has no row for",
            where=log.graph,
            hints="it reads the CPU's and the GPU delegate's",
        )
    return Cell(
        work=Work.FORWARD,
        model=model,
        engine=ENGINE,
        variant=variant,
        device=Device.CPU if _GPU in log.refused or _GPU not in log.delegates else Device.GPU,
        threads=log.threads,
        use_xnnpack=log.settings.get("use xnnpack", "1") not in ("0", "false"),
    )


def process_of_log(log: BenchmarkLog, round_: int, *, conditions: Mapping[str, Any] | None = None) -> Process:
    """One run of the program as a process with a single sample, its typical run; the rest stands in its facts."""
    peak = {} if log.peak_mb is None else {"peak_bytes": round(log.peak_mb * _BYTES_PER_MB)}
    first_us = log.warm_up.first_us if log.warm_up is not None else None
    return Process(
        round=round_,
        samples_ns=(max(round(log.inference.typical_us * _US), 1),),
        warm_up_ns=() if first_us is None else (round(first_us * _US),),
        open_ns=round((log.init_us or 0.0) * _US),
        facts=_facts(log),
        conditions={**peak, **(conditions or {})},
    )


def _facts(log: BenchmarkLog) -> dict[str, Any]:
    timings = log.inference
    told = {
        "statistic": "mean" if timings.median_us is None else "median",
        "num_runs": timings.count,
        "mean_us": timings.avg_us,
        "min_us": timings.min_us,
        "max_us": timings.max_us,
        "std_us": timings.std_us,
        "memory_added_bytes": None if log.memory_mb is None else round(log.memory_mb * _BYTES_PER_MB),
        "delegates": list(log.delegates) or None,
        "refused": _refused(log) or None,
        "threads": log.threads,
        "coverage": _coverage(log),
        "profile": _profile(log),
    }
    return {name: value for name, value in told.items() if value is not None}


def _refused(log: BenchmarkLog) -> list[str]:
    """Delegates that were asked for and ran nothing; some devices say no word when the GPU is left out."""
    silent = (_GPU,) if log.is_on("use gpu") and _GPU not in log.delegates else ()
    return list(dict.fromkeys((*log.refused, *silent)))


def _coverage(log: BenchmarkLog) -> dict[str, Any] | None:
    if log.replaced is None or not log.delegates:
        return None
    return {"num_operators": log.replaced[1], "num_delegated": log.replaced[0], "delegate": log.delegates[0]}


def _profile(log: BenchmarkLog) -> dict[str, Any] | None:
    """The operators as mnbench keeps its own; they are means, and of their shapes the log tells nothing."""
    if not log.operators:
        return None
    operators = tuple(
        OperatorTime(
            index=index,
            name=operator.kind,
            tensor=operator.name,
            shape=(),
            dtype="",
            macs=0,
            median_ns=operator.run_ns,
            is_delegated=operator.is_delegated,
        )
        for index, operator in enumerate(log.operators)
    )
    whole_ns = max(round(log.inference.avg_us * _US), 1)
    return Profile(
        engine=ENGINE, threads=log.threads or 1, num_rounds=log.inference.count, whole_ns=whole_ns, operators=operators
    ).to_json()


def row_of_processes(cell: Cell, processes: Sequence[Process], size_bytes: int | None, *, reason: str = "") -> Row:
    """The measured row, with its doubts: the program's own one in place of that about single samples.

    ``reason`` says why there are no more processes, where one failed.
    """
    row = Row(cell=cell, status=Status.MEASURED, reason=reason, processes=tuple(processes), size_bytes=size_bytes)
    is_enough = len(row.processes) >= LEAST_PROCESSES
    doubts = [doubt for doubt in doubts_of_row(row) if doubt.code != "too-short" or not is_enough]
    return replace(row, doubts=(*_own_doubts(row), *doubts))


def _own_doubts(row: Row) -> tuple[Doubt, ...]:
    facts = [process.facts for process in row.processes]
    statistics = " or ".join(sorted({str(each.get("statistic")) for each in facts}))
    doubts = [Doubt("summary-only", f"a process told the {statistics} of its runs, not each of them")]
    refused = sorted({str(name) for each in facts for name in each.get("refused", ())})
    if refused:
        text = f"the delegate {', '.join(refused)} was asked for, and ran nothing: this is the CPU"
        doubts.insert(0, Doubt("delegate-refused", text))
    return tuple(doubts)
