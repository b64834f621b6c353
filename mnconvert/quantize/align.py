"""A skeleton beside the float graph that it was made from: the same operators in the same order, but for QUANTIZE."""

from dataclasses import dataclass

from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph

__all__ = ["Alignment", "align"]

_RESCALING = frozenset({"QUANTIZE", "DEQUANTIZE"})


@dataclass(frozen=True, slots=True)
class Alignment:
    """``tensors`` and ``operators``: index in the skeleton -> index in the float graph."""

    tensors: dict[int, int]
    operators: dict[int, int]


def align(skeleton: Graph, original: Graph) -> Alignment:
    """Pair the operators one by one, and with them their tensors.

    Raises:
        UnsupportedModelError: the converter has changed more than the numbers.
    """
    working = [operator for operator in skeleton.operators if operator.name not in _RESCALING]
    names = [operator.name for operator in working], [operator.name for operator in original.operators]
    if names[0] != names[1]:
        place = next(
            (i for i, pair in enumerate(zip(*names, strict=False)) if pair[0] != pair[1]), min(map(len, names))
        )
        what = [each[place] if place < len(each) else "its end" for each in names]
        raise UnsupportedModelError(
            f"the converter's integer file differs from its float file at operator {place}: {what[0]} for {what[1]}",
            hints="--quantize dynamic or fp16; and please report the network",
        )
    tensors: dict[int, int] = {}
    for ours, theirs in zip(working, original.operators, strict=True):
        tensors |= {a: b for a, b in zip(ours.inputs, theirs.inputs, strict=False) if a >= 0 and b >= 0}
        tensors |= dict(zip(ours.outputs, theirs.outputs, strict=True))
    for operator in (*reversed(skeleton.operators), *skeleton.operators):  # a rescaling has one tensor on both sides
        if operator.name in _RESCALING:
            before, after = operator.inputs[0], operator.outputs[0]
            if after in tensors:
                tensors.setdefault(before, tensors[after])
            elif before in tensors:
                tensors.setdefault(after, tensors[before])
    pairs = zip(working, original.operators, strict=True)
    return Alignment(tensors, {ours.index: theirs.index for ours, theirs in pairs})
