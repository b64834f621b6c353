"""Tables -> Markdown as GitHub renders it. A name in a record can't begin a link, a tag, or a column."""

import re
from collections.abc import Iterator, Sequence

from mnbench.showing.table import Column, Entry, Line, Table
from mninfer.cli.output import printable

__all__ = ["as_markdown"]

_NONE = "-"
# What would be markup wherever it stands; an underscore within a word is none, and names have many.
_MARKUP = re.compile(r"([\\`*|\[\]<>&~]|(?<!\w)_|_(?!\w))")
# GitHub makes links of bare addresses, and mentions of names: a word joiner between their parts ends that.
_ADDRESS = re.compile(r"(https?:/|www\.|@(?=\w))", re.IGNORECASE)


def as_markdown(tables: Sequence[Table], *, level: int = 2) -> str:
    """A section to each table, with headings of ``level``; nothing at the end."""
    return "\n\n".join("\n".join(_section(table, level)) for table in tables)


def _section(table: Table, level: int) -> Iterator[str]:
    yield f"{'#' * level} {_plain(table.title)}"
    yield ""
    if table.about:
        yield from (_plain(table.about), "")
    yield _row(_plain(column.head) for column in table.columns)
    yield _row("---" if column.is_text else "--:" for column in table.columns)
    yield from (_row(_cells(table.columns, line)) for line in table.lines)
    yield from [""] if table.notes else []
    for note in table.notes:
        yield f"- {_mark((note.mark,)) + ' ' if note.mark else ''}{_plain(note.text)}"


def _row(cells: Sequence[str] | Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(columns: Sequence[Column], line: Line) -> list[str]:
    return [_cell(entry) for _, entry in zip(columns, line.entries, strict=True)]


def _cell(entry: Entry) -> str:
    beside = f"({_plain(entry.beside)})" if entry.beside else ""
    return " ".join(filter(None, (_plain(entry.text), beside, _mark(entry.marks)))) or _NONE


def _mark(marks: Sequence[str]) -> str:
    return f"<sup>{_plain(','.join(marks))}</sup>" if marks else ""


def _plain(text: str) -> str:
    escaped = _MARKUP.sub(r"\\\1", printable(text))
    return _ADDRESS.sub(lambda match: f"{match[1]}&#8288;", escaped)
