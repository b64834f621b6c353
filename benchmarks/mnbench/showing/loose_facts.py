"""Facts of a record, of which its reader knows only that they are JSON: by name and kind, or nothing."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from mnbench.record import Record, Row

__all__ = ["fact_number", "fact_text", "fact_texts", "machine_words", "peak_bytes", "resident_bytes"]


def fact_text(facts: object, *path: str) -> str:
    """The text at ``path``; empty where there is none."""
    found = _at(facts, path)
    return found if isinstance(found, str) else ""


def fact_texts(facts: object, *path: str) -> tuple[str, ...]:
    """The list of texts at ``path``; what is in it and none is left out."""
    found = _at(facts, path)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list | tuple) else ()


def fact_number(facts: object, *path: str) -> float | None:
    """The number at ``path``; None where there is none, or a negative one: nothing here is below zero."""
    found = _at(facts, path)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 1e300:
        return None
    return float(found)


def peak_bytes(row: Row) -> float | None:
    """The most memory that a process of the row held, the median over them; of a whole process its own."""
    found = [
        fact_number(process.facts, "process_peak_bytes") or fact_number(process.conditions, "peak_bytes")
        for process in row.processes
    ]
    return _median(found)


def resident_bytes(row: Row) -> float | None:
    """What a process of the row held in memory after its runs, the median over them; None of whole processes, which
    have ended by then.
    """
    if row.cell.work.is_whole_process:
        return None
    return _median([fact_number(process.conditions, "resident_bytes") for process in row.processes])


def machine_words(record: Record) -> str:
    """The machine in a line: its CPU, cores, system."""
    before = record.machine.get("before", record.machine)
    cores = fact_number(before, "cpu", "cores_usable") or fact_number(before, "cpu", "cores_online")
    words = (
        fact_text(before, "cpu", "model") or fact_text(before, "cpu"),
        "" if cores is None else f"{cores:.0f} cores",
        fact_text(before, "system") or fact_text(before, "os"),
    )
    return ", ".join(word for word in words if word)


def _at(facts: object, path: tuple[str, ...]) -> Any:
    for name in path:
        facts = facts.get(name) if isinstance(facts, Mapping) else None
    return facts


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
