"""A quantization plan in words: every activation with its range, where that is from, and every layer's weights."""

from collections.abc import Sequence

from mnconvert.quantize.plan import QuantPlan, TensorPlan, WeightPlan
from mnconvert.report.names import short_name

__all__ = ["explain"]

_LONGEST_NAME = 48


def explain(plan: QuantPlan) -> str:
    """Two tables, then what stays float."""
    lines = ["activations", *_aligned(_ACTIVATIONS, [_activation(tensor) for tensor in plan.tensors])]
    lines += ["", "weights", *_aligned(_WEIGHTS, [_weights(weights) for weights in plan.weights])]
    if plan.kept_float:
        lines += ["", f"operators that stay float: {', '.join(map(str, plan.kept_float))}"]
    return "\n".join(lines)


# A heading for each column; what begins with < is text.
_ACTIVATIONS = ("<tensor", "low", "high", "scale", "zero", "<dtype", "<range from", "<why")
_WEIGHTS = ("<layer", "<shape", "<scales", "flipped", "bias moved by", "<")


def _activation(tensor: TensorPlan) -> list[str]:
    return [
        _short(tensor.name),
        f"{tensor.low:.4g}",
        f"{tensor.high:.4g}",
        f"{tensor.scale:.5g}",
        str(tensor.zero_point),
        tensor.dtype,
        str(tensor.source),
        tensor.why,
    ]


def _weights(weights: WeightPlan) -> list[str]:
    low, high = float(weights.scales.min()), float(weights.scales.max())
    scales = f"{weights.scales.size}, {low:.3g} to {high:.3g}" if weights.scales.size > 1 else f"one, {low:.3g}"
    share = 100 * weights.num_flipped / max(1, weights.values.size)
    shape = "×".join(map(str, weights.values.shape))
    return [_short(weights.name), shape, scales, f"{share:.1f} %", f"{weights.bias_shift:.2f}", "std of its output"]


def _aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [[head.removeprefix("<") for head in heads], *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if head.startswith("<") else cell.rjust(width)
            for head, cell, width in zip(heads, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _short(name: str) -> str:
    """The end of a name that is still long: TensorFlow's begin alike."""
    name = short_name(name)
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
