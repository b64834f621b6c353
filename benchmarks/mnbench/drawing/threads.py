"""What more threads bring: a line to each engine and variant, beside what the same work divided would take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mnbench.cell import Cell, Work
from mnbench.drawing.axis import Axis, axis_for, shown_ends
from mnbench.drawing.entries import Entry, notes_on
from mnbench.drawing.frame import upright_axis
from mnbench.drawing.lettering import shortened, text_width
from mnbench.drawing.naming import WORKS, row_names, told
from mnbench.drawing.picture import Anchor, Colour, Group, Item, Mark, Path, Picture, Segment, Shape, Words
from mnbench.drawing.placing import spread
from mnbench.drawing.series import engine_shapes, entry_colour, shape_keys, variant_keys
from mnbench.drawing.sheet import SIDE, WIDTH, Block, Key, beside, foot, legend, sheet
from mnbench.showing.configurations import title_of_engine
from mnbench.showing.figures import spell_interval
from mnbench.showing.footnotes import Footnotes
from mninfer.errors import InputError

__all__ = ["draw_threads"]

_GAP = 36.0  # between panels
_ALONE = 640.0  # the width of a panel that is the only one
_LEFT, _TOP, _LINE = 46.0, 62.0, 15.0
_LABEL, _MARK = 11.0, 8.0
_BEFORE = 5.0  # the letters of doubts
_NUMBERS = 40.0  # below the axis


@dataclass(frozen=True, slots=True)
class _Series:
    """One configuration at several numbers of threads, fewest first."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def gain(self) -> float:
        """How many times faster the most threads are than the fewest."""
        return self.entries[0].ms / self.entries[-1].ms


def draw_threads(entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A panel to each device, model and kind of work; both axes logarithmic, so that a straight line is a law.

    Raises:
        InputError: nothing was measured with several numbers of threads.
    """
    groups = _groups([entry for entry in entries if _is_shown(entry)])
    if not groups:
        raise InputError(
            "no row was measured with several numbers of threads", hints="mnbench run --threads 1,2,4 measures them"
        )
    shown = [entry for group in groups for series in group for entry in series.entries]
    footnotes = notes_on(shown)
    width = _ALONE if len(groups) == 1 else (WIDTH - 2 * SIDE - _GAP) / 2
    shapes = engine_shapes(shown)
    panels = [_panel(group, _title(group, shown), shapes, width, footnotes, is_log) for group in groups]
    about = (
        "milliseconds by number of threads, with 95 % intervals; dashed: the time of the fewest threads, divided; "
        "×: so many times faster"
    )
    keys = [*variant_keys(entry.cell.variant for entry in shown), *(shape_keys(shapes) if len(shapes) > 1 else [])]
    if any(entry.doubts for entry in shown):
        keys.append(Key(text="in doubt", colour=Colour.SOFT, shape=Shape.CIRCLE, is_hollow=True))
    return sheet("More threads", about, [legend(keys), beside(panels, width, gap=_GAP), foot(footnotes.notes())])


def _is_shown(entry: Entry) -> bool:
    """Whether threads could matter to it."""
    return entry.interval is not None and entry.cell.threads is not None and entry.cell.work is not Work.IMPORT


def _groups(entries: Sequence[Entry]) -> list[list[_Series]]:
    """By work, device and model: the series of each, without those of one number of threads."""
    found: dict[tuple[str, str, str], dict[Cell, list[Entry]]] = {}
    for entry in sorted(entries, key=lambda entry: list(Work).index(entry.cell.work)):
        group = found.setdefault((entry.device, entry.model, str(entry.cell.work)), {})
        group.setdefault(replace(entry.cell, threads=None), []).append(entry)
    listed = [[_sorted(series) for series in group.values() if _has_several(series)] for group in found.values()]
    names = iter(row_names([_without_threads(series[0]) for group in listed for series in group]))
    return [[_Series(next(names), series) for series in group] for group in listed if group]


def _has_several(entries: Sequence[Entry]) -> bool:
    return len({entry.cell.threads for entry in entries}) > 1


def _sorted(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.cell.threads or 0))


def _without_threads(entry: Entry) -> Entry:
    return replace(entry, row=replace(entry.row, cell=replace(entry.cell, threads=None)))


@dataclass(frozen=True, slots=True)
class _Label:
    """What stands at a line's end: its name and gain, and the letters of all its doubts."""

    text: str
    letters: str

    @property
    def width(self) -> float:
        letters = text_width(self.letters, _LABEL, is_bold=True) + _BEFORE if self.letters else 0.0
        return text_width(self.text, _LABEL) + letters


@dataclass(frozen=True, slots=True)
class _Frame:
    """``x`` places a number of threads, ``y`` milliseconds; labels stand at ``labels``, at most ``room`` wide."""

    x: Axis
    y: Axis
    labels: float
    room: float


def _title(group: Sequence[_Series], shown: Sequence[Entry]) -> str:
    """The model, and the device where there are several."""
    first = group[0].entries[0]
    return f"{first.model} on {first.device}" if len({entry.device for entry in shown}) > 1 else first.model


def _panel(
    group: Sequence[_Series],
    title: str,
    shapes: dict[str, Shape],
    width: float,
    footnotes: Footnotes,
    is_log: bool | None,
) -> Block:
    first = group[0].entries[0]
    labels = [_Label(f"{series.name}, {series.gain:.1f}×", _letters(series, footnotes)) for series in group]
    room = min(0.48 * width, max(label.width for label in labels) + 4)
    height = max(220.0, len(group) * _LINE)
    frame = _frame(group, width, height, room, is_log)
    items: list[Item] = [
        Words(x=0, y=12, text=shortened(title, width, 12.5, is_bold=True), size=12.5, is_bold=True),
        Words(x=0, y=30, text=WORKS[first.cell.work], size=11, colour=Colour.SOFT),
        *upright_axis(frame.y, _LEFT, frame.x.end + 8, "ms"),
        *_thread_numbers(frame, _TOP + height),
    ]
    for series in group:
        items += [_ideal(series, frame), _curve(series, frame)]
        items += [_point(entry, shapes[title_of_engine(entry.cell.engine)], frame) for entry in series.entries]
    items += _labels(group, labels, frame)
    return Block(tuple(items), _TOP + height + _NUMBERS + 14)


def _frame(group: Sequence[_Series], width: float, height: float, room: float, is_log: bool | None) -> _Frame:
    numbers = sorted({entry.cell.threads or 0 for series in group for entry in series.entries})
    end = width - room - 34
    x = Axis(low=numbers[0], high=numbers[-1], start=_LEFT + 14, end=end, ticks=tuple(numbers), is_log=True)
    intervals = [entry.interval for series in group for entry in series.entries if entry.interval]
    values = [end for interval in intervals for end in shown_ends(interval)]
    y = axis_for(values, _TOP + height, _TOP, is_log=is_log is not False)
    return _Frame(x, y, width - room, room)


def _thread_numbers(frame: _Frame, bottom: float) -> list[Item]:
    numbers: list[Item] = [
        Words(x=frame.x(tick), y=bottom + 14, text=f"{tick:g}", size=11, colour=Colour.SOFT, anchor=Anchor.MIDDLE)
        for tick in frame.x.ticks
    ]
    middle = (frame.x.start + frame.x.end) / 2
    return [
        *numbers,
        Words(x=middle, y=bottom + 31, text="threads", size=11, colour=Colour.SOFT, anchor=Anchor.MIDDLE),
    ]


def _ideal(series: _Series, frame: _Frame) -> Path:
    """As straight as the axes let it: divided by the number of threads, down to where the plot ends."""
    first = series.entries[0]
    begin, ms = float(first.cell.threads or 1), first.ms
    last = frame.x.high if frame.y.low <= 0 else min(frame.x.high, begin * ms / frame.y.low)
    steps = [begin * (last / begin) ** (step / 24) for step in range(25)]
    points = tuple((frame.x(number), frame.y(ms * begin / number)) for number in steps)
    return Path(points=points, colour=Colour.AXIS, width=0.8, is_dashed=True)


def _curve(series: _Series, frame: _Frame) -> Path:
    points = tuple((frame.x(entry.cell.threads or 0), frame.y(entry.ms)) for entry in series.entries)
    return Path(points=points, colour=entry_colour(series.entries[0]), width=1.8)


def _point(entry: Entry, shape: Shape, frame: _Frame) -> Group:
    assert entry.interval is not None
    x, y = frame.x(entry.cell.threads or 0), frame.y(entry.ms)
    mark = Mark(x=x, y=y, shape=shape, colour=entry_colour(entry), size=_MARK, is_hollow=bool(entry.doubts))
    items: list[Item] = []
    if entry.interval.is_known:
        low, high = frame.y(entry.interval.low), frame.y(entry.interval.high)
        if abs(high - low) > _MARK:  # less than that the mark shows
            items.append(Segment(x1=x, x2=x, y1=low, y2=high, colour=Colour.INK, width=1.2))
    items.append(mark)
    doubts = "".join(f"\n{doubt.text}" for doubt in entry.doubts)
    return Group(tuple(items), f"{told(entry)}\n{spell_interval(entry.interval)} ms{doubts}")


def _letters(series: _Series, footnotes: Footnotes) -> str:
    return " ".join(footnotes.marks(doubt for entry in series.entries for doubt in entry.doubts))


def _labels(group: Sequence[_Series], labels: Sequence[_Label], frame: _Frame) -> list[Item]:
    """At the lines' right ends, pushed apart where these lie close, with a thin line to what they name."""
    ends = [(frame.x(series.entries[-1].cell.threads or 0), frame.y(series.entries[-1].ms)) for series in group]
    places = spread([y for _, y in ends], _LINE)
    items: list[Item] = []
    for (x, y), place, label, series in zip(ends, places, labels, group, strict=True):
        colour = entry_colour(series.entries[0])
        way = ((x + 7, y), (frame.labels - 14, place), (frame.labels - 5, place))
        items += [Path(points=way, colour=colour, width=0.8), *_label(label, frame, place)]
    return items


def _label(label: _Label, frame: _Frame, y: float) -> list[Words]:
    letters = text_width(label.letters, _LABEL, is_bold=True) + _BEFORE if label.letters else 0.0
    text = shortened(label.text, frame.room - letters, _LABEL)
    found = [Words(x=frame.labels, y=y, text=text, size=_LABEL)]
    if label.letters:
        x = frame.labels + text_width(text, _LABEL) + _BEFORE
        found.append(Words(x=x, y=y - 2, text=label.letters, size=_LABEL, colour=Colour.DOUBT, is_bold=True))
    return found
