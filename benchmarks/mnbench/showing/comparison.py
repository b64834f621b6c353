"""A comparison as a table: milliseconds before and after, the ratio, and what may be said of it."""

from collections.abc import Iterable, Sequence

from mnbench.comparing import Comparison, RowComparison, Unmatched
from mnbench.showing.figures import FIGURE, spell_interval, spell_ratio
from mnbench.showing.table import Column, Entry, Line, Note, Table, Tone
from mnbench.statistics import MARGIN, Verdict

__all__ = ["comparison_tables"]

_COLUMNS = (
    Column(head="Row", is_text=True),
    Column(head="Before (ms)"),
    Column(head="After (ms)"),
    Column(head="Ratio"),
    Column(head="Margin"),
    Column(head="Verdict", is_text=True),
)
_UNMATCHED_COLUMNS = (Column(head="Row", is_text=True), Column(head="Why", is_text=True))
_TONES = {
    Verdict.FASTER: Tone.GOOD,
    Verdict.SLOWER: Tone.BAD,
    Verdict.CANT_TELL: Tone.PLAIN,
    Verdict.OTHER_OUTPUTS: Tone.BAD,
}
_LEAST_SHOWN = 0.0005  # less is the usual margin, as it is spelled
_ABOUT = f"Milliseconds: {FIGURE}; ratio: after / before."
_ABOUT_MARGIN = (
    f"Margin: how far all of the ratio's interval has to stay clear of 1, where that is more than {MARGIN:.0%}, since "
    "other programs, or a hypervisor's other guests, took more of the cores in one run."
)


def comparison_tables(comparison: Comparison) -> tuple[Table, ...]:
    """The rows in both results with their doubts and, where there are any, those that one of them has no figure of."""
    codes = dict.fromkeys(doubt.code for row in comparison.rows for doubt in row.doubts)
    marks = {code: str(number) for number, code in enumerate(codes, 1)}
    table = Table(
        title=f"{comparison.before} -> {comparison.after}",
        about=f"{_ABOUT} {_ABOUT_MARGIN}" if any(map(_margin, comparison.rows)) else _ABOUT,
        columns=_COLUMNS,
        lines=tuple(Line(_entries(row, [marks[doubt.code] for doubt in row.doubts])) for row in comparison.rows),
        notes=(*_doubt_notes(comparison.rows, marks), *_run_notes(comparison)),
    )
    return (table.without_empty_columns(), *([_unmatched_table(comparison.unmatched)] if comparison.unmatched else []))


def _entries(row: RowComparison, marks: Iterable[str]) -> tuple[Entry, ...]:
    return (
        Entry(text=row.key, marks=tuple(dict.fromkeys(marks))),
        Entry(text=spell_interval(row.before)),
        Entry(text=spell_interval(row.after)),
        Entry(text=spell_ratio(row.ratio)),
        Entry(text=_margin(row)),
        Entry(text=str(row.verdict), tone=_TONES[row.verdict]),
    )


def _margin(row: RowComparison) -> str:
    """Of a row that others' load decides of; empty for the usual one."""
    return f"{row.margin:.1%}" if row.margin > MARGIN + _LEAST_SHOWN else ""


def _doubt_notes(rows: Iterable[RowComparison], marks: dict[str, str]) -> list[Note]:
    """A line to each kind of doubt, with the first of its texts."""
    texts: dict[str, str] = {}
    for row in rows:
        for doubt in row.doubts:
            texts.setdefault(doubt.code, doubt.text)
    return [Note(mark, f"{code}: {texts[code]}") for code, mark in marks.items()]


def _run_notes(comparison: Comparison) -> list[Note]:
    counts = {each: sum(row.verdict is each for row in comparison.rows) for each in Verdict}
    told = [f"{count} {each}" for each, count in counts.items() if count or each is not Verdict.OTHER_OUTPUTS]
    notes = [Note("", ", ".join(told))]
    notes += [Note("", f"{doubt.code}: {doubt.text}") for doubt in comparison.doubts]
    notes += [Note("", f"unlike machines: {'; '.join(comparison.unlike)}")] if comparison.unlike else []
    notes += [Note("", f"changed: {'; '.join(comparison.changes)}")] if comparison.changes else []
    return notes


def _unmatched_table(rows: Sequence[Unmatched]) -> Table:
    lines = tuple(Line((Entry(text=row.key), Entry(text=row.reason))) for row in rows)
    return Table(title="Not compared", columns=_UNMATCHED_COLUMNS, lines=lines)
