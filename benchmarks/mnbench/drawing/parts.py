"""What a run is made of, as bars in pieces: decoding, preprocessing, the network, what comes after."""

from collections.abc import Mapping, Sequence

from mnbench.cell import Work
from mnbench.drawing.axis import Axis, axis_for
from mnbench.drawing.bars import figure_width
from mnbench.drawing.entries import Entry, notes_on
from mnbench.drawing.frame import axis_numbers, grid_across
from mnbench.drawing.lettering import shortened, text_width
from mnbench.drawing.naming import WORKS, full_names, told
from mnbench.drawing.picture import Anchor, Box, Colour, Group, Item, Picture, Words
from mnbench.drawing.sheet import SIDE, WIDTH, Block, Key, foot, legend, sheet
from mnbench.showing.figures import spell_interval, spell_ms
from mnbench.showing.footnotes import Footnotes
from mnbench.statistics import part_intervals
from mninfer.errors import InputError

__all__ = ["draw_parts"]

_PITCH, _THICK, _LETTERS = 34.0, 20.0, 12.0
_MOST_NAME = 400.0
# White letters can be read on each of them.
_COLOURS = (Colour.BLUE, Colour.GREEN, Colour.RED, Colour.INDIGO, Colour.GREY)


def draw_parts(entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A bar to each row that has parts, a piece to each part; on a logarithmic scale pieces would mean nothing.

    Raises:
        InputError: no row has parts, or ``is_log``.
    """
    if is_log:
        raise InputError("pieces of a bar can't be drawn to a logarithmic scale", hints="leave --scale out")
    made = [entry for entry in entries if entry.interval and part_intervals(entry.row)]
    if not made:
        raise InputError(
            "no row has parts: work from photo to label has them, and an import",
            hints="mnbench run --works photo-to-label",
        )
    footnotes = notes_on(made)
    by_work = {work: [entry for entry in made if entry.cell.work is work] for work in Work}
    blocks = [block for group in by_work.values() if group for block in _panel(group, footnotes)]
    about = "milliseconds by part; on the right the whole with its 95 % interval"
    return sheet("What a run is made of", about, [*blocks, foot(footnotes.notes())])


def _panel(entries: Sequence[Entry], footnotes: Footnotes) -> list[Block]:
    """One kind of work: its name, its parts' colours, a bar to each row."""
    names = full_names(entries)
    colours = _colours(entries)
    start = SIDE + min(_MOST_NAME, max(text_width(name, _LETTERS) for name in names)) + 12
    room = max(figure_width(entry.interval, _marks(entry, footnotes)) for entry in entries if entry.interval)
    sums = [sum(interval.middle for interval in part_intervals(entry.row).values()) for entry in entries]
    axis = axis_for(sums, start, WIDTH - SIDE - room - 10, is_log=False)
    bottom = _PITCH * len(entries)
    rows = [
        _row(entry, name, axis, colours, footnotes, _PITCH * (place + 0.5))
        for place, (entry, name) in enumerate(zip(entries, names, strict=True))
    ]
    title = Words(x=SIDE, y=12, text=WORKS[entries[0].cell.work], size=14, is_bold=True)
    keys = [Key(text=name, colour=colour) for name, colour in colours.items()]
    drawn = (*grid_across(axis, 0, bottom), *axis_numbers(axis, bottom, "ms"), *rows)
    return [Block((title,), 24.0), legend(keys), Block(drawn, bottom + 40)]


def _colours(entries: Sequence[Entry]) -> dict[str, Colour]:
    names = dict.fromkeys(name for entry in entries for name in part_intervals(entry.row))
    return {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}


def _marks(entry: Entry, footnotes: Footnotes) -> str:
    return " ".join(footnotes.marks(entry.doubts))


def _row(entry: Entry, name: str, axis: Axis, colours: Mapping[str, Colour], footnotes: Footnotes, y: float) -> Group:
    shown = shortened(name, axis.start - 12 - SIDE, _LETTERS)
    items: list[Item] = [Words(x=axis.start - 12, y=y, text=shown, size=_LETTERS, anchor=Anchor.END)]
    begin = 0.0
    texts = []
    for part, interval in part_intervals(entry.row).items():
        items += _piece(axis(begin), axis(begin + interval.middle), y, colours[part], spell_ms(interval.middle), entry)
        texts.append(f"{part} {spell_interval(interval)} ms")
        begin += interval.middle
    items += _total(entry, footnotes, axis(begin) + 8, y)
    return Group(tuple(items), "\n".join((told(entry), *texts)))


def _piece(left: float, right: float, y: float, colour: Colour, text: str, entry: Entry) -> list[Item]:
    """A piece of a bar, its milliseconds in it where there is room."""
    box = Box(
        x=left, y=y - _THICK / 2, width=max(right - left, 0.5), height=_THICK, colour=colour,
        is_hollow=bool(entry.doubts),
    )  # fmt: skip
    if text_width(text, 11, is_bold=True) + 6 > right - left:
        return [box]
    ink = Colour.INK if entry.doubts else Colour.PAPER
    label = Words(x=(left + right) / 2, y=y, text=text, size=11, is_bold=True, colour=ink, anchor=Anchor.MIDDLE)
    return [box, label]


def _total(entry: Entry, footnotes: Footnotes, x: float, y: float) -> list[Item]:
    assert entry.interval is not None
    text = spell_interval(entry.interval)
    marks = _marks(entry, footnotes)
    after = x + text_width(text, _LETTERS, is_bold=True) + 4
    return [
        Words(x=x, y=y, text=text, size=_LETTERS, is_bold=True),
        *([Words(x=after, y=y - 2, text=marks, size=11, colour=Colour.DOUBT, is_bold=True)] if marks else []),
    ]
