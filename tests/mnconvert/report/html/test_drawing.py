"""Scales, ticks, markup and the plots that are made of them."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnconvert.report.detail import Histogram, LayerPoint
from mnconvert.report.html.axes import Scale, round_ticks
from mnconvert.report.html.bars import Bar, bar_chart
from mnconvert.report.html.histogram_plot import histogram_plot
from mnconvert.report.html.layer_plot import layer_plot
from mnconvert.report.html.markup import Markup, element, joined

pytestmark = pytest.mark.smoke


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6), most=st.integers(3, 12))
def test_ticks_are_even_few_and_reach_both_ends(low: float, width: float, most: int) -> None:
    ticks = round_ticks(low, low + width, most)
    assert 2 <= len(ticks) <= most + 1
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * step
    assert ticks[-1] >= low + width - 1e-6 * step
    assert all(abs((b - a) / step - 1) < 1e-6 for a, b in pairwise(ticks))


def test_ticks_are_round() -> None:
    assert round_ticks(0, 52.3, 7) == (0, 20, 40, 60)
    assert round_ticks(-3, 3, 6) == (-4, -2, 0, 2, 4)
    assert round_ticks(5, 5, 5)[0] <= 5 <= round_ticks(5, 5, 5)[-1]


def test_a_scale_has_its_ends_where_they_belong() -> None:
    scale = Scale(low=10, high=20, start=100, end=0)
    assert (scale(10), scale(15), scale(20)) == (100, 50, 0)
    assert scale.inside(99) == 0


def test_text_is_escaped_and_markup_is_not() -> None:
    made = element("p", 'a < "b" & c', element("b", "d"), class_="x", stroke_width=2, title=None)
    assert made == '<p class="x" stroke-width="2">a &lt; &quot;b&quot; &amp; c<b>d</b></p>'
    assert joined(("<", Markup("<br/>"))) == "&lt;<br/>"
    assert element("rect", x=1.23456, width=3.0, class_='"') == '<rect x="1.2" width="3" class="&quot;"/>'


def widths(markup: str) -> list[float]:
    return [float(width) for width in re.findall(r'<rect[^>]*width="([\d.]+)"', markup)]


def bar(value: float | None, error: float = 0.0) -> Bar:
    return Bar(label="a", value=value, spelled=str(value), kind="integer", error=error)


def test_bars_are_as_long_as_their_values() -> None:
    chart = bar_chart("t", [bar(4.0), bar(2.0), bar(None)])
    long, short = widths(chart)
    assert long == pytest.approx(2 * short, abs=0.1)
    assert chart.count(">–<") == 1


def test_bars_below_zero_lie_left_of_it() -> None:
    chart = bar_chart("t", [bar(-1.0), bar(1.0)])
    (zero,) = {float(x) for x in re.findall(r'<line x1="([\d.]+)"', chart)}
    left, right = (float(x) for x in re.findall(r'<rect x="([\d.]+)"', chart))
    assert left < zero == right


def test_nothing_known_is_drawn_as_nothing() -> None:
    assert widths(bar_chart("t", [bar(None)])) == []


def test_one_bar_that_is_far_longer_is_cut_so_that_the_others_show() -> None:
    chart = bar_chart("t", [bar(1.0), bar(0.5), bar(60.0)])
    first, second, cut = widths(chart)
    assert first == pytest.approx(2 * second, abs=0.1)
    assert cut == pytest.approx(1.5 * first, abs=0.1)
    assert chart.count('class="cut"') == 1
    assert 'class="cut"' not in bar_chart("t", [bar(1.0), bar(5.0)])


def test_a_standard_error_goes_to_both_sides_of_the_end() -> None:
    chart = bar_chart("t", [bar(-2.0, error=1.0), bar(1.0, error=0.0)])
    (whisker,) = re.findall(r'<path d="([^"]+)" class="whisker"', chart)
    first, last = (float(x) for x in re.findall(r"M([\d.]+) [\d.]+V", whisker))
    end = min(float(x) for x in re.findall(r'<rect x="([\d.]+)"', chart))
    assert (first + last) / 2 == pytest.approx(end, abs=0.1)
    assert first < end < last


def test_the_worst_layers_have_their_numbers_and_every_layer_a_stem() -> None:
    points = [
        LayerPoint(index=place, operator=name, name=f"<{place}>", sqnr_db=20.0 - 30 * place, rank=1 if place else None)
        for place, name in enumerate(("CONV_2D", "ADD"))
    ]
    plot = layer_plot(points)
    assert plot.count("<circle") == 2
    assert ">1</text>" in plot
    assert "&lt;0&gt;" in plot
    heights = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', plot)]
    assert heights[0] < heights[1]  # -10 dB is lower down than 20 dB


def test_a_histogram_marks_the_ends_that_it_shows() -> None:
    def drawn(limits: tuple[float, float] | None) -> str:
        counts = (0, 10, 100, 1)
        return histogram_plot(
            Histogram(title="t", low=0, high=4, float_counts=counts, file_counts=counts, limits=limits)
        )

    assert drawn((1, 3)).count('class="limit"') == 2
    assert drawn((0, 9)).count('class="limit"') == 1
    assert drawn(None).count('class="limit"') == 0
    tops = re.search(r'<path d="([^"]+)" class="outline"', drawn(None))
    assert tops is not None
    heights = [float(y) for y in re.findall(r"V([\d.]+)", tops[1])]
    assert heights[0] > heights[3] > heights[1] > heights[2]  # pixels grow downwards
