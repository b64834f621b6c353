"""The variants of one model as a table for a terminal, with the reasons of those that there are not below it."""

from collections.abc import Sequence

from mnconvert.report.columns import columns_of
from mnconvert.report.rows import Standing, VariantRow

__all__ = ["text_table"]


def text_table(rows: Sequence[VariantRow]) -> str:
    """A line to a variant; numbers end under each other."""
    columns = columns_of(rows)
    lines = [["variant", *(column.head for column in columns)]]
    lines += [[row.name, *(column.spell(row) for column in columns)] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    aligned = [_line(line, widths, [True, *(column.is_text for column in columns)]) for line in lines]
    marked = [f"{line}{_mark(row)}" for line, row in zip(aligned[1:], rows, strict=True)]
    reasons = [f"{row.name}: {row.standing}: {row.reason}" for row in rows if row.reason]
    return "\n".join((aligned[0].rstrip(), *(line.rstrip() for line in marked), *([""] if reasons else []), *reasons))


def _line(cells: Sequence[str], widths: Sequence[int], are_text: Sequence[bool]) -> str:
    return "  ".join(
        cell.ljust(width) if is_text else cell.rjust(width)
        for cell, width, is_text in zip(cells, widths, are_text, strict=True)
    )


def _mark(row: VariantRow) -> str:
    return "" if row.standing is Standing.OK else f"  {row.standing}"
