"""Everything that a record holds, a line to each cell: time, memory, size, delegation, agreement, parts, energy."""

from collections.abc import Callable, Collection, Sequence

from mnbench.cell import Work
from mnbench.record import Record, Row
from mnbench.showing.configurations import details_of, device_of, engine_of, limit_of, norm_of, precision_of
from mnbench.showing.devices_table import devices_table
from mnbench.showing.figures import FIGURE, spell_bytes, spell_interval
from mnbench.showing.footnotes import Footnotes, footnotes_of
from mnbench.showing.loose_facts import fact_number, peak_bytes, resident_bytes
from mnbench.showing.models import about_of, title_of
from mnbench.showing.peers_table import peers_tables
from mnbench.showing.table import Column, Entry, Line, Table, Tone
from mnbench.showing.variants_table import variants_table
from mnbench.statistics import energy_interval, part_intervals

__all__ = ["tables_full", "tables_of_works"]

_TITLES = {
    Work.FORWARD: "forward",
    Work.FORWARD_BACKWARD: "forward and backward",
    Work.PHOTO_TO_LABEL: "from photo to label",
    Work.COLD_START: "a whole process, from nothing to a label",
    Work.IMPORT: "a whole process that imports the runtime",
}
_HEAD = (
    Column(head="Device", is_text=True, is_ditto=True),
    Column(head="What", is_text=True),
    Column(head="ms"),
)
_TAIL = (
    Column(head="Memory"),
    Column(head="Resident"),
    Column(head="Size"),
    Column(head="Delegated"),
    Column(head="Agrees"),
    Column(head="Energy"),
)
_ABOUT = (
    f"Milliseconds: {FIGURE}. Memory: the most that a process held; resident: what it held when it had been measured."
)
_ABOUT_AGREEMENT = (
    "Agrees: signal to noise of its outputs against the reference's, above the limit of its variant or not."
)

Measured = tuple[Record, Row]


def tables_full(records: Sequence[Record]) -> tuple[Table, ...]:
    """Tables by model and work, the peers beside LiteRT, every variant of every model."""
    return (
        *tables_of_works(records, tuple(Work)),
        *peers_tables(records),
        *variants_table(records),
        *devices_table(records),
    )


def tables_of_works(records: Sequence[Record], works: Collection[Work]) -> tuple[Table, ...]:
    """A table to each model and each of the ``works``, of every cell."""
    groups: dict[tuple[str, Work], list[Measured]] = {}
    for record in records:
        for row in record.rows:
            if row.cell.work in works:
                groups.setdefault((row.cell.model, row.cell.work), []).append((record, row))
    return tuple(_table(model, work, rows, records) for (model, work), rows in groups.items())


def _table(model: str, work: Work, measured: Sequence[Measured], records: Sequence[Record]) -> Table:
    shown = list({id(record): record for record, _ in measured}.values())
    footnotes = footnotes_of([row for _, row in measured], shown)
    parts = tuple(dict.fromkeys(name for _, row in measured for name in part_intervals(row)))
    above: Record | None = None
    lines = []
    for record, row in measured:
        lines.append(Line(_entries(record, row, footnotes, parts), starts_group=record is not above))
        above = record
    has_agreement = any(row.agreement for _, row in measured)
    table = Table(
        title=f"{title_of(records, model)}: {_TITLES[work]}",
        columns=(*_HEAD, *(Column(head=name) for name in parts), *_TAIL),
        lines=tuple(lines),
        about=" ".join(filter(None, (about_of(records, model), _ABOUT, _ABOUT_AGREEMENT if has_agreement else ""))),
        notes=footnotes.notes(),
    )
    return table.without_empty_columns()


def _entries(record: Record, row: Row, footnotes: Footnotes, parts: Sequence[str]) -> tuple[Entry, ...]:
    intervals, energy = part_intervals(row), energy_interval(row)
    return (
        Entry(text=device_of(record, row.cell.device), marks=footnotes.marks(record.doubts)),
        Entry(text=_what(row)),
        footnotes.figure(row),
        *(Entry(text=spell_interval(intervals[name]) if name in intervals else "") for name in parts),
        _spelled(peak_bytes(row), spell_bytes),
        _spelled(resident_bytes(row), spell_bytes),
        _spelled(row.size_bytes, spell_bytes),
        _delegated(row),
        _agreement(row),
        Entry(text="" if energy is None else f"{spell_interval(energy)} mJ"),
    )


def _what(row: Row) -> str:
    cell = row.cell
    words = (
        engine_of(cell, row),
        "" if cell.work is Work.IMPORT else str(cell.variant),
        precision_of(cell, row),
        norm_of(cell),
        limit_of(cell),
        details_of(cell),
    )
    return ", ".join(word for word in words if word)


def _spelled(value: float | None, spell: Callable[[float], str]) -> Entry:
    return Entry(text="" if value is None else spell(value))


def _delegated(row: Row) -> Entry:
    """As ``31/31``: operators that a delegate took over, of all."""
    for process in row.processes:
        delegated, operators = (
            fact_number(process.facts, "coverage", name) for name in ("num_delegated", "num_operators")
        )
        if delegated is not None and operators is not None:
            tone = Tone.BAD if delegated < operators and row.cell.use_xnnpack else Tone.PLAIN
            return Entry(text=f"{delegated:.0f}/{operators:.0f}", tone=tone)
    return Entry()


def _agreement(row: Row) -> Entry:
    found = row.agreement
    if found is None:
        return Entry()
    decibel = "" if found.sqnr_db is None else f"{found.sqnr_db:.1f} dB"
    if found.is_held:
        return Entry(text=decibel or "equal")
    return Entry(text=f"no: {decibel}" if decibel else "no", tone=Tone.BAD)
