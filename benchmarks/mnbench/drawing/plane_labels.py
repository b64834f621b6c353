"""Which point is what: names beside the points of a plane, on nothing that is drawn there."""

from collections.abc import Sequence
from itertools import pairwise, takewhile

from mnbench.drawing.entries import Entry
from mnbench.drawing.lettering import text_width
from mnbench.drawing.picture import Colour, Item, Path, Segment, Words
from mnbench.drawing.placing import Area, place_labels
from mnbench.drawing.plane import Plane, percent_of

__all__ = ["label_points"]

_LABEL = 11.0
_MARK, _LETTER = 6.0, 18.0  # how far a mark reaches, and the letter of a doubt above it
_FAR, _NEAR = 64.0, 16.0  # how far off a name may stand: of a point on the front, of another


def label_points(
    named: Sequence[Entry], drawn: Sequence[Entry], front: Sequence[Entry], path: Path, plane: Plane
) -> list[Item]:
    """Names of the entries ``named`` where there is room, those of the ``front`` first and bold.

    ``drawn`` are all points, ``path`` is the front's line. A thin line leads to a name that stands further off.
    """
    ordered = sorted(named, key=lambda entry: entry not in front)
    texts = _names(ordered)
    points = [plane.place(entry) for entry in ordered]
    sizes = [
        (text_width(text, _LABEL, is_bold=entry in front), 14.0) for text, entry in zip(texts, ordered, strict=True)
    ]
    reaches = [_FAR if entry in front else _NEAR for entry in ordered]
    covered = [*_covered(drawn, named, plane), *_along(path)]
    inside = Area(plane.x.start + 2, plane.y.end - 8, plane.x.end + 30, plane.y.start - 4)
    items: list[Item] = []
    areas = place_labels(points, sizes, reaches, inside, covered)
    for area, text, entry, point in zip(areas, texts, ordered, points, strict=True):
        if area:
            middle = (area.top + area.bottom) / 2
            items += _lead(area, point)
            items.append(Words(x=area.left, y=middle, text=text, size=_LABEL, is_bold=entry in front))
    return items


def _names(entries: Sequence[Entry]) -> list[str]:
    """Model and variant, without the words that all models begin with."""
    titles = [entry.model.split() for entry in entries]
    common = sum(1 for _ in takewhile(lambda words: len(set(words)) == 1, zip(*titles, strict=False)))
    return [" ".join([*words[common:], str(entry.cell.variant)]) for words, entry in zip(titles, entries, strict=True)]


def _covered(drawn: Sequence[Entry], named: Sequence[Entry], plane: Plane) -> list[Area]:
    """What marks, the letters above them and whiskers cover."""
    areas = []
    for entry in drawn:
        x, y = plane.place(entry)
        areas.append(Area(x - _MARK, y - (_LETTER if entry.doubts else _MARK), x + _MARK, y + _MARK))
        if entry in named and entry.accuracy:
            error = entry.accuracy.error
            areas.append(Area(x - 1, plane.y(percent_of(entry) + error), x + 1, plane.y(percent_of(entry) - error)))
    return areas


def _along(path: Path) -> list[Area]:
    return [
        Area(min(x, next_x) - 1, min(y, next_y) - 1, max(x, next_x) + 1, max(y, next_y) + 1)
        for (x, y), (next_x, next_y) in pairwise(path.points)
    ]


def _lead(area: Area, point: tuple[float, float]) -> list[Item]:
    x, y = point
    end_x, end_y = min(max(x, area.left), area.right), min(max(y, area.top + 3), area.bottom - 3)
    if abs(end_x - x) + abs(end_y - y) < 18:
        return []
    return [Segment(x1=x, y1=y, x2=end_x, y2=end_y, colour=Colour.AXIS, width=0.8)]
