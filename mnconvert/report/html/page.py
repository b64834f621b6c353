"""The page: what was converted, the variants side by side, the inside of the integer files. One text comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from mnconvert.quantize.plan import TensorPlan
from mnconvert.report.detail import Detail, OperatorRow, WorstLayer
from mnconvert.report.html.folded_lists import operator_list, range_list
from mnconvert.report.html.histogram_plot import histogram_plot
from mnconvert.report.html.layer_plot import layer_plot
from mnconvert.report.html.markup import Markup, element, joined
from mnconvert.report.html.variants import variant_charts, variant_table
from mnconvert.report.names import short_name
from mnconvert.report.rows import VariantRow

__all__ = ["Page", "render_page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that is shown. ``facts`` are names and values; ``operators`` and ``ranges`` are by variant."""

    title: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[VariantRow, ...]
    notes: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    operators: tuple[tuple[str, tuple[OperatorRow, ...]], ...] = ()
    ranges: tuple[tuple[str, tuple[TensorPlan, ...]], ...] = ()
    foot: str = ""


def render_page(page: Page) -> str:
    """The whole document; it asks for nothing from anywhere."""
    style = Markup(files(__package__).joinpath("page.css").read_text(encoding="utf-8"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", page.title),
        element("style", style),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', element('main', *_body(page))), lang='en')}\n"


def _body(page: Page) -> list[Markup]:
    before = [None, *(name for name, _ in page.facts)]
    facts = [
        joined((element("dt", "" if name == last else name), element("dd", value)))
        for (name, value), last in zip(page.facts, before, strict=False)
    ]
    return [
        element("header", element("h1", page.title), element("dl", *facts, class_="facts")),
        element("h2", "Variants" if len(page.rows) > 1 else "The file"),
        variant_table(page.rows),
        variant_charts(page.rows),
        _notes(page.notes),
        *(_inside(detail) for detail in page.details),
        _lists(page),
        element("footer", page.foot),
    ]


def _notes(notes: Sequence[str]) -> Markup:
    if not notes:
        return Markup()
    return joined((element("h2", "To know"), element("ul", *(element("li", note) for note in notes))))


def _inside(detail: Detail) -> Markup:
    about = (
        f"Each activation of the file against the float network's, on {detail.pictures}. Where a stem is short, "
        "rounding costs most; the numbered ones are looked into below."
    )
    legend = element(
        "p",
        element("span", element("i", class_="swatch area"), "float network"),
        element("span", element("i", class_="swatch outline"), "this file"),
        element("span", element("i", class_="swatch limit"), "what the file can say"),
        class_="legend",
    )
    worst = [] if not detail.worst else [legend, *(_worst(layer) for layer in detail.worst)]
    return joined(
        (element("h2", f"Inside {detail.name}"), element("p", about, class_="soft"), layer_plot(detail.points), *worst)
    )


def _worst(layer: WorstLayer) -> Markup:
    point = layer.point
    title = element("h3", f"{point.rank}. operator {point.index}, {point.operator}, {point.sqnr_db:.1f} dB")
    plots = [histogram_plot(layer.activations), *([histogram_plot(layer.weights)] if layer.weights else [])]
    name = element("p", short_name(point.name), class_="soft", title=point.name)
    return element("section", title, name, element("div", *plots, class_="pair"), class_="worst")


def _lists(page: Page) -> Markup:
    lists = [
        *(range_list(name, tensors) for name, tensors in page.ranges),
        *(operator_list(name, rows) for name, rows in page.operators),
    ]
    return joined((element("h2", "Operators and ranges"), *lists)) if lists else Markup()
