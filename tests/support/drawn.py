"""What a picture of mnbench shows, and where: its words with the room they take, its boxes and marks."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from mnbench.drawing.lettering import text_width
from mnbench.drawing.picture import Anchor, Box, Group, Item, Mark, Path, Picture, Words
from mnbench.drawing.placing import Area

__all__ = ["area_of", "boxes", "items_of", "marks", "overlapping_words", "paths", "texts", "words"]

_SHARES = {Anchor.START: 0.0, Anchor.MIDDLE: 0.5, Anchor.END: 1.0}


def items_of(items: Iterable[Item]) -> Iterator[Item]:
    """Every item, those of groups one by one."""
    for item in items:
        if isinstance(item, Group):
            yield from items_of(item.items)
        else:
            yield item


def words(picture: Picture) -> list[Words]:
    return [item for item in items_of(picture.items) if isinstance(item, Words)]


def boxes(picture: Picture) -> list[Box]:
    return [item for item in items_of(picture.items) if isinstance(item, Box)]


def marks(picture: Picture) -> list[Mark]:
    return [item for item in items_of(picture.items) if isinstance(item, Mark)]


def paths(picture: Picture) -> list[Path]:
    return [item for item in items_of(picture.items) if isinstance(item, Path)]


def texts(picture: Picture) -> list[str]:
    return [each.text for each in words(picture)]


def area_of(each: Words) -> Area:
    """The room that letters take: from the top of a capital to the line they stand on."""
    width = text_width(each.text, each.size, is_bold=each.is_bold)
    left = each.x - width * _SHARES[each.anchor]
    return Area(left, each.y - 0.36 * each.size, left + width, each.y + 0.36 * each.size)


def overlapping_words(picture: Picture) -> list[tuple[str, str]]:
    """Pairs of texts that lie on one another."""
    placed = [(each.text, area_of(each)) for each in words(picture)]
    return [(a, b) for (a, area), (b, other) in combinations(placed, 2) if area.overlaps(other)]
