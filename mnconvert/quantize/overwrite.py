"""A plan's numbers into a skeleton: scales, zero points, weights, biases. It decides nothing and moves no operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.quantize.align import Alignment, align
from mnconvert.quantize.constants import Constants
from mnconvert.quantize.filters import FILTERS
from mnconvert.quantize.plan import QuantPlan, TensorPlan, WeightPlan
from mnconvert.quantize.sharing import bound_constants
from mninfer.model_file import Graph, Table, check_model, decode_model, encode_model

__all__ = ["overwrite"]

_UINT8_SHIFT = 128  # uint8 and int8 numbers of one scale
_INTEGERS = ("int8", "uint8", "int16")


def overwrite(skeleton: bytes, original: Graph, plan: QuantPlan) -> bytes:
    """The integer file. ``original`` is the float graph that the plan's indices count in.

    Raises:
        UnsupportedModelError: the skeleton's operators are not the float graph's.
    """
    graph = check_model(skeleton)
    writing = _Writing(graph, align(graph, original), decode_model(skeleton))
    for tensor in plan.tensors:
        writing.activation(tensor)
    by_operator = {weight.operator: weight for weight in plan.weights}
    for ours, theirs in writing.alignment.operators.items():
        if theirs in by_operator:
            writing.weights(ours, by_operator[theirs])
    writing.constants(plan, original)
    writing.drop_unread_buffers()
    return encode_model(writing.root)


@dataclass(frozen=True, slots=True)
class _Writing:
    graph: Graph
    alignment: Alignment
    root: Table

    @property
    def tensors(self) -> list[Table]:
        return self.root["subgraphs"][0]["tensors"]  # type: ignore[no-any-return]

    def activation(self, plan: TensorPlan) -> None:
        for ours, theirs in self.alignment.tensors.items():
            tensor = self.graph.tensors[ours]
            if theirs == plan.index and tensor.dtype in _INTEGERS and tensor.data is None:
                zero_point = plan.zero_point + (_UINT8_SHIFT if tensor.dtype == "uint8" else 0)
                self.quantize(ours, [plan.scale], [zero_point], 0)

    def weights(self, operator: int, plan: WeightPlan) -> None:
        inputs = self.graph.operators[operator].inputs
        filter_ = FILTERS[self.graph.operators[operator].name]
        self.put(inputs[filter_.weights], plan.values, plan.scales, plan.axis)
        if plan.bias is not None:
            self.put(inputs[filter_.bias], plan.bias, plan.bias_scales, 0)

    def constants(self, plan: QuantPlan, original: Graph) -> None:
        """Those that are compared with activations, or joined to them, get the scale of these.

        Others, as a MUL's or an ADD's, keep the converter's numbers: they are its own range's best.
        """
        planned = {tensor.index: tensor for tensor in plan.tensors}
        floats = Constants(original)
        ours = {theirs: mine for mine, theirs in self.alignment.operators.items()}
        for operator, place in bound_constants(original):
            if (tensor := planned.get(operator.outputs[0])) is not None:
                self.constant(ours[operator.index], place, floats.floats(operator.inputs[place]), tensor)

    def constant(self, operator: int, place: int, values: npt.NDArray[np.float64], plan: TensorPlan) -> None:
        index = self.graph.operators[operator].inputs[place]
        if self.graph.tensors[index].dtype not in _INTEGERS:
            return  # it is compared in float
        dtype = np.dtype(self.graph.tensors[index].dtype)
        zero_point = plan.zero_point + (_UINT8_SHIFT if dtype == np.uint8 else 0)
        steps = np.clip(np.round(values / plan.scale) + zero_point, np.iinfo(dtype).min, np.iinfo(dtype).max)
        index = self.own_tensor(operator, place)
        self.put(index, steps.astype(dtype), np.array([plan.scale]), 0)
        self.quantize(index, [plan.scale], [zero_point], 0)

    def own_tensor(self, operator: int, place: int) -> int:
        """The tensor, or a copy where another operator reads it as well, whose scale may be another."""
        index = self.graph.operators[operator].inputs[place]
        if sum(index in other.inputs for other in self.graph.operators) == 1:
            return index
        self.tensors.append({**self.tensors[index], "name": f"{self.tensors[index].get('name', '')}/{operator}"})
        table = self.root["subgraphs"][0]["operators"][operator]
        inputs = list(table["inputs"])
        inputs[place] = len(self.tensors) - 1
        table["inputs"] = tuple(inputs)
        return len(self.tensors) - 1

    def put(self, index: int, values: npt.NDArray[Any], scales: npt.NDArray[np.float64], axis: int) -> None:
        """A buffer of its own: the converter shares buffers between tensors that happen to be equal."""
        self.root["buffers"].append({"data": np.ascontiguousarray(values).tobytes()})
        self.tensors[index]["buffer"] = len(self.root["buffers"]) - 1
        self.quantize(index, scales, np.zeros(scales.size, np.int64), axis)

    def quantize(self, index: int, scales: Any, zero_points: Any, axis: int) -> None:
        numbers: Mapping[str, Any] = {
            "scale": tuple(float(np.float32(scale)) for scale in scales),
            "zero_point": tuple(int(point) for point in zero_points),
            "quantized_dimension": axis,
        }
        kept = self.tensors[index].get("quantization") or {"details_type": 0}
        self.tensors[index]["quantization"] = {
            **{name: value for name, value in kept.items() if name not in ("min", "max")},
            **numbers,
        }

    def drop_unread_buffers(self) -> None:
        """The skeleton's own weights, which nothing reads any more."""
        used = {0, *(tensor["buffer"] for tensor in self.tensors)}
        used |= {entry["buffer"] for entry in self.root.get("metadata", [])}
        order = [index for index in range(len(self.root["buffers"])) if index in used]
        place = {old: new for new, old in enumerate(order)}
        self.root["buffers"] = [self.root["buffers"][index] for index in order]
        for tensor in self.tensors:
            tensor["buffer"] = place[tensor["buffer"]]
        for entry in self.root.get("metadata", []):
            entry["buffer"] = place[entry["buffer"]]
