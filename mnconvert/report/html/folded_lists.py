"""The long lists of a file, operators and ranges, as tables that are folded until they are wanted."""

from collections.abc import Sequence

from mnconvert.quantize.plan import TensorPlan
from mnconvert.report.detail import OperatorRow
from mnconvert.report.html.markup import Markup, element
from mnconvert.report.html.tables import cell, table
from mnconvert.report.names import short_name

__all__ = ["operator_list", "range_list"]


def operator_list(name: str, rows: Sequence[OperatorRow]) -> Markup:
    """Every operator with version, shapes, dtype, work, and the oldest release that has it."""
    head = [
        ("", False), ("operator", True), ("version", False), ("input", True), ("output", True), ("dtype", True),
        ("million MACs", False), ("since", True),
    ]  # fmt: skip
    summary = element("summary", f"{name}: {len(rows)} operators")
    return element("details", summary, table(head, [_operator_row(row) for row in rows]))


def _operator_row(row: OperatorRow) -> Markup:
    return element(
        "tr",
        cell(str(row.index)),
        cell(row.name, is_text=True),
        cell(str(row.version)),
        cell(_shape(row.input_shape), is_text=True),
        cell(_shape(row.output_shape), is_text=True),
        cell(row.dtype or "", is_text=True),
        cell(f"{row.macs / 1e6:,.2f}" if row.macs else ""),
        cell(row.runtime or "unknown", is_text=True),
    )


def range_list(name: str, tensors: Sequence[TensorPlan]) -> Markup:
    """What was decided of every activation: its range, where that is from, and the scale that follows."""
    head = [("tensor", True), ("low", False), ("high", False), ("scale", False), ("zero", False), ("why", True)]
    rows = [
        element(
            "tr",
            cell(short_name(tensor.name), is_text=True, class_="wrapped"),
            cell(f"{tensor.low:.4g}"),
            cell(f"{tensor.high:.4g}"),
            cell(f"{tensor.scale:.4g}"),
            cell(str(tensor.zero_point)),
            cell(f"{tensor.source}: {tensor.why}", is_text=True, class_="wrapped"),
        )
        for tensor in tensors
    ]
    return element("details", element("summary", f"{name}: the ranges of {len(rows)} activations"), table(head, rows))


def _shape(shape: tuple[int, ...] | None) -> str:
    return " × ".join(map(str, shape)) if shape else ""
