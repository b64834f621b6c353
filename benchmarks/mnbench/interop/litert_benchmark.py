"""Reads and writes what ``litert-benchmark --result_json`` writes: one model's latency, in milliseconds.

The format is that of ai_edge_litert/tools/benchmark_litert_model.py (ai-edge-litert 2.1), which has no schema number.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.fields import Fields
from mnbench.interop.log_rows import one_size, row_of_processes
from mnbench.record import Doubt, MeasuredModel, Process, Record, Row
from mninfer.errors import InputError

__all__ = ["LitertResult", "is_litert_result", "litert_result", "read_litert_result", "rows_of_litert_results"]

_MS = 1e6  # in nanoseconds
_BYTES_PER_MB = 1 << 20
_ROUNDED_MS = 0.01  # as the program writes them
_MOST_ROUNDING = 0.01  # of a figure: beyond, two that differ by less can't be told apart
_FIGURES = {"mean": "avg", "min": "min", "max": "max", "std": "std"}  # ours, theirs
_MAX_MS = 1e9  # eleven days
_MAX_MB = 1e9
_PROCESSORS = ("CPU", "GPU", "NPU")


def is_litert_result(value: object) -> bool:
    """Whether a JSON document is of that program."""
    return isinstance(value, Mapping) and "latency" in value and "accelerators" in value


@dataclass(frozen=True, slots=True, kw_only=True)
class LitertResult:
    """One run: ``graph`` is the model's path as it was given; the sample is its median."""

    graph: str
    size_bytes: int | None
    threads: int
    device: Device
    process: Process


def read_litert_result(value: Mapping[str, Any]) -> LitertResult:
    """Raise InputError naming what is wrong, or for an NPU, which no row is for."""
    fields = Fields(value, "the result")
    accelerators = fields.texts("accelerators")
    if "NPU" in accelerators:
        raise InputError("the result is of an NPU, which mnbench has no row for")
    threads = fields.count("num_threads")
    if threads < 1:
        raise fields.wrong("num_threads", "1 or more")
    return LitertResult(
        graph=fields.text("model"),
        size_bytes=_size_bytes(fields),
        threads=threads,
        device=Device.GPU if "GPU" in accelerators else Device.CPU,
        process=_process(fields),
    )


def _size_bytes(fields: Fields) -> int | None:
    """None where it rounds to nothing."""
    size_mb = fields.number("model_size_mb")
    if not 0 <= size_mb <= _MAX_MB:
        raise fields.wrong("model_size_mb", "a size")
    return round(size_mb * _BYTES_PER_MB) or None


def _process(fields: Fields) -> Process:
    latency = Fields(fields.mapping("latency"), "latency")
    if not _ns(latency, "median_ms"):
        raise latency.wrong("median_ms", "a time above 0 (the program rounds to 0.01 ms)")
    warm_up = (_ns(latency, "warmup_first_ms"),) if latency.count("num_warmup_runs") else ()
    return Process(
        round=0,
        samples_ns=(_ns(latency, "median_ms"),),
        warm_up_ns=warm_up,
        open_ns=_ns(latency, "init_ms"),
        facts={
            "statistic": "median",
            "interface": "CompiledModel",
            "num_runs": latency.count("num_runs"),
            **{f"{name}_us": _ms(latency, f"{told}_ms") * 1e3 for name, told in _FIGURES.items()},
            "is_fully_accelerated": fields.flag("fully_accelerated"),
            "signature": fields.text("signature"),
        },
    )


def _ns(latency: Fields, name: str) -> int:
    """Milliseconds as nanoseconds, which a record has as whole numbers from 0 on."""
    return round(_ms(latency, name) * _MS)


def _ms(latency: Fields, name: str) -> float:
    """Milliseconds, in bounds."""
    told = latency.number(name)
    if not 0 <= told < _MAX_MS:
        raise latency.wrong(name, "a time")
    return told


def rows_of_litert_results(results: Sequence[LitertResult], model: str, variant: Variant) -> tuple[Row, ...]:
    """Rows of runs of one model: the same threads and device are one row, each run a process."""
    by_cell: dict[Cell, list[LitertResult]] = {}
    for result in results:
        cell = Cell(
            work=Work.FORWARD,
            model=model,
            engine="litert-gpu" if result.device is Device.GPU else "litert",
            variant=variant,
            device=result.device,
            threads=result.threads,
        )
        by_cell.setdefault(cell, []).append(result)
    return tuple(_row(cell, alike) for cell, alike in by_cell.items())


def _row(cell: Cell, results: Sequence[LitertResult]) -> Row:
    processes = [replace(result.process, round=index) for index, result in enumerate(results)]
    row = row_of_processes(cell, processes, one_size(cell, (result.size_bytes for result in results)))
    least_ms = min(sample for process in processes for sample in process.samples_ns) / _MS
    if _ROUNDED_MS / 2 / least_ms <= _MOST_ROUNDING:
        return row
    doubt = Doubt("rounded", f"litert-benchmark rounds to {_ROUNDED_MS} ms, a good part of {least_ms:g} ms")
    return replace(row, doubts=(doubt, *row.doubts))


def litert_result(record: Record, row: Row) -> dict[str, Any]:
    """A measured row as the program writes it, over the samples of all its processes.

    What a record doesn't know is None: ``fully_accelerated`` of an engine that doesn't tell, ``throughput_mb_s`` of a
    model without its shape (else it is that of float32 pictures, which need not be what the file takes).

    Raises InputError for a row without samples.
    """
    if not row.processes:
        raise InputError(f'the row "{row.cell.key}" is {row.status}: {row.reason or "it has no samples"}')
    model = next((model for model in record.models if model.name == row.cell.model), None)
    latency = _latency(row.processes)
    return {
        "model": f"{row.cell.model}_{row.cell.variant}.tflite",
        "model_size_mb": None if row.size_bytes is None else round(row.size_bytes / _BYTES_PER_MB, 2),
        "accelerators": [name for name in _PROCESSORS if name == str(row.cell.device).upper()],
        "signature": _signature(row),
        "fully_accelerated": _is_fully_accelerated(row),
        "num_threads": row.cell.threads,
        "latency": latency,
        "throughput_mb_s": _throughput(model, latency["avg_ms"], row.cell.batch),
    }


def _signature(row: Row) -> str:
    return str(row.processes[0].facts.get("signature", "serving_default"))


def _is_fully_accelerated(row: Row) -> bool | None:
    facts = row.processes[0].facts
    told = facts.get("is_fully_accelerated")
    if isinstance(told, bool):
        return told
    coverage = facts.get("coverage")
    if not isinstance(coverage, Mapping):
        return None
    delegated, operators = coverage.get("num_delegated"), coverage.get("num_operators")
    is_told = isinstance(delegated, int) and isinstance(operators, int)  # an engine that doesn't tell says None
    return delegated == operators if is_told else None


def _latency(processes: Sequence[Process]) -> dict[str, Any]:
    samples = sorted(sample / _MS for process in processes for sample in process.samples_ns)
    warm_up = [sample / _MS for process in processes for sample in process.warm_up_ns]
    figures = {
        "init_ms": statistics.median(process.open_ns for process in processes) / _MS,
        "warmup_first_ms": warm_up[0] if warm_up else 0.0,
        "warmup_avg_ms": statistics.fmean(warm_up) if warm_up else 0.0,
        "num_warmup_runs": len(warm_up),
        "avg_ms": statistics.fmean(samples),
        "min_ms": samples[0],
        "max_ms": samples[-1],
        "median_ms": statistics.median(samples),
        "std_ms": statistics.stdev(samples) if len(samples) > 1 else 0.0,
        "p5_ms": _percentile(samples, 0.05),
        "p95_ms": _percentile(samples, 0.95),
        "num_runs": len(samples),
    }
    # The program rounds to 10 us; a small network takes no more than a few of them.
    return {name: round(value, 4) for name, value in figures.items()}


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Between the two samples that it falls between, as the program and numpy have it."""
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _throughput(model: MeasuredModel | None, avg_ms: float, batch: int) -> float | None:
    if model is None or not model.input_shape or avg_ms <= 0:
        return None
    num_bytes = 4 * batch
    for size in model.input_shape[-3:]:
        num_bytes *= size
    return round(num_bytes / _BYTES_PER_MB / (avg_ms / 1e3), 2)
