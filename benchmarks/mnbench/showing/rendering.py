"""Records -> a text in the layout and the format that were asked for."""

from collections.abc import Sequence
from enum import StrEnum

from mnbench.record import Record
from mnbench.showing.as_csv import full_csv, table_2017_csv
from mnbench.showing.as_markdown import as_markdown
from mnbench.showing.as_text import as_text
from mnbench.showing.layout_2017 import tables_2017
from mnbench.showing.layout_full import tables_full
from mnbench.showing.runs import runs_table
from mnbench.showing.table import Table

__all__ = ["Format", "Layout", "rendered", "tables_of"]


class Layout(StrEnum):
    """Which tables: the one of 2017, or all that is known."""

    OF_2017 = "2017"
    FULL = "full"


class Format(StrEnum):
    """Written as what."""

    TEXT = "text"
    MARKDOWN = "md"
    CSV = "csv"
    HTML = "html"


def tables_of(records: Sequence[Record], layout: Layout) -> tuple[Table, ...]:
    """The tables of a layout, and below them what was run."""
    return (*_MADE_BY[layout](records), runs_table(records))


def rendered(records: Sequence[Record], layout: Layout, form: Format, *, width: int | None = None) -> str:
    """``records`` as a text that ends with its last line's end; ``width`` is a terminal's."""
    if form is Format.CSV:
        return full_csv(records) if layout is Layout.FULL else table_2017_csv(records)
    tables = tables_of(records, layout)
    if form is Format.HTML:
        from mnbench.showing.as_html import as_html  # mnconvert's markup takes a while to import

        return as_html(tables, title=_title(records))
    return (as_markdown(tables) if form is Format.MARKDOWN else as_text(tables, width)) + "\n"


def _title(records: Sequence[Record]) -> str:
    return f"mnbench: {', '.join(dict.fromkeys(record.device for record in records))}"


_MADE_BY = {Layout.OF_2017: tables_2017, Layout.FULL: tables_full}
