"""Every variant of every model: its size, its accuracy, and how long LiteRT takes with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.record import MeasuredModel, Record, Row
from mnbench.showing.configurations import device_of
from mnbench.showing.figures import FIGURE, spell_bytes
from mnbench.showing.footnotes import Footnotes, footnotes_of
from mnbench.showing.loose_facts import fact_number, fact_text
from mnbench.showing.table import Column, Entry, Line, Note, Table

__all__ = ["variants_table"]

_ENGINE = "litert"
_HEAD = (
    Column(head="Device", is_text=True, is_ditto=True),
    Column(head="Model", is_text=True, is_ditto=True),
    Column(head="Variant", is_text=True),
    Column(head="Size"),
    Column(head="As float"),
    Column(head="Top-1"),
)
_ABOUT = f"Milliseconds of a forward pass on LiteRT: {FIGURE}."
_ABOUT_AGREEMENT = "As float: on how many rendered pictures its best class is the float model's."


def variants_table(records: Sequence[Record]) -> tuple[Table, ...]:
    """One table of all; none where no record has a model's forward pass on LiteRT."""
    rows = [(record, row) for record in records for row in record.rows if _is_shown(row)]
    if not rows:
        return ()
    threads = sorted({row.cell.threads or 0 for _, row in rows})
    shown = list({id(record): record for record, _ in rows}.values())
    footnotes = footnotes_of([row for _, row in rows], shown)
    lines = [line for record in shown for line in _lines(record, threads, footnotes)]
    table = Table(
        title="Every variant",
        columns=(*_HEAD, *(Column(head=_head(count)) for count in threads)),
        lines=tuple(lines),
        about=_ABOUT,
        notes=(*footnotes.notes(), *_sources(shown)),
    )
    shorter = table.without_empty_columns()
    has_agreement = any(column.head == "As float" for column in shorter.columns)
    return (replace(shorter, about=f"{_ABOUT} {_ABOUT_AGREEMENT}") if has_agreement else shorter,)


def _is_shown(row: Row) -> bool:
    cell = row.cell
    return cell == _cell(cell.model, cell.variant, cell.threads)


def _cell(model: str, variant: Variant, threads: int | None) -> Cell:
    return Cell(work=Work.FORWARD, model=model, engine=_ENGINE, variant=variant, threads=threads)


def _head(threads: int) -> str:
    return f"ms, {threads} thread{'s' if threads > 1 else ''}" if threads else "ms"


def _lines(record: Record, threads: Sequence[int], footnotes: Footnotes) -> Iterator[Line]:
    models = {model.name: model for model in record.models}
    cells = dict.fromkeys((row.cell.model, row.cell.variant) for row in record.rows if _is_shown(row))
    device = Entry(text=device_of(record, Device.CPU), marks=footnotes.marks(record.doubts))
    above = ""
    for name, variant in cells:
        rows = [record.row(_cell(name, variant, count or None).key) for count in threads]
        model = models.get(name)
        size = next((row.size_bytes for row in rows if row is not None and row.size_bytes is not None), None)
        entries = (
            device,
            Entry(text=name if model is None else model.title or name),
            Entry(text=str(variant)),
            Entry(text="" if size is None else spell_bytes(size)),
            _agreement(model, variant),
            _top1(model, variant),
            *(footnotes.figure(row) for row in rows),
        )
        yield Line(entries, starts_group=name != above)
        above = name


def _agreement(model: MeasuredModel | None, variant: Variant) -> Entry:
    """What mnconvert's verification saw when the file was made."""
    facts = {} if model is None else model.files.get(str(variant), {})
    share = fact_number(facts, "verification", "agreement")
    return Entry(text="" if share is None else f"{100 * share:.1f} %")


def _top1(model: MeasuredModel | None, variant: Variant) -> Entry:
    facts = _accuracy(model, variant)
    percent, error = fact_number(facts, "top1_percent"), fact_number(facts, "standard_error")
    if percent is None:
        return Entry()
    return Entry(text=f"{percent:.1f} %" if error is None else f"{percent:.1f} ± {error:.1f} %")


def _accuracy(model: MeasuredModel | None, variant: Variant) -> Mapping[str, Any]:
    return {} if model is None else model.accuracy.get(str(variant), {})


def _sources(records: Sequence[Record]) -> tuple[Note, ...]:
    models = [model for record in records for model in record.models]
    sources = dict.fromkeys(
        source for model in models for facts in model.accuracy.values() if (source := fact_text(facts, "source"))
    )
    return tuple(Note("", f"top-1: {source}") for source in sources)
