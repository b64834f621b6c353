"""In which numbers a file computes, counted in multiply-adds: an "int8" file that is float in disguise shows here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mninfer.model_file import Graph, Operator, Tensor, macs_by_operator

__all__ = ["Census", "Numbers", "OperatorNumbers", "census", "percent"]

_ROLES = {"TRANSPOSE_CONV": (2, 1)}  # (activation, weights) among the inputs; (0, 1) for all others
_EIGHT_BITS = ("int8", "uint8", "int4")
_MOST_NAMED = 4


class Numbers(StrEnum):
    """What an operator multiplies: activations and weights."""

    INT8 = "int8"  # both in 8 bits (weights in 4, too)
    INT16X8 = "int16x8"
    DYNAMIC = "dynamic"  # weights in 8 bits; activations float, quantized anew for every picture
    FLOAT16 = "float16 weights"  # stored so, and computed in float32
    FLOAT = "float"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNumbers:
    """One operator that multiplies. ``name`` is its output's; ``is_kept``: it was asked to stay float."""

    index: int
    operator: str
    name: str
    numbers: Numbers
    macs: int
    is_kept: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "operator": self.operator,
            "name": self.name,
            "numbers": str(self.numbers),
            "macs": self.macs,
            "is_kept": self.is_kept,
        }


@dataclass(frozen=True, slots=True)
class Census:
    """Every operator with multiply-adds, in the graph's order."""

    operators: tuple[OperatorNumbers, ...]

    @property
    def macs(self) -> Mapping[Numbers, int]:
        """Multiply-adds of each kind that occurs."""
        counts = dict.fromkeys(Numbers, 0)
        for operator in self.operators:
            counts[operator.numbers] += operator.macs
        return {numbers: count for numbers, count in counts.items() if count}

    @property
    def num_macs(self) -> int:
        return sum(operator.macs for operator in self.operators)

    def share(self, numbers: Numbers) -> float:
        """Of all multiply-adds, how many are of this kind, 0 to 1; 1 where there are none."""
        return self.macs.get(numbers, 0) / self.num_macs if self.num_macs else 1.0

    def share_asked_for(self, numbers: Numbers) -> float:
        """The same of those that weren't asked to stay float."""
        return Census(tuple(operator for operator in self.operators if not operator.is_kept)).share(numbers)

    def others(self, numbers: Numbers) -> tuple[OperatorNumbers, ...]:
        """The operators that are of another kind without having been asked to, the largest first."""
        others = (o for o in self.operators if o.numbers is not numbers and not o.is_kept)
        return tuple(sorted(others, key=lambda operator: -operator.macs))

    def __str__(self) -> str:
        """As ``99.8 % of MACs int8, 0.2 % float``."""
        if not self.num_macs:
            return "no multiply-adds"
        first, *rest = sorted(self.macs, key=lambda numbers: -self.macs[numbers])
        return ", ".join([f"{percent(self.share(first))} of MACs {first}", *map(self._part, rest)])

    def _part(self, numbers: Numbers) -> str:
        return f"{percent(self.share(numbers))} {numbers}"

    def name_others(self, numbers: Numbers) -> str:
        """The largest of ``others`` for a message."""
        others = self.others(numbers)
        named = [f'{other.operator} "{other.name}" ({other.numbers})' for other in others[:_MOST_NAMED]]
        more = len(others) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "macs": {str(numbers): count for numbers, count in self.macs.items()},
            "operators": [operator.to_json() for operator in self.operators],
        }


def census(graph: Graph, *, kept_float: Collection[str] = ()) -> Census:
    """Count ``graph``; ``kept_float`` names the tensors whose operators were asked to stay float."""
    widened = _widened(graph)
    return Census(
        tuple(
            OperatorNumbers(
                index=operator.index,
                operator=operator.name,
                name=graph.tensors[operator.outputs[0]].name,
                numbers=_numbers(operator, graph, widened),
                macs=macs,
                is_kept=graph.tensors[operator.outputs[0]].name in kept_float,
            )
            for operator, macs in zip(graph.operators, macs_by_operator(graph), strict=True)
            if macs
        )
    )


def percent(share: float) -> str:
    """A share for people: ``100 %`` is said of all alone."""
    shown = f"{100 * share:.1f}"
    if shown == "100.0":
        shown = "100" if share == 1 else "99.9"
    return f"{shown} %"


def _widened(graph: Graph) -> Mapping[int, Tensor]:
    """Tensors that are a constant's copy in float32, as of weights stored in float16: tensor -> the constant."""
    result = {}
    for operator in graph.operators:
        if operator.name == "DEQUANTIZE" and graph.tensors[operator.inputs[0]].data is not None:
            result[operator.outputs[0]] = graph.tensors[operator.inputs[0]]
    return result


def _numbers(operator: Operator, graph: Graph, widened: Mapping[int, Tensor]) -> Numbers:
    activation, weights = (operator.inputs[position] for position in _ROLES.get(operator.name, (0, 1)))
    computed = graph.tensors[activation].dtype
    if computed == "int16":
        return Numbers.INT16X8
    if computed in _EIGHT_BITS:
        return Numbers.INT8
    if weights in widened:  # computed in float32, whatever the constant is stored in
        return Numbers.FLOAT16 if widened[weights].dtype == "float16" else Numbers.FLOAT
    stored = graph.tensors[weights].dtype
    if stored in _EIGHT_BITS:
        return Numbers.DYNAMIC
    return Numbers.FLOAT16 if stored == "float16" else Numbers.FLOAT
