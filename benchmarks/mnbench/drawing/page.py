"""Records -> one page that needs nothing else: pictures in SVG, tables, doubts in words, the machine. All escaped."""

from collections.abc import Sequence
from importlib.resources import files

from mnbench.drawing.entries import Entry, device_names, entries_of
from mnbench.drawing.kinds import Kind, draw
from mnbench.drawing.machine_facts import machine_facts
from mnbench.drawing.operators import profile_of
from mnbench.drawing.palette import DARK, LIGHT, style_variables
from mnbench.drawing.picture import Picture
from mnbench.drawing.svg import inline_svg
from mnbench.record import Record
from mnbench.showing.as_html import table_section, table_style
from mnbench.showing.footnotes import footnotes_of
from mnbench.showing.rendering import Layout, tables_of
from mnbench.showing.runs import runs_table
from mnconvert.report.html.markup import Markup, element, joined
from mninfer.errors import InputError

__all__ = ["render_page"]

_TALL = 5000.0  # pixels, some screens: folded until it is wanted, so that what follows can be found
_PICTURES = (Kind.LATENCY, Kind.PARETO, Kind.THREADS, Kind.PARTS, Kind.OPERATORS)


def render_page(records: Sequence[Record], *, title: str | None = None, entries: Sequence[Entry] | None = None) -> str:
    """The whole document; ``entries`` are the rows that are drawn, by default all."""
    drawn = entries_of(records) if entries is None else entries
    name = title or f"Latency on {', '.join(dict.fromkeys(record.device for record in records))}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", name),
        element("style", Markup(f"{table_style()}{_style()}")),
    )
    body = element("body", element("main", *_sections(records, drawn, name)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _style() -> str:
    """The pictures' colours in light and dark, and what this page has beyond tables."""
    own = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {style_variables(DARK)} }} }}"
    return f":root {{ {style_variables(LIGHT)} }}\n{dark}\n{own}"


def _sections(records: Sequence[Record], entries: Sequence[Entry], title: str) -> list[Markup]:
    pictures = [picture for kind in _PICTURES if (picture := _picture(kind, _drawable(kind, entries)))]
    tables = tables_of(records, Layout.OF_2017)[:-1]  # without the runs, which end the page
    return [
        element("header", element("h1", title), element("p", _summary(records, entries), class_="soft")),
        _contents(pictures),
        _doubts(records, entries),
        *(_figure(picture) for picture in pictures),
        element("div", *(table_section(table) for table in tables), id="tables"),
        _all_rows(records),
        element("div", _machines(records), table_section(runs_table(records)), id="machine"),
    ]


def _contents(pictures: Sequence[Picture]) -> Markup:
    """Links to what is further down."""
    places = [
        *((_anchor(picture), picture.title) for picture in pictures),
        ("tables", "Tables"),
        ("machine", "Machine"),
    ]
    return element("nav", *(element("a", name, href=f"#{place}") for place, name in places))


def _anchor(picture: Picture) -> str:
    return picture.title.lower().replace(" ", "-")


def _summary(records: Sequence[Record], entries: Sequence[Entry]) -> str:
    measured = [entry for entry in entries if entry.interval]
    processes = sum(len(entry.row.processes) for entry in measured)
    runs = "1 run" if len(records) == 1 else f"{len(records)} runs"
    missing = len(entries) - len(measured)
    gaps = f"; {missing} more could not be measured, and say why" if missing else ""
    return f"{len(measured)} figures from {processes} processes in {runs}{gaps}."


def _drawable(kind: Kind, entries: Sequence[Entry]) -> list[Entry]:
    """Without those whose profile is damaged, which hide no other: what there is to doubt names them."""
    return [entry for entry in entries if kind is not Kind.OPERATORS or _damage(entry) is None]


def _damage(entry: Entry) -> str | None:
    """What is wrong with a row's profile."""
    try:
        profile_of(entry.row)
    except InputError as error:
        return error.what
    return None


def _picture(kind: Kind, entries: Sequence[Entry]) -> Picture | None:
    try:
        return draw(kind, entries)
    except InputError:  # nothing of that kind was measured
        return None


def _figure(picture: Picture) -> Markup:
    drawing = element("div", inline_svg(picture), class_="scrolled picture", tabindex="0")
    if picture.height > _TALL:
        drawing = element("details", element("summary", "Show it: it is long"), drawing, class_="tall")
    about = element("p", f"{picture.about[:1].upper()}{picture.about[1:]}.", class_="soft")
    return element("section", element("h2", picture.title), about, drawing, id=_anchor(picture))


def _doubts(records: Sequence[Record], entries: Sequence[Entry]) -> Markup:
    """What to distrust, before any figure is read: of whole runs, then how many rows have which doubt."""
    lines = _counted(records, [entry for entry in entries if entry.interval])
    lines += [joined((element("b", "damaged: "), what)) for entry in entries if (what := _damage(entry))]
    if not lines:
        return element("p", "No reason to distrust any of it was found.", class_="sound")
    title = element("h2", "Reasons to distrust")
    return element("section", title, element("ul", *(element("li", line) for line in lines)), class_="doubts")


def _counted(records: Sequence[Record], measured: Sequence[Entry]) -> list[Markup]:
    """A line to each kind of doubt, in the words of the notes below pictures and tables, which mark each figure."""
    footnotes = footnotes_of([entry.row for entry in measured], records)
    texts = {note.mark: note.text for note in footnotes.notes()}
    lines = []
    for code, mark in footnotes.letters.items():
        number = sum(any(doubt.code == code for doubt in entry.doubts) for entry in measured)
        name = f"{code}, {number} of {len(measured)} figures: " if number else f"{code}: "
        lines.append(joined((element("b", name), texts[mark].removeprefix(f"{code}: "))))
    return lines


def _all_rows(records: Sequence[Record]) -> Markup:
    tables = [table_section(table) for table in tables_of(records, Layout.FULL)[:-1]]
    number = sum(len(record.rows) for record in records)
    return element("details", element("summary", f"All that is known of each of the {number} rows"), *tables)


def _machines(records: Sequence[Record]) -> Markup:
    lists = []
    for record, name in zip(records, device_names(records), strict=True):
        facts = [joined((element("dt", fact), element("dd", value))) for fact, value in machine_facts(record)]
        lists.append(joined((element("h3", name), element("dl", *facts, class_="facts"))))
    return element("section", element("h2", "The machine" if len(records) == 1 else "The machines"), *lists)
