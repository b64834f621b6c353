"""Accuracy against latency: what is worth its time, and the front that nothing else reaches beyond."""

from collections.abc import Sequence

from mnbench.cell import Work
from mnbench.drawing.axis import axis_for
from mnbench.drawing.entries import Entry, notes_on
from mnbench.drawing.frame import axis_numbers, grid_across, upright_axis
from mnbench.drawing.front import pareto_front
from mnbench.drawing.lettering import shortened
from mnbench.drawing.naming import told
from mnbench.drawing.picture import Anchor, Colour, Group, Item, Mark, Path, Picture, Segment, Shape, Words
from mnbench.drawing.plane import Plane, percent_of
from mnbench.drawing.plane_labels import label_points
from mnbench.drawing.series import entry_colour, family_of, family_shapes, shape_keys, variant_keys
from mnbench.drawing.sheet import SIDE, WIDTH, Block, Key, foot, legend, sheet
from mnbench.showing.figures import spell_interval
from mnbench.showing.footnotes import Footnotes
from mninfer.errors import InputError

__all__ = ["draw_pareto"]

_LEFT, _TOP, _HEIGHT, _RIGHT = SIDE + 46.0, 48.0, 340.0, WIDTH - SIDE - 30.0
_WIDEST_LINEAR = 10.0  # points, unlike bars, lose nothing on a logarithmic axis, and crowd less
_SMALL, _LARGE = 5.0, 10.0


def draw_pareto(entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A panel to each device: single pictures forward, every row whose accuracy is known.

    Of a model and variant the fastest row is large and named, others small.

    Raises:
        InputError: no row has both.
    """
    known = [
        entry
        for entry in entries
        if entry.interval and entry.accuracy and entry.cell.work is Work.FORWARD and entry.cell.batch == 1
    ]
    if not known:
        raise InputError(
            "no accuracy is known of any model that was measured",
            hints="state it, as mnmodels evaluate measures it: --top1 MODEL/VARIANT=PERCENT",
        )
    devices = dict.fromkeys(entry.device for entry in known)
    footnotes = notes_on(known)
    shapes = family_shapes(known)
    panels = [_panel([entry for entry in known if entry.device == each], shapes, footnotes, is_log) for each in devices]
    about = (
        "top-1 with its standard error, milliseconds with their 95 % interval; best is up and left; "
        "large: the fastest row of a model and variant, small: its others"
    )
    return sheet("Accuracy against latency", about, [legend(_keys(known, shapes)), *panels, foot(footnotes.notes())])


def _keys(entries: Sequence[Entry], shapes: dict[str, Shape]) -> list[Key]:
    keys = [*variant_keys(entry.cell.variant for entry in entries), *(shape_keys(shapes) if len(shapes) > 1 else [])]
    if any(entry.doubts for entry in entries):
        keys.append(Key(text="in doubt", colour=Colour.SOFT, shape=Shape.CIRCLE, is_hollow=True))
    return [*keys, Key(text="the front", colour=Colour.INK, is_line=True, is_dashed=True)]


def _panel(entries: Sequence[Entry], shapes: dict[str, Shape], footnotes: Footnotes, is_log: bool | None) -> Block:
    plane = _plane(entries, is_log)
    front = _front_of(entries)
    line = _front(front, plane)
    fastest = _fastest(entries)
    bottom = _TOP + _HEIGHT
    models = list(dict.fromkeys(entry.model for entry in entries))
    title = " on ".join([*(models if len(models) == 1 else []), entries[0].device])
    items: list[Item] = [
        Words(x=SIDE, y=12, text=shortened(title, WIDTH - 2 * SIDE, 14, is_bold=True), size=14, is_bold=True),
        *grid_across(plane.x, _TOP, bottom),
        *upright_axis(plane.y, _LEFT, _RIGHT, "%"),
        *axis_numbers(plane.x, bottom + 2, "ms"),
        *([line] if front else []),
        *(_point(entry, shapes, plane, footnotes, is_large=False) for entry in entries if entry not in fastest),
        *(_point(entry, shapes, plane, footnotes, is_large=True) for entry in fastest),
        *label_points(fastest, entries, front, line, plane),
    ]  # fmt: skip
    return Block(tuple(items), bottom + 46)


def _plane(entries: Sequence[Entry], is_log: bool | None) -> Plane:
    x = axis_for([entry.ms for entry in entries], _LEFT, _RIGHT, is_log=is_log, most=10, widest_linear=_WIDEST_LINEAR)
    ends = [percent_of(entry) + side * entry.accuracy.error for entry in entries if entry.accuracy for side in (-1, 1)]
    y = axis_for(ends, _TOP + _HEIGHT, _TOP, is_log=False, low=max(min(ends), 0.0))
    return Plane(x, y)


def _fastest(entries: Sequence[Entry]) -> list[Entry]:
    """One of each model and variant."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.ms):
        found.setdefault((entry.model, entry.cell.variant), entry)
    return list(found.values())


def _front_of(entries: Sequence[Entry]) -> list[Entry]:
    """Of those that compute the model: what computes something else is no choice, however fast."""
    choices = [entry for entry in entries if all(doubt.code != "mismatch" for doubt in entry.doubts)]
    return [choices[place] for place in pareto_front([(entry.ms, percent_of(entry)) for entry in choices])]


def _front(front: Sequence[Entry], plane: Plane) -> Path:
    """Steps: between two of its points the cheaper one's accuracy is what can be had."""
    if not front:
        return Path(points=(), colour=Colour.INK)
    points = [plane.place(front[0])]
    for entry in front[1:]:
        x, y = plane.place(entry)
        points += [(x, points[-1][1]), (x, y)]
    return Path(points=(*points, (plane.x.end, points[-1][1])), colour=Colour.INK, width=1.2, is_dashed=True)


def _point(entry: Entry, shapes: dict[str, Shape], plane: Plane, footnotes: Footnotes, *, is_large: bool) -> Group:
    assert entry.interval is not None
    assert entry.accuracy is not None
    x, y = plane.place(entry)
    items: list[Item] = _whiskers(entry, plane) if is_large else []
    items.append(
        Mark(x=x, y=y, shape=shapes[family_of(entry)], colour=entry_colour(entry),
             size=_LARGE if is_large else _SMALL, is_hollow=bool(entry.doubts))
    )  # fmt: skip
    marks = " ".join(footnotes.marks(entry.doubts))
    if marks:
        items.append(Words(x=x, y=y - 11, text=marks, size=10, colour=Colour.DOUBT, is_bold=True, anchor=Anchor.MIDDLE))
    accuracy = f"{percent_of(entry):.1f} ± {entry.accuracy.error:.1f} % top-1"
    doubts = "".join(f"\n{doubt.text}" for doubt in entry.doubts)
    return Group(tuple(items), f"{told(entry)}\n{spell_interval(entry.interval)} ms, {accuracy}{doubts}")


def _whiskers(entry: Entry, plane: Plane) -> list[Item]:
    assert entry.interval is not None
    assert entry.accuracy is not None
    x, y = plane.place(entry)
    error = entry.accuracy.error
    items: list[Item] = []
    if error:
        low, high = plane.y(percent_of(entry) - error), plane.y(percent_of(entry) + error)
        items.append(Segment(x1=x, x2=x, y1=low, y2=high, colour=Colour.AXIS, width=1.0))
    if entry.interval.is_known:
        low, high = plane.x(entry.interval.low), plane.x(entry.interval.high)
        items.append(Segment(x1=low, x2=high, y1=y, y2=y, colour=Colour.AXIS, width=1.0))
    return items
