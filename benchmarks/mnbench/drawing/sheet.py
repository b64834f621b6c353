"""A picture's frame: blocks under each other below a heading, a legend above them, doubts spelled out at the foot."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnbench.drawing.lettering import shortened, text_width, wrapped
from mnbench.drawing.picture import Box, Colour, Item, Mark, Picture, Segment, Shape, Words, moved
from mnbench.showing.table import Note

__all__ = ["SIDE", "WIDTH", "Block", "Key", "beside", "foot", "legend", "lines_of_text", "sheet"]

WIDTH = 1000.0
SIDE = 20.0  # left free on either side
_TOP, _BOTTOM = 18.0, 16.0
_TITLE, _SUBTITLE, _LEGEND, _FOOT = 17.0, 12.5, 12.0, 11.5
_SWATCH = 12.0


@dataclass(frozen=True, slots=True)
class Block:
    """Items from 0 down to ``height``, as wide as the sheet unless they stand beside others."""

    items: tuple[Item, ...]
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An entry of a legend: a mark of that shape, a line, or a box where ``shape`` is None."""

    text: str
    colour: Colour
    shape: Shape | None = None
    is_line: bool = False
    is_hollow: bool = False
    is_dashed: bool = False


def sheet(title: str, about: str, blocks: Sequence[Block]) -> Picture:
    """The blocks under each other below what the picture shows, and what holds of everything in it."""
    head = _heading(title, about)
    items: list[Item] = [moved(item, 0.0, _TOP) for item in head.items]
    top = _TOP + head.height
    for block in blocks:
        items += [moved(item, 0.0, top) for item in block.items]
        top += block.height
    return Picture(
        title=title, about=about, head=_TOP + head.height, width=WIDTH, height=round(top + _BOTTOM), items=tuple(items)
    )


def _heading(title: str, about: str) -> Block:
    shown = shortened(title, WIDTH - 2 * SIDE, _TITLE, is_bold=True)
    items: list[Item] = [Words(x=SIDE, y=_TITLE / 2, text=shown, size=_TITLE, is_bold=True)]
    below = lines_of_text((about,), size=_SUBTITLE)
    items += [moved(item, 0.0, _TITLE + 7) for item in below.items]
    return Block(tuple(items), _TITLE + 7 + below.height + 6)


def lines_of_text(texts: Sequence[str], *, size: float = _FOOT, width: float = WIDTH - 2 * SIDE) -> Block:
    """Soft lines, broken where they are longer than the sheet is wide."""
    pitch = size * 1.45
    lines = [line for text in texts for line in wrapped(text, width, size)]
    words = [
        Words(x=SIDE, y=pitch * (place + 0.5), text=line, size=size, colour=Colour.SOFT)
        for place, line in enumerate(lines)
    ]
    return Block(tuple(words), pitch * len(lines))


def foot(notes: Sequence[Note]) -> Block:
    """What the marks stand for, each before its text."""
    items: list[Item] = []
    top = 10.0
    for note in notes:
        indent = 9.0 + text_width(note.mark, _FOOT, is_bold=True) if note.mark else 0.0
        block = lines_of_text((note.text,), width=WIDTH - 2 * SIDE - indent)
        items += [moved(item, indent, top) for item in block.items]
        if note.mark:
            mark = Words(x=SIDE, y=top + 7, text=note.mark, size=_FOOT, colour=Colour.DOUBT, is_bold=True)
            items.append(mark)
        top += block.height
    return Block(tuple(items), top if items else 0.0)


def legend(keys: Sequence[Key]) -> Block:
    """The keys in a row, or in several; none where there is only one."""
    if len(keys) < 2:
        return Block((), 4.0)
    items: list[Item] = []
    x, y = SIDE, 10.0
    for key in keys:
        width = _SWATCH + 7 + text_width(key.text, _LEGEND)
        if x > SIDE and x + width > WIDTH - SIDE:
            x, y = SIDE, y + 20.0
        items += [_swatch(key, x, y), Words(x=x + _SWATCH + 7, y=y, text=key.text, size=_LEGEND, colour=Colour.SOFT)]
        x += width + 18
    return Block(tuple(items), y + 18.0)


def _swatch(key: Key, x: float, y: float) -> Item:
    middle = x + _SWATCH / 2
    if key.is_line:
        return Segment(x1=x - 2, x2=x + _SWATCH + 2, y1=y, y2=y, colour=key.colour, width=2.0, is_dashed=key.is_dashed)
    if key.shape:
        return Mark(x=middle, y=y, shape=key.shape, colour=key.colour, is_hollow=key.is_hollow)
    return Box(x=x, y=y - 5, width=_SWATCH, height=10, colour=key.colour, is_hollow=key.is_hollow)


def beside(blocks: Sequence[Block], width: float, *, gap: float = 0.0) -> Block:
    """Blocks of one width in rows of as many as the sheet has room for."""
    columns = max(1, int((WIDTH - 2 * SIDE + gap) // (width + gap)))
    items: list[Item] = []
    top = 0.0
    for first in range(0, len(blocks), columns):
        line = blocks[first : first + columns]
        for place, block in enumerate(line):
            items += [moved(item, SIDE + place * (width + gap), top) for item in block.items]
        top += max(block.height for block in line)
    return Block(tuple(items), top)
