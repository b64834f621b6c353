"""One line of the latency picture: a name, a bar or a dot with its interval, a figure and the letters of its doubts."""

from dataclasses import dataclass

from mnbench.drawing.axis import Axis
from mnbench.drawing.entries import Entry
from mnbench.drawing.lettering import shortened, text_width
from mnbench.drawing.naming import told
from mnbench.drawing.picture import Anchor, Box, Colour, Group, Item, Mark, Path, Segment, Shape, Words
from mnbench.drawing.published_marks import PublishedLine
from mnbench.drawing.series import VARIANT_COLOURS, entry_colour
from mnbench.drawing.sheet import SIDE, WIDTH
from mnbench.record import Status
from mnbench.showing.figures import spell_interval
from mnbench.statistics import Interval

__all__ = ["PITCH", "Place", "bar_row", "figure_width", "published_row"]

PITCH = 21.0
_THICK, _DOT, _LETTERS, _GAP = 11.0, 10.0, 12.0, 8.0
_STATUSES = {Status.FAILED: "failed", Status.MISSING: "not there", Status.PENDING: "not run yet"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where names end, and the axis beside them, which a bar begins at and a dot of a logarithmic one doesn't."""

    names: float
    axis: Axis


def bar_row(entry: Entry, name: str, place: Place, letters: str) -> Group:
    """The line, its middle at 0; what has no figure says why."""
    words = _name(name, place)
    if entry.interval is None:
        return Group((words, _reason(entry, place)), f"{told(entry)}\n{entry.row.reason}")
    shape = _dot(entry, place) if place.axis.is_log else [_bar(entry, place)]
    whiskers = _whiskers(entry.interval, place.axis)
    right = max([place.axis(entry.ms) + 5, *(x for each in whiskers for x, _ in each.points)])
    figure = _figure(entry.interval, letters, right + _GAP)
    doubts = "".join(f"\n{doubt.text}" for doubt in entry.doubts)
    return Group((words, *shape, *whiskers, *figure), f"{told(entry)}{doubts}")


def _name(name: str, place: Place, colour: Colour = Colour.INK) -> Words:
    shown = shortened(name, place.names - SIDE, _LETTERS)
    return Words(x=place.names, y=0, text=shown, size=_LETTERS, anchor=Anchor.END, colour=colour)


def _reason(entry: Entry, place: Place) -> Words:
    left = place.axis.start + 6
    text = ": ".join(filter(None, (_STATUSES.get(entry.row.status, ""), entry.row.reason)))
    shown = shortened(text, WIDTH - SIDE - left, _LETTERS)
    return Words(x=left, y=0, text=shown, size=_LETTERS, colour=Colour.SOFT)


def _bar(entry: Entry, place: Place) -> Box:
    start = place.axis.start
    return Box(
        x=start,
        y=-_THICK / 2,
        width=max(place.axis(entry.ms) - start, 1.0),
        height=_THICK,
        colour=entry_colour(entry),
        is_hollow=bool(entry.doubts),
    )


def _dot(entry: Entry, place: Place) -> list[Item]:
    """On a logarithmic axis, which has no zero, a length would say nothing."""
    colour = entry_colour(entry)
    x = place.axis(entry.ms)
    return [
        Segment(x1=place.axis.start, x2=x - _DOT / 2, y1=0, y2=0, colour=Colour.GRID, width=1.0),
        Mark(x=x, y=0, shape=Shape.CIRCLE, colour=colour, size=_DOT, is_hollow=bool(entry.doubts)),
    ]


def _whiskers(interval: Interval, axis: Axis) -> list[Path]:
    """A line from end to end with caps; an end without one lies further out than the axis goes."""
    if not interval.is_known:
        return []
    low, high = axis(interval.low), axis(interval.high)
    if axis.is_log and high - low < _DOT:
        return []  # less than the dot shows
    ends = [x for x, end in ((low, interval.low), (high, interval.high)) if axis.low <= end <= axis.high]
    caps = [Path(points=((x, -3.5), (x, 3.5)), colour=Colour.INK, width=1.2) for x in ends]
    return [Path(points=((low, 0), (high, 0)), colour=Colour.INK, width=1.2), *caps]


def figure_width(interval: Interval, letters: str) -> float:
    """Room for a figure with its error and letters, right of its bar."""
    return _GAP + max(_after(item) for item in _figure(interval, letters, 0.0))


def _after(words: Words) -> float:
    return words.x + text_width(words.text, words.size, is_bold=words.is_bold)


def _figure(interval: Interval, letters: str, x: float) -> list[Words]:
    """The figure, how sure it is, and the letters of its doubts."""
    ms, _, error = spell_interval(interval).partition(" ")
    after = x + text_width(ms, _LETTERS, is_bold=True) + 2
    items = [
        Words(x=x, y=0, text=ms, size=_LETTERS, is_bold=True),
        Words(x=after, y=0, text=error, size=_LETTERS - 1, colour=Colour.SOFT),
    ]
    if letters:
        end = after + text_width(error, _LETTERS - 1) + 4
        items.append(Words(x=end, y=-2, text=letters, size=_LETTERS - 1, colour=Colour.DOUBT, is_bold=True))
    return items


def published_row(line: PublishedLine, place: Place) -> Group:
    """The line, its middle at 0: others' figures of one device, each a mark in its variant's colour, and their ends."""
    marks = [
        Mark(x=place.axis(ms), y=0, shape=Shape.DIAMOND, colour=VARIANT_COLOURS[variant], size=7.5, is_hollow=True)
        for variant, ms in line.figures
    ]
    values = sorted(ms for _, ms in line.figures)
    ends = [f"{values[0]:g}"] if len(set(values)) == 1 else [f"{values[0]:g}", f"{values[-1]:g}"]
    right = max(mark.x for mark in marks) + 5 + _GAP
    range_ = Words(x=right, y=0, text=" – ".join(ends), size=_LETTERS - 1, colour=Colour.SOFT)
    figures = ", ".join(f"{variant} {ms:g} ms" for variant, ms in line.figures)
    return Group((_name(line.name, place, Colour.SOFT), *marks, range_), f"{line.name}: {figures}\n{line.source}")
