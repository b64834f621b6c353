"""Follow small integers through the operators that converters compute shapes with.

A file with an open batch takes its shape apart and puts a new one together (SHAPE, STRIDED_SLICE, PACK, RESHAPE). What
comes out is as good as constant once the input's shape is fixed.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod

from mninfer.model_file.rules.cutting import slice_bounds
from mninfer.model_file.rules.site import Shape, Site

__all__ = ["fold"]

MAX_VALUES = 64
Values = tuple[int, ...]


def fold(site: Site, shapes: Sequence[Shape]) -> Values | None:
    """The integers that the operator will compute, None where that isn't known; ``shapes`` are its outputs'."""
    output = site.outputs[0]
    rule = _FOLDS.get(site.operator.name)
    if rule is None or output.dtype not in ("int32", "int64") or prod(shapes[0]) > MAX_VALUES:
        return None
    found = rule(site)
    limit = 1 << (31 if output.dtype == "int32" else 63)
    return found if found is not None and all(-limit <= value < limit for value in found) else None


def _shape(site: Site) -> Values:
    return site.shape(0)


def _same(site: Site) -> Values | None:
    return site.values.get(site.tensor(0).index)


def _joined(site: Site) -> Values | None:
    """Vectors or single values one behind the other."""
    parts = [site.values.get(tensor.index) for tensor in site.inputs if tensor]
    if site.shape(0) not in ((), (len(parts[0] or ()),)) or any(part is None for part in parts):
        return None
    if site.operator.name == "PACK" and site.shape(0) != ():
        return None
    return tuple(value for part in parts for value in part or ())


def _cut(site: Site) -> Values | None:
    found = _same(site)
    if found is None or len(site.shape(0)) != 1:
        return None
    cut = slice_bounds(site, 1)[0]
    return (found[cut.start],) if site.option("shrink_axis_mask") else found[cut]


def _sliced(site: Site) -> Values | None:
    found = _same(site)
    if found is None or len(site.shape(0)) != 1:
        return None
    first, count = site.known(1, "the begin", 1)[0], site.known(2, "the size", 1)[0]
    return found[first:] if count == -1 else found[first : first + count]


def _gathered(site: Site) -> Values | None:
    found = _same(site)
    if found is None or len(site.shape(0)) != 1:
        return None
    return tuple(found[index] for index in site.known(1, "the indices"))


def _calculated(site: Site) -> Values | None:
    left, right = (site.values.get(site.tensor(i).index) for i in range(2))
    if left is None or right is None or site.operator.options.get("fused_activation_function"):
        return None
    if len(left) != len(right):
        left, right = left * (len(right) if len(left) == 1 else 1), right * (len(left) if len(right) == 1 else 1)
    if len(left) != len(right):
        return None
    compute = _ARITHMETIC[site.operator.name]
    return tuple(compute(a, b) for a, b in zip(left, right, strict=True))


_ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {
    "ADD": lambda a, b: a + b,
    "SUB": lambda a, b: a - b,
    "MUL": lambda a, b: a * b,
    "MAXIMUM": max,
    "MINIMUM": min,
}
_FOLDS: Mapping[str, Callable[[Site], Values | None]] = {
    "SHAPE": _shape,
    "RESHAPE": _same,
    "SQUEEZE": _same,
    "EXPAND_DIMS": _same,
    "CAST": _same,
    "PACK": _joined,
    "CONCATENATION": _joined,
    "STRIDED_SLICE": _cut,
    "SLICE": _sliced,
    "GATHER": _gathered,
} | dict.fromkeys(_ARITHMETIC, _calculated)
