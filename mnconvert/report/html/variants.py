"""The variants side by side: the table, and a chart for each measure that there is."""

from collections.abc import Callable, Sequence
from typing import Any

from mnconvert.report.columns import columns_of, spell_bytes, spell_ms
from mnconvert.report.html.bars import Bar, bar_chart
from mnconvert.report.html.markup import Markup, element, joined
from mnconvert.report.html.tables import cell, table
from mnconvert.report.rows import Standing, VariantRow

__all__ = ["variant_charts", "variant_table"]

_WORDS = {Standing.OK: "verified", Standing.FAILED: "failed", Standing.MISSING: "not made"}
_CLASSES = {Standing.OK: "ok", Standing.FAILED: "failed", Standing.MISSING: "missing"}

_CHARTS: tuple[tuple[str, Callable[[VariantRow], Any], Callable[[float], str]], ...] = (
    ("Size", lambda row: row.size_bytes, spell_bytes),
    ("Latency on this machine, median of alternating runs", lambda row: row.latency_ms, spell_ms),
    ("Agreement of the best class with float", lambda row: row.agreement_percent, lambda value: f"{value:.1f} %"),
    ("Signal-to-error ratio of the output", lambda row: row.sqnr_db, lambda value: f"{value:.1f} dB"),
    ("Top-1", lambda row: row.top1_percent, lambda value: f"{value:.2f} %"),
)


def variant_table(rows: Sequence[VariantRow]) -> Markup:
    """A row to a variant, and below it why it is not there, where it isn't."""
    columns = columns_of(rows)
    head = [("variant", True), *((column.head, column.is_text) for column in columns), ("", True)]
    body = []
    for row in rows:
        mark = element("span", _WORDS[row.standing], class_=f"mark {_CLASSES[row.standing]}")
        cells = [cell(column.spell(row) or "–", is_text=column.is_text) for column in columns]
        body.append(element("tr", _name(row), *cells, cell(mark, is_text=True), class_=_CLASSES[row.standing]))
        if row.reason:
            reason = element("td", row.reason, class_="reason", colspan=len(head))
            body.append(element("tr", reason))
    return table(head, body)


def _name(row: VariantRow) -> Markup:
    file = element("small", row.file) if row.file else Markup()
    return cell(element("strong", row.name), *([element("br"), file] if file else []), is_text=True)


def variant_charts(rows: Sequence[VariantRow]) -> Markup:
    """Small multiples, each with all variants in the same order; a measure of fewer than two has no chart."""
    charts = [
        bar_chart(
            title, [Bar(row.name, take(row), "integer" if row.is_integer else "float") for row in rows], spell=spell
        )
        for title, take, spell in _CHARTS
        if sum(take(row) is not None for row in rows) > 1
    ]
    if not charts:
        return Markup()
    legend = element(
        "p",
        element("span", element("i", class_="swatch integer"), "integer arithmetic"),
        element("span", element("i", class_="swatch float"), "float arithmetic"),
        class_="legend",
    )
    return joined((legend, element("div", *charts, class_="charts")))
