"""Tables -> lines for a terminal, no wider than it is: headings and texts are wrapped, figures never.

Where a table is too wide all the same, its device goes above each group, then published figures and marks go below
theirs, and at last each line becomes a block. What isn't printable is spelled: no name in a record moves a cursor.
"""

import textwrap
from collections.abc import Iterator, Sequence

from mnbench.showing.lettering import padded, width_of
from mnbench.showing.table import Column, Entry, Note, Table
from mnbench.showing.text_grid import TextGrid
from mninfer.cli.output import printable

__all__ = ["as_text"]

_NONE = "-"  # as the table of 2017 has it
_LEAST_WIDTH = 20  # below that a terminal breaks the lines itself
_INDENT = "  "


def as_text(tables: Sequence[Table], width: int | None = None) -> str:
    """All ``tables``, one below the other; ``width`` None: as wide as it takes."""
    return "\n\n".join("\n".join(_table(table, width)) for table in tables)


def _table(table: Table, width: int | None) -> Iterator[str]:
    yield from _wrapped(table.title, width)
    yield from _wrapped(table.about, width)
    yield ""
    yield from _lines(table, width)
    yield from [""] if table.notes else []
    for note in table.notes:
        yield from _note(note, width)


def _lines(table: Table, width: int | None) -> list[str]:
    """Of the ways to set the table that ``width`` holds the shortest; of equally short ones the first."""
    has_ditto = any(column.is_ditto for column in table.columns)
    ways = ((False, False), (True, False), (True, True)) if has_ditto else ((False, False), (False, True))
    grids = [_grid(table, is_headed=is_headed, is_stacked=is_stacked) for is_headed, is_stacked in ways]
    fitting = [list(grid.lines(widths)) for grid in grids if (widths := grid.fitted(width)) is not None]
    return min(fitting, key=len) if fitting else list(_blocks(table, width or _LEAST_WIDTH))


def _grid(table: Table, *, is_headed: bool, is_stacked: bool) -> TextGrid:
    """``is_headed``: columns of dittos are left out, and stand above each group."""
    kept = [place for place, column in enumerate(table.columns) if not (is_headed and column.is_ditto)]
    by_column = [
        _column_texts(table.columns[place], [line.entries[place] for line in table.lines], is_stacked=is_stacked)
        for place in kept
    ]
    headings = _headings(table) if is_headed else ("",) * len(table.lines)
    return TextGrid(
        columns=tuple(table.columns[place] for place in kept),
        texts=tuple(zip(*by_column, strict=True)),
        starts=tuple(line.starts_group for line in table.lines),
        headings=headings,
    )


def _headings(table: Table) -> tuple[str, ...]:
    """What stands above each line: its dittos, where they are not those of the line before."""
    places = [place for place, column in enumerate(table.columns) if column.is_ditto]
    found: list[str] = []
    above = ""
    for line in table.lines:
        texts = [_joined(_parts(line.entries[place])) for place in places]
        heading = ", ".join(text for text in texts if text != _NONE)
        found.append("" if heading == above else heading)
        above = heading
    return tuple(found)


def _column_texts(column: Column, entries: Sequence[Entry], *, is_stacked: bool) -> list[str]:
    """A column's entries as texts; of figures each part has a place of its own, so that they can be compared."""
    parts = [_parts(entry) for entry in entries]
    if column.is_text:
        return [_joined(each) for each in parts]
    if is_stacked:
        return ["\n".join(filter(None, (main, _joined(others)))) for main, *others in parts]
    widths = [max((width_of(each[place]) for each in parts), default=0) for place in range(3)]
    texts = []
    for main, *others in parts:
        cells = [padded(main, widths[0], is_left=False)]
        cells += [padded(part, width, is_left=True) for part, width in zip(others, widths[1:], strict=True) if width]
        texts.append(" ".join(cells))
    return texts


def _parts(entry: Entry) -> tuple[str, str, str]:
    """The figure, the published one, the marks."""
    beside = f"({printable(entry.beside)})" if entry.beside else ""
    marks = f"[{','.join(entry.marks)}]" if entry.marks else ""
    return printable(entry.text) or ("" if beside or marks else _NONE), beside, marks


def _joined(parts: Sequence[str]) -> str:
    return " ".join(filter(None, parts))


def _blocks(table: Table, width: int) -> Iterator[str]:
    """Each line of the table as lines of its own: for a terminal that is narrower than the table can be."""
    for index, line in enumerate(table.lines):
        yield from [""] if index else []
        for column, entry in zip(table.columns, line.entries, strict=True):
            if not entry.is_empty:
                yield from _wrapped(f"{column.head}: {_joined(_parts(entry))}", width, _INDENT)


def _note(note: Note, width: int | None) -> list[str]:
    head = f"[{note.mark}] " if note.mark else ""
    return _wrapped(f"{head}{note.text}", width, " " * len(head))


def _wrapped(text: str, width: int | None, indent: str = "") -> list[str]:
    text = printable(text)
    if width is None or width_of(text) <= width:
        return [text] if text else []
    return textwrap.wrap(text, max(width, _LEAST_WIDTH), subsequent_indent=indent)
