"""One tensor's values as a histogram: the float network's as an area, the file's as an outline, the range marked."""

from collections.abc import Sequence
from math import log10

from mnconvert.report.detail import Histogram
from mnconvert.report.html.axes import Scale, round_ticks
from mnconvert.report.html.markup import Markup, element

__all__ = ["histogram_plot"]

_WIDTH, _HEIGHT = 420.0, 150.0
_TOP, _BOTTOM, _SIDE = 8.0, 22.0, 14.0


def histogram_plot(histogram: Histogram) -> Markup:
    """A figure; heights are logarithmic, since most activations are 0 and the rest is what matters."""
    x = Scale(low=histogram.low, high=histogram.high, start=_SIDE, end=_WIDTH - _SIDE)
    most = max(1, *histogram.float_counts, *histogram.file_counts)
    y = Scale(low=0.0, high=log10(1 + most), start=_HEIGHT - _BOTTOM, end=_TOP)
    drawing = element(
        "svg",
        element("path", d=_outline(histogram.float_counts, x, y, is_closed=True), class_="area"),
        element("path", d=_outline(histogram.file_counts, x, y, is_closed=False), class_="outline"),
        *_limits(histogram, x),
        element("line", x1=_SIDE, x2=_WIDTH - _SIDE, y1=y(0.0), y2=y(0.0), class_="axis"),
        *_ticks(histogram, x),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=histogram.title,
    )
    return element("figure", element("figcaption", histogram.title), drawing, class_="histogram")


def _outline(counts: Sequence[int], x: Scale, y: Scale, *, is_closed: bool) -> str:
    """A path along the tops of the bins, closed along the axis where it is to be filled."""
    width = (x.end - x.start) / len(counts)
    tops = [f"V{y(log10(1 + count)):.1f}H{x.start + width * (place + 1):.1f}" for place, count in enumerate(counts)]
    return f"M{x.start:.1f} {y.start:.1f}{''.join(tops)}" + (f"V{y.start:.1f}Z" if is_closed else "")


def _limits(histogram: Histogram, x: Scale) -> list[Markup]:
    """Where the file's range ends; an end outside the drawing isn't drawn."""
    return [
        element("line", x1=x(end), x2=x(end), y1=_TOP, y2=_HEIGHT - _BOTTOM, class_="limit")
        for end in histogram.limits or ()
        if histogram.low <= end <= histogram.high
    ]


def _ticks(histogram: Histogram, x: Scale) -> list[Markup]:
    return [
        element("text", f"{tick:.4g}", x=x(tick), y=_HEIGHT - 8, class_="label middle")
        for tick in round_ticks(histogram.low, histogram.high, 6)
        if histogram.low <= tick <= histogram.high
    ]
