"""One measure of several variants as horizontal bars, each with its value beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mnconvert.report.html.axes import Scale
from mnconvert.report.html.markup import Markup, element, translated

__all__ = ["Bar", "bar_chart"]

_WIDTH, _ROW, _THICK = 420.0, 26.0, 14.0
_LABELS, _VALUES = 118.0, 78.0  # pixels kept free on the left and on the right


@dataclass(frozen=True, slots=True)
class Bar:
    """``value`` None: not known, or not made. ``kind`` is the colour's class in the page's style."""

    label: str
    value: float | None
    kind: str


def bar_chart(title: str, bars: Sequence[Bar], *, spell: Callable[[float], str]) -> Markup:
    """A figure; a bar begins at 0, which negative values lie left of."""
    known = [bar.value for bar in bars if bar.value is not None]
    scale = Scale(
        low=min(0.0, *known), high=max(1e-12, 0.0, *known), start=_LABELS, end=_WIDTH - _VALUES
    ) if known else Scale(low=0, high=1, start=_LABELS, end=_WIDTH - _VALUES)  # fmt: skip
    rows = [translated(0, index * _ROW, *_row(bar, scale, spell)) for index, bar in enumerate(bars)]
    height = len(bars) * _ROW
    zero = scale(0.0)
    base = element("line", x1=zero, x2=zero, y1=0, y2=height, class_="axis")
    drawing = element("svg", *rows, base, viewBox=f"0 0 {_WIDTH:g} {height:g}", role="img", aria_label=title)
    return element("figure", element("figcaption", title), drawing, class_="bars")


def _row(bar: Bar, scale: Scale, spell: Callable[[float], str]) -> list[Markup]:
    middle = _ROW / 2
    label = element("text", bar.label, x=_LABELS - 10, y=middle, class_="label end")
    if bar.value is None:
        return [label, element("text", "–", x=scale(0.0) + 8, y=middle, class_="label")]
    left, right = sorted((scale(0.0), scale(bar.value)))
    value = element("text", spell(bar.value), x=right + 8, y=middle, class_="value")
    length = max(right - left, 1.0)
    return [
        label,
        element("rect", x=left, y=middle - _THICK / 2, width=length, height=_THICK, rx=2, class_=f"fill {bar.kind}"),
        value,
    ]
