"""Where a rule is applied: an operator, its constants, and what is believed of its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mnconvert.quantize.constants import Constants
from mnconvert.quantize.plan import Array
from mnconvert.quantize.state import State
from mninfer.model_file import Graph, Operator

__all__ = ["Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """One operator of a float graph."""

    graph: Graph
    operator: Operator
    constants: Constants
    states: Mapping[int, State]

    def is_given(self, place: int) -> bool:
        return place < len(self.operator.inputs) and self.operator.inputs[place] >= 0

    def is_constant(self, place: int) -> bool:
        return self.is_given(place) and self.constants.has(self.operator.inputs[place])

    def state(self, place: int) -> State:
        return self.states[self.operator.inputs[place]]

    def constant(self, place: int) -> Array:
        return self.constants.floats(self.operator.inputs[place])

    def integers(self, place: int) -> tuple[int, ...]:
        return self.constants.integers(self.operator.inputs[place])

    def option(self, name: str, default: Any) -> Any:
        return self.operator.options.get(name, default)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.graph.tensors[self.operator.inputs[0]].shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.graph.tensors[self.operator.outputs[0]].shape

    @property
    def num_outputs(self) -> int:
        return len(self.operator.outputs)
