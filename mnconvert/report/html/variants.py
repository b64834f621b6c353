"""The variants side by side: the table, and a chart for each measure that there is."""

from collections.abc import Callable, Sequence

from mnconvert.report.columns import columns_of, spell_bytes, spell_change, spell_ms
from mnconvert.report.html.bars import Bar, bar_chart
from mnconvert.report.html.markup import Markup, element, joined
from mnconvert.report.html.tables import cell, table
from mnconvert.report.rows import Standing, VariantRow

__all__ = ["variant_charts", "variant_table"]

_WORDS = {Standing.OK: "verified", Standing.FAILED: "failed", Standing.MISSING: "not made"}
_CLASSES = {Standing.OK: "ok", Standing.FAILED: "failed", Standing.MISSING: "missing"}

_Measure = tuple[float, str, float]  # value, spelled, standard error


def _change(row: VariantRow) -> _Measure | None:
    return None if row.change is None else (row.change[0], spell_change(row.change), row.change[1])


def _plain(value: float | None, spell: Callable[[float], str]) -> _Measure | None:
    return None if value is None else (value, spell(value), 0.0)


_CHARTS: tuple[tuple[str, Callable[[VariantRow], _Measure | None]], ...] = (
    ("Size", lambda row: _plain(row.size_bytes, spell_bytes)),
    ("Latency on this machine, median of alternating runs", lambda row: _plain(row.latency_ms, spell_ms)),
    (
        "Agreement of the best class with float",
        lambda row: _plain(row.agreement_percent, lambda value: f"{value:.1f} %"),
    ),
    ("Signal-to-error ratio of the output", lambda row: _plain(row.sqnr_db, lambda value: f"{value:.1f} dB")),
    ("Top-1 less that of the float model, in points, with its standard error", _change),
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
    charts = []
    for title, take in _CHARTS:
        measures = [take(row) for row in rows]
        if sum(measure is not None for measure in measures) > 1:
            charts.append(bar_chart(title, [_bar(*pair) for pair in zip(rows, measures, strict=True)]))
    if not charts:
        return Markup()
    legend = element(
        "p",
        element("span", element("i", class_="swatch integer"), "integer arithmetic"),
        element("span", element("i", class_="swatch float"), "float arithmetic"),
        class_="legend",
    )
    return joined((legend, element("div", *charts, class_="charts")))


def _bar(row: VariantRow, measure: _Measure | None) -> Bar:
    value, spelled, error = measure or (None, "", 0.0)
    return Bar(label=row.name, value=value, spelled=spelled, kind="integer" if row.is_integer else "float", error=error)
