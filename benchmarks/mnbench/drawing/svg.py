"""Paints a picture as SVG: for a page, whose style has the colours, or as a file of its own. Needs no package."""

from collections.abc import Mapping, Sequence

from mnbench.drawing.palette import BREATH, LIGHT, VARIABLES
from mnbench.drawing.picture import Anchor, Box, Colour, Group, Item, Mark, Path, Picture, Segment, Words
from mnbench.drawing.sheet import SIDE
from mnconvert.report.html.markup import Markup, element

__all__ = ["PAGE_MARGIN", "encode_svg", "inline_svg"]

PAGE_MARGIN = 12.0  # as the page's style sheet has it around what scrolls

_Palette = Mapping[Colour, str]
_FONT = "DejaVu Sans, Verdana, system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif"
_BASELINE = 0.35  # of the size: from the middle of the letters down to the line they stand on
_DASHES = "4 3"


def inline_svg(picture: Picture) -> Markup:
    """An element for a page that declares the palette's variables.

    Without the head, which the page says itself, and with ``PAGE_MARGIN`` on the left of what begins furthest left.
    """
    return _drawn(picture, VARIABLES, picture.items, (SIDE - PAGE_MARGIN, picture.head))


def encode_svg(picture: Picture) -> bytes:
    """A file: its own light paper, font and colours; the same bytes for the same picture."""
    paper = Box(x=0, y=0, width=picture.width, height=picture.height, colour=Colour.PAPER)
    markup = _drawn(
        picture,
        LIGHT,
        (paper, *picture.items),
        xmlns="http://www.w3.org/2000/svg",
        width=picture.width,
        height=picture.height,
        font_family=_FONT,
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{markup}\n'.encode("utf-8", "backslashreplace")


def _drawn(
    picture: Picture,
    colours: _Palette,
    items: Sequence[Item],
    corner: tuple[float, float] = (0.0, 0.0),
    **attributes: object,
) -> Markup:
    """What is right of ``corner`` and below it; words that lie higher are left out."""
    left, top = corner
    seen = [_item(item, colours) for item in items if not (isinstance(item, Words) and item.y < top)]
    box = f"{left:g} {top:g} {picture.width - left:g} {picture.height - top:g}"
    return element("svg", *seen, viewBox=box, role="img", aria_label=picture.title, **attributes)


def _item(item: Item, colours: _Palette) -> Markup:
    match item:
        case Group():
            return element("g", element("title", item.told), *(_item(each, colours) for each in item.items))
        case Segment():
            return element("line", x1=item.x1, y1=item.y1, x2=item.x2, y2=item.y2, **_stroke(item, colours))
        case Path():
            way = "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(item.points))
            return element("path", d=way, fill="none", stroke_linejoin="round", **_stroke(item, colours))
        case Box():
            look = _fill(item, colours)
            return element("rect", x=item.x, y=item.y, width=item.width, height=item.height, **look)
        case Mark():
            return _mark(item, colours)
        case Words():
            return _words(item, colours)


def _stroke(item: Segment | Path, colours: _Palette) -> dict[str, object]:
    return {
        "stroke": colours[item.colour],
        "stroke_width": item.width,
        "stroke_dasharray": _DASHES if item.is_dashed else None,
    }


def _fill(item: Box | Mark, colours: _Palette) -> dict[str, object]:
    colour = colours[item.colour]
    if not item.is_hollow:
        return {"fill": colour}
    return {"fill": colour, "fill_opacity": BREATH, "stroke": colour, "stroke_width": 1.5}


def _mark(item: Mark, colours: _Palette) -> Markup:
    corners = item.corners()
    if not corners:
        return element("circle", cx=item.x, cy=item.y, r=item.size / 2, **_fill(item, colours))
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    return element("path", d=f"M{way}Z", **_fill(item, colours))


def _words(item: Words, colours: _Palette) -> Markup:
    return element(
        "text",
        item.text,
        x=item.x,
        y=item.y + _BASELINE * item.size,
        fill=colours[item.colour],
        font_size=item.size,
        font_weight="600" if item.is_bold else None,
        text_anchor=None if item.anchor is Anchor.START else str(item.anchor),
    )
