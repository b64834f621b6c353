"""Axes as items: grid lines, round numbers and what they count."""

from mnbench.drawing.axis import Axis
from mnbench.drawing.picture import Anchor, Colour, Item, Segment, Words

__all__ = ["axis_numbers", "grid_across", "spell_tick", "upright_axis"]

_SIZE = 11.0


def spell_tick(value: float) -> str:
    """A round number, with commas between thousands."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def grid_across(axis: Axis, top: float, bottom: float) -> list[Item]:
    """Upright lines at an axis's round numbers."""
    return [Segment(x1=axis(tick), x2=axis(tick), y1=top, y2=bottom, colour=_line(tick, axis)) for tick in axis.ticks]


def axis_numbers(axis: Axis, y: float, unit: str) -> list[Item]:
    """The round numbers below an axis that runs across, the unit behind the last."""
    items: list[Item] = []
    for tick in axis.ticks:
        shown = f"{spell_tick(tick)} {unit}" if tick == axis.ticks[-1] else spell_tick(tick)
        words = Words(x=axis(tick), y=y + 11, text=shown, size=_SIZE, colour=Colour.SOFT, anchor=Anchor.MIDDLE)
        items.append(words)
    return items


def upright_axis(axis: Axis, left: float, right: float, unit: str) -> list[Item]:
    """Level grid lines from ``left`` to ``right`` and their numbers on the left, the unit above them."""
    items: list[Item] = []
    for tick in axis.ticks:
        y = axis(tick)
        items.append(Segment(x1=left, x2=right, y1=y, y2=y, colour=_line(tick, axis)))
        items.append(Words(x=left - 8, y=y, text=spell_tick(tick), size=_SIZE, colour=Colour.SOFT, anchor=Anchor.END))
    top = min(axis.start, axis.end)
    items.append(Words(x=left - 8, y=top - 16, text=unit, size=_SIZE, colour=Colour.SOFT, anchor=Anchor.END))
    return items


def _line(tick: float, axis: Axis) -> Colour:
    """The end that others are measured from is darker: 0, where the axis has it."""
    return Colour.AXIS if tick == 0 and not axis.is_log else Colour.GRID
