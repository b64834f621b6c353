"""A picture as data: shapes and words at places in pixels, colours by their role. ``svg.py`` and ``png.py`` paint it.

One description, so that the file, the page and the dark page show the same; nothing here knows of records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Anchor", "Box", "Colour", "Group", "Item", "Mark", "Path", "Picture", "Segment", "Shape", "Words", "moved"]


class Colour(StrEnum):
    """What a colour is for; ``palette.py`` says which it is. Those of series can be told apart by everybody."""

    PAPER = "paper"
    INK = "ink"
    SOFT = "soft"  # words that are not the point
    GRID = "grid"
    AXIS = "axis"
    DOUBT = "doubt"
    BLUE = "blue"
    SKY = "sky"
    GREEN = "green"
    INDIGO = "indigo"
    ORANGE = "orange"
    RED = "red"
    PINK = "pink"
    GREY = "grey"
    BLACK = "black"  # words on a pale series, by day and by night


class Shape(StrEnum):
    """A mark's."""

    CIRCLE = "circle"
    DIAMOND = "diamond"
    SQUARE = "square"
    TRIANGLE = "triangle"


class Anchor(StrEnum):
    """Which end of a text lies at its place."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


_CORNERS = {
    Shape.DIAMOND: ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
    Shape.SQUARE: ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    Shape.TRIANGLE: ((0.0, -1.15), (1.1, 0.8), (-1.1, 0.8)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: Colour
    width: float = 1.0
    is_dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Straight lines from point to point, in pixels."""

    points: tuple[tuple[float, float], ...]
    colour: Colour
    width: float = 1.5
    is_dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A filled rectangle; ``is_hollow`` leaves its outline and a breath of its colour: a figure with a doubt."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour
    is_hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point of a plot, ``size`` across; hollow as a box is."""

    x: float
    y: float
    shape: Shape
    colour: Colour
    size: float = 9.0
    is_hollow: bool = False

    def corners(self) -> tuple[tuple[float, float], ...]:
        """The places of a shape that has corners, each shape about as large to the eye; none of a circle."""
        half = self.size / 2
        return tuple((self.x + half * x, self.y + half * y) for x, y in _CORNERS.get(self.shape, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A line of text, its middle at ``y``."""

    x: float
    y: float
    text: str
    colour: Colour = Colour.INK
    size: float = 12.0
    anchor: Anchor = Anchor.START
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one thing; ``told`` is shown where a pointer rests on it (SVG)."""

    items: "tuple[Item, ...]"
    told: str


Item = Segment | Path | Box | Mark | Words | Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A finished picture. ``title`` and ``about`` are what its first ``head`` pixels say: a page says it itself."""

    title: str
    about: str
    head: float
    width: float
    height: float
    items: Sequence[Item]


def moved(item: Item, right: float, down: float) -> Item:
    """The same, elsewhere."""
    match item:
        case Group():
            return Group(tuple(moved(each, right, down) for each in item.items), item.told)
        case Segment():
            return replace(item, x1=item.x1 + right, x2=item.x2 + right, y1=item.y1 + down, y2=item.y2 + down)
        case Path():
            return replace(item, points=tuple((x + right, y + down) for x, y in item.points))
        case Box() | Mark() | Words():
            return replace(item, x=item.x + right, y=item.y + down)
