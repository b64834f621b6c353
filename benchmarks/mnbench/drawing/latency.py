"""Latency as bars: one to a row, with its interval, its doubts and its figure; what others published as marks below."""

from collections.abc import Iterable, Mapping, Sequence

from mnbench.cell import Work
from mnbench.drawing.axis import axis_for, shown_ends
from mnbench.drawing.bars import PITCH, Place, bar_row, figure_width, published_row
from mnbench.drawing.entries import Entry, notes_on
from mnbench.drawing.frame import axis_numbers, grid_across
from mnbench.drawing.lettering import shortened, text_width
from mnbench.drawing.naming import WORKS, in_common, row_names
from mnbench.drawing.picture import Colour, Group, Item, Picture, Shape, Words, moved
from mnbench.drawing.published_marks import PublishedLine, published_lines
from mnbench.drawing.series import variant_keys
from mnbench.drawing.sheet import SIDE, WIDTH, Block, Key, foot, legend, sheet
from mnbench.showing.footnotes import Footnotes
from mninfer.errors import InputError

__all__ = ["draw_latency"]

_TITLE, _HEAD = 26.0, 28.0
_TALL = 800.0
_LETTERS, _MOST_NAME, _MOST_VALUE = 12.0, 430.0, 250.0


def draw_latency(entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A panel to each kind of work, a group in it to each model and device, fastest first.

    Raises:
        InputError: no row was measured.
    """
    measured = [entry for entry in entries if entry.interval]
    if not measured:
        raise InputError("nothing to draw: no row was measured", hints="mnbench table says why of each")
    footnotes = notes_on(measured)
    works = [work for work in Work if any(entry.cell.work is work for entry in measured)]
    by_work = {work: [entry for entry in entries if entry.cell.work is work] for work in works}
    names = dict(zip(entries, row_names(entries), strict=True))
    across = _across(by_work.values(), names, footnotes)
    panels = [_panel(each, names, across, footnotes, is_log) for each in by_work.values()]
    return sheet("Latency", _about(measured), [legend(_keys(by_work.values())), *panels, foot(footnotes.notes())])


def _about(entries: Sequence[Entry]) -> str:
    devices = dict.fromkeys(entry.device for entry in entries)
    common = [*(devices if len(devices) == 1 else ()), *filter(None, [in_common(entries)])]
    return ", ".join([*common, "milliseconds with their 95 % intervals; shorter is better"])


def _keys(panels: Iterable[Sequence[Entry]]) -> list[Key]:
    entries = [entry for panel in panels for entry in panel if entry.interval]
    keys = variant_keys(entry.cell.variant for entry in entries if entry.cell.work is not Work.IMPORT)
    if any(entry.doubts for entry in entries):
        keys.append(Key(text="in doubt", colour=Colour.SOFT, is_hollow=True))
    if any(_published(panel) for panel in panels):
        keys.append(Key(text="published by others", colour=Colour.SOFT, shape=Shape.DIAMOND, is_hollow=True))
    return keys


def _models(panel: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of each model."""
    found: dict[str, list[Entry]] = {}
    for entry in panel:
        found.setdefault(entry.model, []).append(entry)
    return list(found.values())


def _groups(model: Sequence[Entry]) -> list[list[Entry]]:
    """One model's by device; within each the fastest first, what has no figure last."""
    found: dict[str, list[Entry]] = {}
    for entry in model:
        found.setdefault(entry.device, []).append(entry)
    return [sorted(group, key=lambda entry: entry.ms if entry.interval else float("inf")) for group in found.values()]


def _published(entries: Sequence[Entry]) -> list[PublishedLine]:
    """What others measured of these models, by the variants and kinds of devices that we did."""
    lines: list[PublishedLine] = []
    for model in _models(entries):
        cells = [entry.cell for entry in model if entry.interval]
        if cells:
            variants, devices = {cell.variant for cell in cells}, {cell.device for cell in cells}
            lines += published_lines(cells[0].model, cells[0].work, variants, devices)
    return lines


def _across(panels: Iterable[Sequence[Entry]], names: Mapping[Entry, str], footnotes: Footnotes) -> tuple[float, float]:
    """Where the axes of all panels begin and end: between the longest name and the longest figure."""
    entries = [entry for panel in panels for entry in panel]
    texts = [*(names[entry] for entry in entries), *(line.name for panel in panels for line in _published(panel))]
    figures = [figure_width(entry.interval, _letters(entry, footnotes)) for entry in entries if entry.interval]
    before = min(_MOST_NAME, max(text_width(text, _LETTERS) for text in texts))
    return SIDE + before + 12, WIDTH - SIDE - min(_MOST_VALUE, max(figures))


def _letters(entry: Entry, footnotes: Footnotes) -> str:
    return " ".join(footnotes.marks(entry.doubts))


def _panel(
    entries: Sequence[Entry],
    names: Mapping[Entry, str],
    across: tuple[float, float],
    footnotes: Footnotes,
    is_log: bool | None,
) -> Block:
    """All of one kind of work, on one axis."""
    place = Place(across[0] - 12, axis_for(_values(entries), *across, is_log=is_log))
    items: list[Item] = [Words(x=SIDE, y=14, text=WORKS[entries[0].cell.work], size=14, is_bold=True)]
    top = _TITLE
    for title, rows in _titled_rows(entries, names, place, footnotes):
        items += _group(title, rows, place, top)
        top += _HEAD + len(rows) * PITCH + 6
    if top > _TALL:  # longer than a screen
        items += axis_numbers(place.axis, _TITLE - 4, "ms")
    return Block((*items, *axis_numbers(place.axis, top - 6, "ms")), top + 28.0)


def _values(entries: Sequence[Entry]) -> list[float]:
    """All that the axis has to hold."""
    values = [ms for line in _published(entries) for _, ms in line.figures]
    return [*values, *(end for entry in entries if entry.interval for end in shown_ends(entry.interval))]


def _titled_rows(
    entries: Sequence[Entry], names: Mapping[Entry, str], place: Place, footnotes: Footnotes
) -> list[tuple[str, list[Group]]]:
    """Each group's title and lines, all as if at the top: a model's groups, then what others published of it."""
    found = []
    has_devices = len({entry.device for entry in entries}) > 1
    for model in _models(entries):
        for group in _groups(model):
            rows = [bar_row(entry, names[entry], place, _letters(entry, footnotes)) for entry in group]
            found.append((f"{group[0].model} on {group[0].device}" if has_devices else group[0].model, rows))
        published = [published_row(line, place) for line in _published(model)]
        if published:
            found.append((f"{model[0].model}, published by others", published))
    return found


def _group(title: str, rows: Sequence[Group], place: Place, top: float) -> list[Item]:
    """A title, and the rows below it before a grid of their own."""
    begin = top + _HEAD
    shown = shortened(title, WIDTH - 2 * SIDE, 12.5, is_bold=True)
    items: list[Item] = [Words(x=SIDE, y=top + 16, text=shown, size=12.5, is_bold=True)]
    items += grid_across(place.axis, begin, begin + len(rows) * PITCH)
    return [*items, *(moved(row, 0.0, begin + PITCH * (number + 0.5)) for number, row in enumerate(rows))]
