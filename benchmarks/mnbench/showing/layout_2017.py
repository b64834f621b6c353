"""The table of 2017, in its very columns: the published rows, then a line to each device and configuration of ours.

A figure of ours has the published one of its kind beside it, in parentheses.
"""

from collections.abc import Sequence

from mnbench.cell import Cell, InstructionSet, Variant, Work
from mnbench.record import Record
from mnbench.showing.configurations import (
    Configuration,
    configurations_of,
    details_of,
    device_of,
    engine_of,
    fused_of,
    is_fused,
    limit_of,
    precision_of,
    quantized_of,
    title_of_engine,
)
from mnbench.showing.figures import FIGURE
from mnbench.showing.footnotes import Footnotes, footnotes_of
from mnbench.showing.loose_facts import fact_text
from mnbench.showing.models import about_of, input_of, title_of
from mnbench.showing.published import FIGURES_2017, INPUT_2017, MODEL_2017, SOURCE_2017, Figures2017
from mnbench.showing.table import Column, Entry, Line, Note, Table, Tone

__all__ = ["COLUMNS_2017", "published_beside", "remark_of", "tables_2017"]

COLUMNS_2017 = (
    Column(head="Device", is_text=True, is_ditto=True),
    Column(head="Forward"),
    Column(head="Forward-Backward"),
    Column(head="Instruction set", is_text=True),
    Column(head="Quantized", is_text=True),
    Column(head="Fused-BN", is_text=True),
    Column(head="Remark", is_text=True),
)
_ABOUT = f"Milliseconds: {FIGURE}."
_ABOUT_PUBLISHED = (
    "In parentheses: the fastest published figure of 2017 with the same Quantized and Fused-BN "
    "(for a row limited to SSE4.1, of those without AVX2)."
)
_ABOUT_LIMITS = "≤: the process was limited to that instruction set."
_ABOUT_FUSED = {
    "folded": "folded: BatchNorm went into the convolutions when the file was made.",
    "by XLA": "by XLA: on JAX both forms of BatchNorm are one program, which XLA fuses, and no fused kernel of 2017's "
    "kind; lines that are alike are that program, measured again.",
    "composed": "composed: on torch both forms of BatchNorm are one program, without a fused kernel; lines that are "
    "alike are that program, measured again.",
}


def tables_2017(records: Sequence[Record]) -> tuple[Table, ...]:
    """A table to each model that the records know."""
    return tuple(_table(model, configurations, records) for model, configurations in configurations_of(records).items())


def published_beside(cell: Cell) -> Figures2017 | None:
    """The published row that ``cell`` is to be seen beside; None where nothing like it was published."""
    is_known = cell.variant in (Variant.FLOAT32, Variant.UNFUSED, Variant.INT8)
    if cell.model != MODEL_2017 or cell.batch != 1 or not is_known:
        return None
    is_quantized = cell.variant is Variant.INT8
    alike = [
        each
        for each in FIGURES_2017
        if each.device is cell.device
        and each.is_quantized is is_quantized
        and (is_quantized or each.is_fused is is_fused(cell))
        and not (each.has_avx2 and cell.instruction_set is InstructionSet.SSE41)
    ]
    return min(alike, key=lambda each: each.forward, default=None)


def _table(model: str, configurations: Sequence[Configuration], records: Sequence[Record]) -> Table:
    shown = list({id(each.record): each.record for each in configurations}.values())
    footnotes = footnotes_of([row for each in configurations for row in each.rows], shown)
    is_published = model == MODEL_2017 and input_of(records, model) in (None, INPUT_2017)
    lines = [*(_published_lines() if is_published else ()), *_our_lines(configurations, footnotes, is_published)]
    about = [about_of(records, model), _ABOUT, *([_ABOUT_PUBLISHED] if is_published else [])]
    about += [_ABOUT_LIMITS] if any(each.cell.instruction_set for each in configurations) else []
    fused = {fused_of(each.cell) for each in configurations}
    about += [sentence for word, sentence in _ABOUT_FUSED.items() if word in fused]
    source = (Note("", f"2017: {SOURCE_2017}"),) if is_published else ()
    return Table(
        title=title_of(records, model),
        columns=COLUMNS_2017,
        lines=tuple(lines),
        about=" ".join(filter(None, about)),
        notes=(*footnotes.notes(), *_limit_notes(configurations), *source),
    )


def _published_lines() -> list[Line]:
    return [_published_line(each) for each in FIGURES_2017]


def _published_line(row: Figures2017) -> Line:
    texts = (
        f"{row.device.upper()}, 2017",
        str(row.forward),
        "" if row.forward_backward is None else str(row.forward_backward),
        "AVX2" if row.has_avx2 else "",
        "8-bits" if row.is_quantized else "",
        "On" if row.is_fused else "",
        row.remark,
    )
    return Line(tuple(Entry(text=text, tone=Tone.SOFT) for text in texts))


def _our_lines(configurations: Sequence[Configuration], footnotes: Footnotes, is_published: bool) -> list[Line]:
    lines: list[Line] = []
    above: Record | None = None
    for each in configurations:
        lines.append(Line(_entries(each, footnotes, is_published), starts_group=each.record is not above))
        above = each.record
    return lines


def _entries(each: Configuration, footnotes: Footnotes, is_published: bool) -> tuple[Entry, ...]:
    cell = each.cell
    published = published_beside(cell) if is_published else None
    return (
        Entry(text=device_of(each.record, cell.device), marks=footnotes.marks(each.record.doubts)),
        footnotes.figure(each.forward, _beside(published, Work.FORWARD)),
        footnotes.figure(each.backward, _beside(published, Work.FORWARD_BACKWARD)),
        Entry(text=each.instruction_set),
        Entry(text=quantized_of(cell)),
        Entry(text=fused_of(cell)),
        Entry(text=remark_of(each)),
    )


def _beside(published: Figures2017 | None, work: Work) -> str:
    figure = None if published is None else published.forward if work is Work.FORWARD else published.forward_backward
    return "" if figure is None else str(figure)


def remark_of(each: Configuration) -> str:
    """The engine, and what else there is to say of the configuration."""
    row = next(iter(each.rows), None)
    words = (engine_of(each.cell, row), precision_of(each.cell, row), details_of(each.cell))
    return ", ".join(word for word in words if word)


def _limit_notes(configurations: Sequence[Configuration]) -> tuple[Note, ...]:
    """How far each limit reaches, as the engines told."""
    notes: dict[str, None] = {}
    for each in configurations:
        told = (fact_text(process.facts, "instruction_set_note") for row in each.rows for process in row.processes)
        if limit_of(each.cell) and (note := next(told, "")):
            notes[f"{limit_of(each.cell)}, {title_of_engine(each.cell.engine)}: {note}"] = None
    return tuple(Note("", note) for note in notes)
