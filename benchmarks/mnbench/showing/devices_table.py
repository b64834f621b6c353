"""Our devices beside those that others have published figures of: V1 and V2, float32 and int8, on LiteRT."""

from collections.abc import Sequence

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.record import Record, Row, Status
from mnbench.showing.configurations import details_of, device_of
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
    "Milliseconds of a forward pass, 224 × 224. Ours: LiteRT, the median with its 95 % interval over fresh processes. "
    "Published by others: as they say."
)

_Rows = tuple[Row | None, ...]


def devices_table(records: Sequence[Record]) -> tuple[Table, ...]:
    """One table; none where no record has any of those cells."""
    found = [(record, threads, rows) for record in records for threads, rows in _by_threads(record).items()]
    if not found:
        return ()
    measured = [row for _, _, rows in found for row in rows if row is not None]
    shown = list({id(record): record for record, _, _ in found}.values())
    footnotes = footnotes_of(measured, shown)
    ours = []
    above: Record | None = None
    for record, threads, rows in found:
        ours.append(Line(_entries(record, threads, rows, footnotes), starts_group=record is not above))
        above = record
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
