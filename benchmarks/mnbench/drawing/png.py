"""Paints a picture as PNG, by matplotlib: the one module that needs it."""

import io
import warnings
from typing import Any

from mnbench.drawing.palette import BREATH, LIGHT
from mnbench.drawing.picture import Anchor, Box, Colour, Group, Item, Mark, Path, Picture, Segment, Words
from mninfer.cli.output import printable
from mninfer.errors import InputError, MissingDependencyError

__all__ = ["encode_png"]

_PIXELS_PER_INCH = 100.0
_SHARPNESS = 2.0  # pixels of the file to one of the picture
_POINT = 72 / _PIXELS_PER_INCH  # matplotlib's unit of letters and lines, to a pixel
_BASELINE = 0.35
_DASHES = (0, (4, 3))
_MOST_PIXELS = 30_000  # a side: a quarter of a gigabyte while it is painted; Agg itself ends at 2**16
_LEAST_SHARPNESS = 0.5
_ALIGNED = {Anchor.START: "left", Anchor.MIDDLE: "center", Anchor.END: "right"}


def encode_png(picture: Picture) -> bytes:
    """The file; the same bytes for the same picture and version of matplotlib.

    Raises:
        MissingDependencyError: matplotlib isn't installed.
        InputError: the picture is too long for a PNG.
    """
    sharpness = min(_SHARPNESS, _MOST_PIXELS / max(picture.width, picture.height))
    if sharpness < _LEAST_SHARPNESS:
        raise InputError(
            f"the picture would be {picture.height:,.0f} pixels long: more than a PNG can show",
            hints=("--only PATTERN draws some of the rows", "an SVG: -o FILE.svg"),
        )
    figure, axes = _canvas(picture)
    for item in picture.items:
        _paint(item, axes)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks: boxes, no noise
        figure.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH * sharpness, metadata={"Software": None})
    return buffer.getvalue()


def _canvas(picture: Picture) -> tuple[Any, Any]:
    """A figure without pyplot (no window system, no global state), its axes in the picture's pixels, y downwards."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "a PNG is painted by matplotlib, which is not installed",
            hints=("python -m pip install matplotlib", "an SVG, which needs nothing: -o FILE.svg"),
        ) from error
    size = (picture.width / _PIXELS_PER_INCH, picture.height / _PIXELS_PER_INCH)
    figure = Figure(figsize=size, facecolor=LIGHT[Colour.PAPER])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.axis("off")
    return figure, axes


def _paint(item: Item, axes: Any) -> None:
    match item:
        case Group():
            for each in item.items:
                _paint(each, axes)
        case Segment():
            _line(((item.x1, item.y1), (item.x2, item.y2)), item, axes)
        case Path():
            _line(item.points, item, axes)
        case Box():
            _box(item, axes)
        case Mark():
            _mark(item, axes)
        case Words():
            _words(item, axes)


def _line(points: tuple[tuple[float, float], ...], item: Segment | Path, axes: Any) -> None:
    xs, ys = zip(*points, strict=True)
    style = _DASHES if item.is_dashed else "-"
    look = {"color": LIGHT[item.colour], "linewidth": item.width * _POINT, "linestyle": style}
    axes.plot(xs, ys, solid_capstyle="butt", clip_on=False, zorder=2, **look)


def _box(item: Box, axes: Any) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((item.x, item.y), item.width, item.height, **_fill(item)))


def _mark(item: Mark, axes: Any) -> None:
    from matplotlib.patches import Circle, Polygon

    corners = item.corners()
    shape = Polygon(corners, **_fill(item)) if corners else Circle((item.x, item.y), item.size / 2, **_fill(item))
    axes.add_patch(shape)


def _fill(item: Box | Mark) -> dict[str, Any]:
    from matplotlib.colors import to_rgba

    colour = LIGHT[item.colour]
    edge = colour if item.is_hollow else "none"
    face = to_rgba(colour, BREATH if item.is_hollow else 1.0)
    return {"facecolor": face, "edgecolor": edge, "linewidth": 1.5 * _POINT, "zorder": 2, "clip_on": False}


def _words(item: Words, axes: Any) -> None:
    axes.text(
        item.x,
        item.y + _BASELINE * item.size,
        printable(item.text),
        color=LIGHT[item.colour],
        fontsize=item.size * _POINT,
        fontfamily="DejaVu Sans",  # matplotlib brings it along: the same picture everywhere
        fontweight="bold" if item.is_bold else "normal",
        ha=_ALIGNED[item.anchor],
        va="baseline",
        parse_math=False,
        zorder=2,
    )
