"""Our devices beside those that others have published figures of: V1 and V2, float32 and int8, on LiteRT."""

from collections.abc import Mapping, Sequence
from typing import Any

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.machine.likeness import unlike_facts
from mnbench.record import Record, Row, Status
from mnbench.showing.configurations import details_of, device_of
from mnbench.showing.figures import FIGURE
from mnbench.showing.footnotes import Footnotes, footnotes_of
from mnbench.showing.published import DEVICE_FIGURES, DEVICE_MODELS, DeviceFigures
from mnbench.showing.table import Column, Entry, Line, Table, Tone

__all__ = ["devices_table"]

_TITLES = {"mobilenet_v1_1.0_224": "V1", "mobilenet_v2_1.0_224": "V2"}
_COLUMNS = (
    Column(head="Device", is_text=True),
    *(Column(head=f"{_TITLES[model]} {variant}") for model, variant in DEVICE_MODELS),
    Column(head="Remark", is_text=True),
)
_ABOUT = (
    f"Milliseconds of a forward pass, 224 × 224. Ours: LiteRT, {FIGURE}; of several runs of one device, that with most "
    "of these cells, and of equals the latest. Published by others: as they say."
)

_Rows = tuple[Row | None, ...]
_Measured = tuple[Record, int, _Rows]  # on so many threads


def devices_table(records: Sequence[Record]) -> tuple[Table, ...]:
    """One table; none where no record has any of those cells."""
    found = _one_of_each_device(
        [(record, threads, rows) for record in records for threads, rows in _by_threads(record).items()]
    )
    if not found:
        return ()
    measured = [row for _, _, rows in found for row in rows if row is not None]
    shown = list({id(record): record for record, _, _ in found}.values())
    footnotes = footnotes_of(measured, shown)
    ours = []
    above: str | None = None
    for record, threads, rows in found:
        ours.append(Line(_entries(record, threads, rows, footnotes), starts_group=record.device != above))
        above = record.device
    table = Table(
        title="Beside other devices",
        columns=_COLUMNS,
        lines=(*map(_published_line, DEVICE_FIGURES), *ours),
        about=_ABOUT,
        notes=footnotes.notes(),
    )
    return (table,)


def _by_threads(record: Record) -> dict[int, _Rows]:
    """The rows of the cells, in their order, for each number of threads that has one measured."""
    counts = sorted({row.cell.threads for row in record.rows if row.cell.threads is not None})
    by_threads = {threads: tuple(record.row(_cell(*each, threads).key) for each in DEVICE_MODELS) for threads in counts}
    return {
        threads: rows
        for threads, rows in by_threads.items()
        if any(row is not None and row.status is Status.MEASURED for row in rows)
    }


def _one_of_each_device(found: Sequence[_Measured]) -> list[_Measured]:
    """Of what was measured of one device on as many threads, the run with most figures; of equals the latest."""
    kept: list[_Measured] = []
    for each in found:
        place = next((place for place, other in enumerate(kept) if _is_of_one_device(each, other)), None)
        if place is None:
            kept.append(each)
        else:
            kept[place] = max(kept[place], each, key=_how_whole)
    return kept


def _is_of_one_device(a: _Measured, b: _Measured) -> bool:
    """Machines of one name may be several: by their facts."""
    is_named_alike = a[0].device == b[0].device and a[1] == b[1]
    return is_named_alike and not unlike_facts(_facts(a[0]), _facts(b[0]))


def _facts(record: Record) -> Mapping[str, Any]:
    facts = record.machine.get("before")
    return facts if isinstance(facts, Mapping) else {}


def _how_whole(measured: _Measured) -> tuple[int, str]:
    record, _, rows = measured
    return sum(row is not None and row.status is Status.MEASURED for row in rows), record.started


def _cell(model: str, variant: str, threads: int) -> Cell:
    return Cell(work=Work.FORWARD, model=model, engine="litert", variant=Variant(variant), threads=threads)


def _entries(record: Record, threads: int, rows: _Rows, footnotes: Footnotes) -> tuple[Entry, ...]:
    return (
        Entry(text=device_of(record, Device.CPU), marks=footnotes.marks(record.doubts)),
        *(footnotes.figure(row) for row in rows),
        Entry(text=details_of(_cell(*DEVICE_MODELS[0], threads))),
    )


def _published_line(each: DeviceFigures) -> Line:
    texts = (each.device, *(f"{figure:g}" for figure in each.milliseconds), each.source)
    return Line(tuple(Entry(text=text, tone=Tone.SOFT) for text in texts))
