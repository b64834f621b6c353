"""Latency as bars: one to a row, with its interval, its doubts and its figure; what others published as marks below."""

from collections.abc import Iterable, Sequence

from mnbench.cell import Work
from mnbench.drawing.axis import axis_for
from mnbench.drawing.bars import PITCH, Place, bar_row, published_row
from mnbench.drawing.entries import Entry, notes_on
from mnbench.drawing.frame import axis_numbers, grid_across
from mnbench.drawing.lettering import shortened, text_width
from mnbench.drawing.naming import WORKS, in_common, row_names
from mnbench.drawing.picture import Colour, Item, Picture, Shape, Words
from mnbench.drawing.published_marks import PublishedLine, published_lines
from mnbench.drawing.series import variant_keys
from mnbench.drawing.sheet import SIDE, WIDTH, Block, Key, foot, legend, sheet
from mnbench.showing.footnotes import Footnotes
from mninfer.errors import InputError

__all__ = ["draw_latency"]

_HEAD = 28.0
_VALUES = 125.0  # kept free on the right of the longest bar
_MOST_NAME = 430.0


def draw_latency(entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A panel to each kind of work, a group in it to each device and model, fastest first.

    Raises:
        InputError: no row was measured.
    """
    measured = [entry for entry in entries if entry.interval]
    if not measured:
        raise InputError("nothing to draw: no row was measured", hints="mnbench table says why of each")
    footnotes = notes_on(measured)
    groups = _groups(entries)
    start = SIDE + _name_width(groups) + 12
    works = [work for work in Work if any(entry.cell.work is work for entry in measured)]
    panels = [
        _panel(work, [group for group in groups if group[0].cell.work is work], start, footnotes, is_log)
        for work in works
    ]
    return sheet("Latency", _about(measured), [legend(_keys(measured)), *panels, foot(footnotes.notes())])


def _about(entries: Sequence[Entry]) -> str:
    devices = dict.fromkeys(entry.device for entry in entries)
    common = [*(devices if len(devices) == 1 else ()), *filter(None, [in_common(entries)])]
    return ", ".join([*common, "milliseconds with their 95 % intervals; shorter is better"])


def _keys(entries: Sequence[Entry]) -> list[Key]:
    keys = variant_keys(entry.cell.variant for entry in entries if entry.cell.work is not Work.IMPORT)
    if any(entry.doubts for entry in entries):
        keys.append(Key(text="in doubt", colour=Colour.SOFT, is_hollow=True))
    if any(_published(group) for group in _groups(entries)):
        keys.append(Key(text="published by others", colour=Colour.SOFT, shape=Shape.DIAMOND, is_hollow=True))
    return keys


def _groups(entries: Iterable[Entry]) -> list[list[Entry]]:
    """By device, model and work; within each the fastest first, what has no figure last."""
    found: dict[tuple[str, str, Work], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.device, entry.model, entry.cell.work), []).append(entry)
    return [sorted(group, key=lambda entry: entry.ms if entry.interval else float("inf")) for group in found.values()]


def _name_width(groups: Sequence[Sequence[Entry]]) -> float:
    """Room for the longest name, so that all panels begin at one place."""
    names = [name for group in groups for name in row_names(group)]
    names += [line.name for group in groups for line in _published(group)]
    return min(_MOST_NAME, max(text_width(name, 12.0) for name in names))


def _published(group: Sequence[Entry]) -> tuple[PublishedLine, ...]:
    cells = [entry.cell for entry in group if entry.interval]
    if not cells:
        return ()
    return published_lines(
        cells[0].model, cells[0].work, {cell.variant for cell in cells}, {cell.device for cell in cells}
    )


def _panel(
    work: Work, groups: Sequence[Sequence[Entry]], start: float, footnotes: Footnotes, is_log: bool | None
) -> Block:
    """All of one kind of work, on one axis."""
    place = Place(start - 12, axis_for(_values(groups), start, WIDTH - SIDE - _VALUES, is_log=is_log))
    items: list[Item] = [Words(x=SIDE, y=14, text=WORKS[work], size=14, is_bold=True)]
    top = 26.0
    for group in groups:
        block = _group(group, place, footnotes, top)
        items += block.items
        top += block.height
    return Block((*items, *axis_numbers(place.axis, top - 6, "ms")), top + 28.0)


def _values(groups: Sequence[Sequence[Entry]]) -> list[float]:
    """All that the axis has to hold."""
    values = [ms for group in groups for line in _published(group) for _, ms in line.figures]
    for interval in (entry.interval for group in groups for entry in group if entry.interval):
        values += [interval.low, interval.high] if interval.is_known else [interval.middle]
    return values


def _group(group: Sequence[Entry], place: Place, footnotes: Footnotes, top: float) -> Block:
    """A title, and the rows below it before a grid of their own; all lies at ``top``."""
    published = _published(group)
    begin = top + _HEAD
    end = begin + (len(group) + len(published)) * PITCH
    title = shortened(f"{group[0].model} on {group[0].device}", WIDTH - 2 * SIDE, 12.5, is_bold=True)
    items: list[Item] = [Words(x=SIDE, y=top + 16, text=title, size=12.5, is_bold=True)]
    items += grid_across(place.axis, begin, end)
    y = begin + PITCH / 2
    for entry, name in zip(group, row_names(group), strict=True):
        items.append(bar_row(entry, name, place, " ".join(footnotes.marks(entry.doubts)), y))
        y += PITCH
    for line in published:
        items.append(published_row(line, place, y))
        y += PITCH
    return Block(tuple(items), end - top + 6)
