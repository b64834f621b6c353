"""Tables -> one page that asks for nothing from anywhere, in the reader's light or dark. All of a record is escaped."""

from collections.abc import Sequence
from importlib.resources import files

from mnbench.showing.table import Column, Entry, Line, Note, Table, Tone
from mnconvert.report.html.markup import Markup, element, joined

__all__ = ["as_html", "table_section", "table_style"]

_NONE = "–"


def as_html(tables: Sequence[Table], *, title: str) -> str:
    """The whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", table_style()),
    )
    body = element("body", element("main", element("h1", title), *map(table_section, tables)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def table_style() -> Markup:
    """The style sheet that ``table_section`` counts on."""
    return Markup(files(__package__).joinpath("table.css").read_text(encoding="utf-8"))


def table_section(table: Table) -> Markup:
    """A table with its heading and its notes."""
    heads = element("tr", *(element("th", column.head, class_=_class(column), scope="col") for column in table.columns))
    above = (None, *table.lines)
    lines = [_line(table.columns, line, before) for line, before in zip(table.lines, above, strict=False)]
    inside = element("table", element("thead", heads), element("tbody", *lines))
    return element(
        "section",
        element("h2", table.title),
        element("p", table.about, class_="soft") if table.about else Markup(),
        element("div", inside, class_="scrolled", tabindex="0"),
        _notes(table.notes),
    )


def _line(columns: Sequence[Column], line: Line, above: Line | None) -> Markup:
    cells = []
    for place, (column, entry) in enumerate(zip(columns, line.entries, strict=True)):
        is_repeated = above is not None and not line.starts_group and above.entries[place] == entry
        cells.append(_cell(column, entry, is_faint=column.is_ditto and is_repeated))
    return element("tr", *cells, class_="group" if line.starts_group else None)


def _cell(column: Column, entry: Entry, *, is_faint: bool) -> Markup:
    parts: list[str] = [entry.text] if entry.text else []
    if entry.beside:
        parts.append(element("span", f" ({entry.beside})", class_="beside"))
    if entry.marks:
        parts.append(element("sup", ",".join(entry.marks), class_="mark"))
    tone = str(entry.tone) if entry.tone is not Tone.PLAIN else ""
    names = (_class(column) or "", tone if parts else "soft", "faint" if is_faint else "")
    return element("td", *(parts or [_NONE]), class_=" ".join(filter(None, names)) or None)


def _notes(notes: Sequence[Note]) -> Markup:
    if not notes:
        return Markup()
    lines = [
        joined((element("dt", note.mark), element("dd", note.text, class_=None if note.mark else "soft")))
        for note in notes
    ]
    return element("dl", *lines, class_="notes")


def _class(column: Column) -> str | None:
    return "text" if column.is_text else None
