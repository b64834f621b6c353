"""One measure of several variants as horizontal bars, each with its value beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnconvert.report.html.axes import Scale
from mnconvert.report.html.markup import Markup, element, translated

__all__ = ["Bar", "bar_chart"]

_WIDTH, _ROW, _THICK = 420.0, 26.0, 14.0
_MIDDLE = _ROW / 2
_LABELS, _VALUES = 118.0, 96.0  # pixels kept free on the left and on the right
_OUTLIER = 6.0  # times the next one: a bar so long would leave nothing to see of the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """``value`` None: not known, or not made; ``spelled`` stands beside it, ``error`` is drawn to both sides.

    ``kind`` is the colour's class in the page's style.
    """

    label: str
    value: float | None
    spelled: str
    kind: str
    error: float = 0.0


def bar_chart(title: str, bars: Sequence[Bar]) -> Markup:
    """A figure; a bar begins at 0, which negative values lie left of. One that is far longer than all others is cut."""
    scale = _scale(bars)
    rows = [translated(0, index * _ROW, *_row(bar, scale)) for index, bar in enumerate(bars)]
    height = len(bars) * _ROW
    zero = scale(0.0)
    base = element("line", x1=zero, x2=zero, y1=0, y2=height, class_="axis")
    drawing = element("svg", *rows, base, viewBox=f"0 0 {_WIDTH:g} {height:g}", role="img", aria_label=title)
    return element("figure", element("figcaption", title), drawing, class_="bars")


def _scale(bars: Sequence[Bar]) -> Scale:
    ends = [bar.value + side * bar.error for bar in bars if bar.value is not None for side in (-1, 1)]
    low, high = min(0.0, *ends, 0.0), max(0.0, *ends, 0.0)
    longest, *others = sorted({bar.value for bar in bars if bar.value is not None}, reverse=True) or [0.0]
    if others and longest > _OUTLIER * others[0] > 0:
        high = 1.5 * others[0]
    return Scale(low=low, high=high if high > low else low + 1, start=_LABELS, end=_WIDTH - _VALUES)


def _row(bar: Bar, scale: Scale) -> list[Markup]:
    zero = scale(0.0)
    label = element("text", bar.label, x=_LABELS - 10, y=_MIDDLE, class_="label end")
    if bar.value is None:
        return [label, element("text", "–", x=zero + 8, y=_MIDDLE, class_="label")]
    end = scale.inside(bar.value)
    left, right = sorted((zero, end))
    parts = [label, _rectangle(left, max(right - left, 1.0), f"fill {bar.kind}")]
    if bar.value > scale.high:
        parts.append(element("path", d=_cut(right - 24), class_="cut"))
    if bar.error:
        first, last = scale.inside(bar.value - bar.error), scale.inside(bar.value + bar.error)
        parts.append(element("path", d=_whisker(first, last), class_="whisker"))
        right = max(right, last)
    return [*parts, element("text", bar.spelled, x=right + 8, y=_MIDDLE, class_="value")]


def _rectangle(x: float, width: float, class_: str) -> Markup:
    return element("rect", x=x, y=_MIDDLE - _THICK / 2, width=width, height=_THICK, rx=2, class_=class_)


def _cut(x: float) -> str:
    """Two slanted strokes across a bar: it is longer than it is drawn."""
    top, bottom = _MIDDLE - _THICK, _MIDDLE + _THICK
    return "".join(f"M{x + shift - 4:.1f} {bottom:g}L{x + shift + 4:.1f} {top:g}" for shift in (0, 7))


def _whisker(first: float, last: float) -> str:
    ends = "".join(f"M{x:.1f} {_MIDDLE - 4:g}V{_MIDDLE + 4:g}" for x in (first, last))
    return f"{ends}M{first:.1f} {_MIDDLE:g}H{last:.1f}"
