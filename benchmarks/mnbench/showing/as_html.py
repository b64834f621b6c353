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
    are_wide = [_is_wide(table, place) for place in range(len(table.columns))]
    heads = [_head(column, is_wide=is_wide) for column, is_wide in zip(table.columns, are_wide, strict=True)]
    above = (None, *table.lines)
    lines = [_line(table.columns, are_wide, line, before) for line, before in zip(table.lines, above, strict=False)]
    inside = element("table", element("thead", element("tr", *heads)), element("tbody", *lines))
    return element(
        "section",
        element("h2", table.title),
        element("p", table.about, class_="soft") if table.about else Markup(),
        element("div", inside, class_="scrolled", tabindex="0"),
        _notes(table.notes),
    )


def _is_wide(table: Table, place: int) -> bool:
    """Whether a column of figures has others beside them: two cells then, so that the figures end below one another."""
    entries = [line.entries[place] for line in table.lines]
    return not table.columns[place].is_text and any(entry.beside or entry.marks for entry in entries)


def _head(column: Column, *, is_wide: bool) -> Markup:
    class_ = "text" if column.is_text else "wide" if is_wide else None
    return element("th", column.head, class_=class_, scope="col", colspan=2 if is_wide else None)


def _line(columns: Sequence[Column], are_wide: Sequence[bool], line: Line, above: Line | None) -> Markup:
    cells: list[Markup] = []
    for place, (column, entry, is_wide) in enumerate(zip(columns, line.entries, are_wide, strict=True)):
        is_repeated = above is not None and not line.starts_group and above.entries[place] == entry
        class_ = _classes(column, entry, is_faint=column.is_ditto and is_repeated)
        if is_wide:
            cells += [element("td", entry.text or _NONE, class_=class_), element("td", *_extras(entry), class_="extra")]
        else:
            inside = [entry.text, *_extras(entry)] if not entry.is_empty else [_NONE]
            cells.append(element("td", *inside, class_=class_))
    return element("tr", *cells, class_="group" if line.starts_group else None)


def _extras(entry: Entry) -> list[Markup]:
    """The published figure, the marks."""
    beside = [element("span", f"({entry.beside})", class_="beside")] if entry.beside else []
    return [*beside, *([element("sup", ",".join(entry.marks), class_="mark")] if entry.marks else [])]


def _classes(column: Column, entry: Entry, *, is_faint: bool) -> str | None:
    tone = "soft" if entry.is_empty else str(entry.tone) if entry.tone is not Tone.PLAIN else ""
    names = (
        "text" if column.is_text else "figure",
        "ditto" if column.is_ditto else "",
        tone,
        "faint" if is_faint else "",
    )
    return " ".join(filter(None, names))


def _notes(notes: Sequence[Note]) -> Markup:
    if not notes:
        return Markup()
    lines = [
        joined((element("dt", note.mark), element("dd", note.text, class_=None if note.mark else "soft")))
        for note in notes
    ]
    return element("dl", *lines, class_="notes")
