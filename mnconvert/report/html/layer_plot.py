"""How far each activation of an integer file is from the float network's, in the network's order."""

from collections.abc import Sequence

from mnconvert.report.detail import LayerPoint
from mnconvert.report.html.axes import Scale, round_ticks
from mnconvert.report.html.markup import Markup, element, joined
from mnconvert.report.names import short_name

__all__ = ["layer_plot"]

_WIDTH, _HEIGHT = 960.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 14.0, 14.0, 40.0
_KINDS = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "dense"}
_NAMED = {"conv": "convolution", "depthwise": "depthwise", "dense": "dense", "other": "other operators"}


def layer_plot(points: Sequence[LayerPoint]) -> Markup:
    """A figure with a stem to each activation, a legend, and numbers on the worst, which the page looks into below."""
    values = [point.sqnr_db for point in points]
    ticks = round_ticks(min(0.0, *values), max(values), 7)
    y = Scale(low=ticks[0], high=ticks[-1], start=_HEIGHT - _BOTTOM, end=_TOP)
    x = Scale(low=-0.5, high=len(points) - 0.5, start=_LEFT, end=_WIDTH - _RIGHT)
    stems = [_stem(point, x(place), y) for place, point in enumerate(points)]
    drawing = element(
        "svg",
        *(_grid_line(tick, y) for tick in ticks),
        element("text", "dB", x=_LEFT - 8, y=_HEIGHT - _BOTTOM + 18, class_="label end"),
        *_numbers(points, x),
        *stems,
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label="Signal-to-error ratio of every activation, in the network's order",
    )
    caption = element(
        "figcaption", "Signal-to-error ratio of every activation, in the network's order; higher is better"
    )
    return element("figure", caption, _legend(points), element("div", drawing, class_="scrolled"), class_="plot")


def _kind(point: LayerPoint) -> str:
    """Its colour's class."""
    return _KINDS.get(point.operator, "other")


def _grid_line(tick: float, y: Scale) -> Markup:
    at = y(tick)
    return joined(
        (
            element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=at, y2=at, class_="grid" if tick else "axis"),
            element("text", f"{tick:g}", x=_LEFT - 8, y=at, class_="label end"),
        )
    )


def _numbers(points: Sequence[LayerPoint], x: Scale) -> list[Markup]:
    """Operators' numbers under the plot: as many as fit."""
    step = max(1, round(len(points) / 16))
    return [
        element("text", str(points[place].index), x=x(place), y=_HEIGHT - _BOTTOM + 18, class_="label middle")
        for place in range(0, len(points), step)
    ] + [element("text", "operator", x=(_LEFT + _WIDTH) / 2, y=_HEIGHT - 8, class_="label middle")]


def _stem(point: LayerPoint, x: float, y: Scale) -> Markup:
    at = y(point.sqnr_db)
    title = element("title", f"{point.index} {point.operator}: {point.sqnr_db:.1f} dB\n{short_name(point.name)}")
    parts = [
        title,
        element("line", x1=x, x2=x, y1=y(0.0), y2=at, class_=f"stem {_kind(point)}"),
        element("circle", cx=x, cy=at, r=5.5 if point.rank else 3.5, class_=f"fill {_kind(point)}"),
        element("rect", x=x - 6, y=_TOP, width=12, height=_HEIGHT - _TOP - _BOTTOM, class_="touch"),
    ]
    if point.rank:
        parts.append(element("text", str(point.rank), x=x, y=at - 14, class_="value middle"))
    return element("g", *parts)


def _legend(points: Sequence[LayerPoint]) -> Markup:
    present = {_kind(point) for point in points}
    items = [
        element("span", element("i", class_=f"swatch {kind}"), name) for kind, name in _NAMED.items() if kind in present
    ]
    return element("p", *items, class_="legend")
