"""Records -> CSV for spreadsheets and programs: numbers without units in columns of their own, to six digits.

The layout of 2017 begins with that table's very columns. A text that a spreadsheet would take for a formula gets an
apostrophe before it.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from mnbench.record import Record, Row
from mnbench.showing.configurations import (
    Configuration,
    configurations_of,
    device_of,
    fused_of,
    quantized_of,
    title_of_engine,
)
from mnbench.showing.footnotes import reason_of
from mnbench.showing.layout_2017 import COLUMNS_2017, published_beside, remark_of
from mnbench.showing.loose_facts import fact_number, fact_text, peak_bytes, resident_bytes
from mnbench.statistics import Interval, energy_interval, part_intervals, row_interval
from mninfer.cli.output import printable

__all__ = ["full_csv", "table_2017_csv"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP: CSV injection
_COLUMNS = {"device": "device_kind"}  # a cell's cpu or gpu: "device" is the machine
Value = str | int | float | None


def table_2017_csv(records: Sequence[Record]) -> str:
    """The columns of 2017, then the model, the ends of the intervals, the published figures, doubts and reasons."""
    lines = [_line_2017(each) for group in configurations_of(records).values() for each in group]
    names = [column.head for column in COLUMNS_2017]
    return _csv(lines, names)


def _line_2017(each: Configuration) -> dict[str, Value]:
    forward, backward = _interval(each.forward), _interval(each.backward)
    published = published_beside(each.cell)
    reasons = dict.fromkeys(reason for row in each.rows if (reason := reason_of(row)))
    doubts = dict.fromkeys(doubt.text for row in each.rows for doubt in row.doubts)
    return {
        "Device": device_of(each.record, each.cell.device),
        "Forward": _middle(forward),
        "Forward-Backward": _middle(backward),
        "Instruction set": each.instruction_set,
        "Quantized": quantized_of(each.cell),
        "Fused-BN": fused_of(each.cell),
        "Remark": remark_of(each),
        "Model": each.cell.model,
        "Forward low": _low(forward),
        "Forward high": _high(forward),
        "Forward-Backward low": _low(backward),
        "Forward-Backward high": _high(backward),
        "Forward 2017": None if published is None else published.forward,
        "Forward-Backward 2017": None if published is None else published.forward_backward,
        "Doubts": "; ".join(doubts),
        "Doubts about the run": "; ".join(doubt.text for doubt in each.record.doubts),
        "Reason": "; ".join(reasons),
    }


def full_csv(records: Sequence[Record]) -> str:
    """A line to each cell of each record; parts in columns of their own at the end."""
    lines = [_line(record, row) for record in records for row in record.rows]
    return _csv(lines, ("device", "key"))


def _line(record: Record, row: Row) -> dict[str, Value]:
    interval = _interval(row)
    first = row.processes[0].facts if row.processes else {}
    parts = {f"{name}_ms": each.middle for name, each in part_intervals(row).items()}
    cell = {_COLUMNS.get(name, name): _value(value) for name, value in row.cell.to_json().items()}
    return {
        "device": record.device,
        "key": row.cell.key,
        "status": str(row.status),
        "middle_ms": _middle(interval),
        "low_ms": _low(interval),
        "high_ms": _high(interval),
        "num_processes": len(row.processes),
        "num_samples": sum(len(process.samples_ns) for process in row.processes),
        **cell,
        "engine_title": title_of_engine(row.cell.engine),
        "version": fact_text(first, "version"),
        "precision": fact_text(first, "precision"),
        "num_operators": fact_number(first, "coverage", "num_operators"),
        "num_delegated": fact_number(first, "coverage", "num_delegated"),
        "peak_bytes": peak_bytes(row),
        "resident_bytes": resident_bytes(row),
        "size_bytes": row.size_bytes,
        "energy_mj": _middle(energy_interval(row)),
        "is_agreement_held": None if row.agreement is None else str(row.agreement.is_held).lower(),
        "sqnr_db": None if row.agreement is None else row.agreement.sqnr_db,
        "doubts": "; ".join(f"{doubt.code}: {doubt.text}" for doubt in row.doubts),
        "run_doubts": "; ".join(f"{doubt.code}: {doubt.text}" for doubt in record.doubts),
        "reason": reason_of(row),
        "started": record.started,
        "origin": record.origin,
        **parts,
    }


def _interval(row: Row | None) -> Interval | None:
    return None if row is None else row_interval(row)


def _middle(interval: Interval | None) -> float | None:
    return None if interval is None else interval.middle


def _low(interval: Interval | None) -> float | None:
    return interval.low if interval is not None and interval.is_known else None


def _high(interval: Interval | None) -> float | None:
    return interval.high if interval is not None and interval.is_known else None


def _value(value: object) -> Value:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str | int) else None


def _csv(lines: Sequence[Mapping[str, Value]], first: Iterable[str]) -> str:
    """All columns that any line has, in order of appearance; ``first`` are there even without a line."""
    names = dict.fromkeys(first)
    for line in lines:
        names |= dict.fromkeys(line)
    with io.StringIO(newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_shown(name) for name in names)
        writer.writerows([_shown(line.get(name)) for name in names] for line in lines)
        return file.getvalue()


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    text = printable(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
