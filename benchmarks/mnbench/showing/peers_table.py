"""Other engines beside LiteRT on the same weights: what each takes of LiteRT's time, and what may be said of that."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mnbench.catalogue import EngineKind
from mnbench.cell import Device, Variant, Work
from mnbench.record import Record, Row, Status
from mnbench.showing.configurations import (
    details_of,
    device_of,
    engine_of,
    kind_of_engine,
    precision_of,
    title_of_engine,
)
from mnbench.showing.figures import spell_ratio
from mnbench.showing.footnotes import Footnotes, footnotes_of
from mnbench.showing.loose_facts import fact_text, fact_texts
from mnbench.showing.models import about_of, title_of
from mnbench.showing.table import Column, Entry, Line, Note, Table, Tone
from mnbench.statistics import Verdict, ratio_of_rows, verdict

__all__ = ["peers_tables"]

_REFERENCE = "litert"
_VARIANTS = tuple(Variant)
_COLUMNS = (
    Column(head="Device", is_text=True, is_ditto=True),
    Column(head="Variant", is_text=True, is_ditto=True),
    Column(head="Engine", is_text=True),
    Column(head="ms"),
    Column(head="LiteRT's ms"),
    Column(head="Ratio"),
    Column(head="Than LiteRT", is_text=True),
    Column(head="Precision", is_text=True),
)
_ABOUT = (
    "Forward passes in one run, the same weights and input. Ratio: its time to LiteRT's, paired by round, with its "
    "95 % interval; slower or faster where that leaves 1 out, by however little."
)
# To be read from LiteRT's side: another engine that is faster is what there is to learn here.
_TONES = {Verdict.FASTER: Tone.BAD, Verdict.SLOWER: Tone.GOOD, Verdict.CANT_TELL: Tone.SOFT}


def peers_tables(records: Sequence[Record]) -> tuple[Table, ...]:
    """A table to each model that was run on LiteRT and on another engine."""
    models = dict.fromkeys(row.cell.model for record in records for row in record.rows)
    return tuple(table for model in models for table in _tables(model, records))


def _tables(model: str, records: Sequence[Record]) -> Iterator[Table]:
    pairs = [(record, *pair) for record in records for pair in _pairs(record, model)]
    if not pairs:
        return
    shown = list({id(record): record for record, _, _ in pairs}.values())
    footnotes = footnotes_of([row for _, *both in pairs for row in both], shown)
    lines = []
    above: Record | None = None
    for record, row, reference in pairs:
        lines.append(Line(_entries(record, row, reference, footnotes), starts_group=record is not above))
        above = record
    table = Table(
        title=f"{title_of(records, model)}: other engines beside LiteRT",
        columns=_COLUMNS,
        lines=tuple(lines),
        about=" ".join(filter(None, (about_of(records, model), _ABOUT))),
        notes=(*footnotes.notes(), *_limits([row for _, row, _ in pairs])),
    )
    yield table.without_empty_columns()


def _limits(rows: Sequence[Row]) -> tuple[Note, ...]:
    """What the figures of an engine need said of them, as its processes told."""
    told: dict[str, dict[str, None]] = {}
    for row in rows:
        for process in row.processes:
            told.setdefault(row.cell.engine, {}).update(dict.fromkeys(fact_texts(process.facts, "limits")))
    return tuple(Note("", f"{title_of_engine(name)}: {'; '.join(texts)}.") for name, texts in told.items() if texts)


def _pairs(record: Record, model: str) -> list[tuple[Row, Row]]:
    """Each row of another engine, with LiteRT's of the same variant, threads and batch; variants together."""
    found = []
    for row in record.rows:
        if row.cell.model == model and _is_other(row):
            reference = record.row(replace(row.cell, engine=_REFERENCE).key)
            if reference is not None and reference.status is Status.MEASURED:
                found.append((row, reference))
    return sorted(found, key=lambda pair: _VARIANTS.index(pair[0].cell.variant))


def _is_other(row: Row) -> bool:
    kind = kind_of_engine(row.cell.engine)
    is_engine = kind in (EngineKind.PEER, EngineKind.FLATBUFFER) and row.cell.engine != _REFERENCE
    return is_engine and row.cell.work is Work.FORWARD and row.cell.device is Device.CPU


def _entries(record: Record, row: Row, reference: Row, footnotes: Footnotes) -> tuple[Entry, ...]:
    variant = ", ".join(filter(None, (str(row.cell.variant), details_of(row.cell))))
    return (
        Entry(text=device_of(record, row.cell.device), marks=footnotes.marks(record.doubts)),
        Entry(text=variant),
        Entry(text=engine_of(row.cell, row)),
        footnotes.figure(row),
        footnotes.figure(reference),
        *_compared(row, reference),
        Entry(text=_precision(row)),
    )


def _precision(row: Row) -> str:
    """What the engine says that it computed in; of a quantized file only what is not to be expected."""
    told = (fact_text(process.facts, "precision") for process in row.processes)
    is_float = row.cell.variant in (Variant.FLOAT32, Variant.UNFUSED)
    return next(told, "") if is_float else precision_of(row.cell, row)


def _compared(row: Row, reference: Row) -> tuple[Entry, Entry]:
    is_measured = row.status is Status.MEASURED and reference.status is Status.MEASURED
    ratio = ratio_of_rows(row, reference, is_same_run=True) if is_measured else None
    if ratio is None:
        return Entry(), Entry()
    if any(each.agreement is not None and not each.agreement.is_held for each in (row, reference)):
        return Entry(text=spell_ratio(ratio)), Entry(text=str(Verdict.OTHER_OUTPUTS), tone=Tone.BAD)
    # What a run has for itself, which verdict's margin is for, both have in common.
    said = verdict(ratio, margin=0.0)
    return Entry(text=spell_ratio(ratio)), Entry(text=str(said), tone=_TONES[said])
