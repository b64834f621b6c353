"""A count as people read it: an aligned table of layers, and the totals in units that fit them."""

from collections.abc import Sequence

from mnmodels.counting.summary import Kind, LayerRow, Summary

__all__ = ["human_bytes", "human_count", "layer_table", "totals"]

_WIDEST_NAME = 44


def human_count(number: int) -> str:
    """A count with three or four digits and its unit.

    >>> human_count(568740352), human_count(4231976), human_count(212)
    ('568.7 M', '4.232 M', '212')
    """
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            value = number / unit
            return f"{value:,.{1 if value >= 100 else 2 if value >= 10 else 3}f} {name}"
    return str(number)


def human_bytes(number: int) -> str:
    """A size in KiB or MiB.

    >>> human_bytes(1605632)
    '1.53 MiB'
    """
    if number < 1024:
        return f"{number} bytes"
    value, unit = (number / 2**10, "KiB") if number < 2**20 else (number / 2**20, "MiB")
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def layer_table(summary: Summary) -> str:
    """A line to each layer: what it is, what it gives, what it holds and what it costs."""
    heads = ("layer" if summary.kind is Kind.KERAS else "operator", "kind", "output", "parameters", "multiply-adds", "")
    rows = [_cells(row, summary.macs) for row in summary.layers]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([_line(heads, widths), rule, *(_line(row, widths) for row in rows), rule])


def _cells(row: LayerRow, all_macs: int) -> tuple[str, ...]:
    name = row.name if len(row.name) <= _WIDEST_NAME else f"…{row.name[1 - _WIDEST_NAME :]}"
    macs = f"{row.macs:,}" if row.is_counted else "unknown"
    share = f"{row.macs / all_macs:.1%}" if row.macs else ""
    return (
        name,
        row.kind,
        " x ".join(map(str, row.output_shape[1:])),
        f"{row.parameters:,}" if row.parameters else "",
        "" if macs == "0" else macs,
        share,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, numbers to the right."""
    padded = [f"{cell:{'<' if column < 3 else '>'}{widths[column]}}" for column, cell in enumerate(cells)]
    return "  ".join(padded).rstrip()


def totals(summary: Summary) -> str:
    """The totals, a line to each."""
    shapes = ", ".join(" x ".join(map(str, shape[1:] if shape[0] == 1 else shape)) for shape in summary.input_shapes)
    rows = [
        ("model", f"{summary.name}  (input {shapes}, {len(summary.layers)} {_layers(summary)})"),
        ("parameters", _parameters_line(summary)),
        ("multiply-adds", _macs_line(summary)),
        ("regrouped", _condensed_line(summary)),
        ("peak memory", _peak_line(summary)),
        ("not counted", ", ".join(f"{row.name} ({row.kind})" for row in summary.uncounted)),
    ]
    return "\n".join(f"{name:14}  {text}" for name, text in rows if text)


def _layers(summary: Summary) -> str:
    return "layers" if summary.kind is Kind.KERAS else "operators"


def _macs_line(summary: Summary) -> str:
    more = "at least " if summary.uncounted else ""
    batch = next((shape[0] for shape in summary.input_shapes if len(shape) > 1 and shape[0] != 1), 1)
    whose = "" if batch == 1 else f", of all {batch} pictures of the file's fixed batch"
    return f"{more}{human_count(summary.macs)}  ({summary.macs:,}), FLOPs {more}{human_count(summary.flops)}{whose}"


def _parameters_line(summary: Summary) -> str:
    text = f"{human_count(summary.parameters)}  ({summary.parameters:,})"
    if summary.trainable is None or summary.trainable == summary.parameters:
        return text
    others = summary.parameters - summary.trainable
    return f"{text}, trainable {human_count(summary.trainable)}  ({summary.trainable:,}), not trained {others:,}"


def _condensed_line(summary: Summary) -> str:
    if summary.condensed_macs is None or summary.condensed_trainable is None:
        return ""
    return (
        f"{human_count(summary.condensed_macs)} multiply-adds, "
        f"{human_count(summary.condensed_trainable)} trainable parameters: what mnmodels regroup makes of it"
    )


def _peak_line(summary: Summary) -> str:
    what = f"float32, at {summary.peak.layer}" if summary.peak.layer else "in the file's own types"
    return f"{human_bytes(summary.peak.size_bytes)} of activations at once  ({what})"
