"""A comparison as a table: milliseconds before and after, the ratio, and what may be said of it."""

from collections.abc import Iterable, Sequence

from mnbench.comparing import Comparison, RowComparison, Unmatched
from mnbench.showing.figures import spell_interval, spell_ratio
from mnbench.showing.table import Column, Entry, Line, Note, Table, Tone
from mnbench.statistics import Verdict

__all__ = ["comparison_tables"]

_COLUMNS = (
    Column(head="Row", is_text=True),
    Column(head="Before (ms)"),
    Column(head="After (ms)"),
    Column(head="Ratio"),
    Column(head="Verdict", is_text=True),
)
_UNMATCHED_COLUMNS = (Column(head="Row", is_text=True), Column(head="Why", is_text=True))
_TONES = {Verdict.FASTER: Tone.GOOD, Verdict.SLOWER: Tone.BAD, Verdict.CANT_TELL: Tone.PLAIN}


def comparison_tables(comparison: Comparison) -> tuple[Table, ...]:
    """The rows in both results with their doubts and, where there are any, those that one of them has no figure of."""
    codes = dict.fromkeys(doubt.code for row in comparison.rows for doubt in row.doubts)
    marks = {code: str(number) for number, code in enumerate(codes, 1)}
    table = Table(
        title=f"{comparison.before} -> {comparison.after}",
        about="Medians of processes with 95 % intervals; ratio: after / before.",
        columns=_COLUMNS,
        lines=tuple(Line(_entries(row, [marks[doubt.code] for doubt in row.doubts])) for row in comparison.rows),
        notes=(*_doubt_notes(comparison.rows, marks), *_run_notes(comparison)),
    )
    return (table, *([_unmatched_table(comparison.unmatched)] if comparison.unmatched else []))


def _entries(row: RowComparison, marks: Iterable[str]) -> tuple[Entry, ...]:
    return (
        Entry(text=row.key, marks=tuple(dict.fromkeys(marks))),
        Entry(text=spell_interval(row.before)),
        Entry(text=spell_interval(row.after)),
        Entry(text=spell_ratio(row.ratio)),
        Entry(text=str(row.verdict), tone=_TONES[row.verdict]),
    )


def _doubt_notes(rows: Iterable[RowComparison], marks: dict[str, str]) -> list[Note]:
    """A line to each kind of doubt, with the first of its texts."""
    texts: dict[str, str] = {}
    for row in rows:
        for doubt in row.doubts:
            texts.setdefault(doubt.code, doubt.text)
    return [Note(mark, f"{code}: {texts[code]}") for code, mark in marks.items()]


def _run_notes(comparison: Comparison) -> list[Note]:
    counts = {each: sum(row.verdict is each for row in comparison.rows) for each in Verdict}
    notes = [Note("", ", ".join(f"{count} {each}" for each, count in counts.items()))]
    notes += [Note("", f"{doubt.code}: {doubt.text}") for doubt in comparison.doubts]
    notes += [Note("", f"unlike machines: {'; '.join(comparison.unlike)}")] if comparison.unlike else []
    notes += [Note("", f"changed: {'; '.join(comparison.changes)}")] if comparison.changes else []
    return notes


def _unmatched_table(rows: Sequence[Unmatched]) -> Table:
    lines = tuple(Line((Entry(text=row.key), Entry(text=row.reason))) for row in rows)
    return Table(title="Not compared", columns=_UNMATCHED_COLUMNS, lines=lines)
