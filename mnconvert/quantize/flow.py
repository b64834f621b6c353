"""Moments through a float graph: from the input and from each BatchNorm to every activation, operator by operator.

A BatchNorm's own statistics take the place of what flowed to it. An operator without a rule is named, all of them are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from mnconvert.quantize.constants import Constants
from mnconvert.quantize.filters import filter_of
from mnconvert.quantize.plan import Moments, Seen
from mnconvert.quantize.rules import ACTIVATIONS, RULES, Site
from mnconvert.quantize.state import State
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, Operator

__all__ = ["UnknownRangeError", "flow", "natural_input"]

_PICTURES = "--calibrate FOLDER with a few dozen pictures"


class UnknownRangeError(UnsupportedModelError):
    """``operators`` are those of the graph that no range is known behind."""

    def __init__(self, offenders: Mapping[int, str], hints: Sequence[str] = (_PICTURES,)) -> None:
        self.operators = offenders
        listed = tuple(offenders.values())
        super().__init__(f"no range is known without data behind {', '.join(listed)}", offenders=listed, hints=hints)

    def of_layers(self, names: Mapping[int, str]) -> "UnknownRangeError":
        """The same, with what keeps these layers float; ``names`` is what each operator's layer is called."""
        layers = dict.fromkeys(names[operator] for operator in self.operators)
        return UnknownRangeError(self.operators, (_PICTURES, " ".join(f'--keep-float "{name}"' for name in layers)))


def flow(
    graph: Graph,
    norms: Mapping[int, Moments],
    first: State,
    seen: Mapping[int, Seen] = MappingProxyType({}),
    kept: Collection[int] = (),
) -> dict[int, State]:
    """What is believed of each activation, by tensor; ``first`` is the input's.

    ``seen`` stands in for missing rules; where there is no BatchNorm at all, it is believed everywhere. Of operators
    that are ``kept`` float nothing needs to be known.

    Raises:
        UnknownRangeError: operators that no rule is known for; lists all of them.
    """
    flowing = _Flowing(graph, norms, seen, kept, {graph.inputs[0]: first})
    for operator in graph.operators:
        flowing.through(operator)
    if flowing.unknown:
        raise UnknownRangeError(flowing.unknown)
    return flowing.states


@dataclass(slots=True)
class _Flowing:
    """``hidden`` are tensors that nothing is known of, and nothing needs to be: they stay float.

    ``counted`` are whole numbers, as ARG_MAX's: they have no scale, and no rule says what becomes of them.
    """

    graph: Graph
    norms: Mapping[int, Moments]
    seen: Mapping[int, Seen]
    kept: Collection[int]
    states: dict[int, State]
    hidden: set[int] = field(default_factory=set)
    counted: set[int] = field(default_factory=set)
    unknown: dict[int, str] = field(default_factory=dict)
    constants: Constants = field(init=False)

    def __post_init__(self) -> None:
        self.constants = Constants(self.graph)

    def through(self, operator: Operator) -> None:
        sources = [index for index in operator.inputs if index >= 0 and not self.constants.has(index)]
        is_kept = operator.index in self.kept
        if not is_kept and any(index in self.hidden for index in sources):
            self.unknown[operator.index] = f"{self.named(operator)}, which reads what stays float"
            self.hidden.update(operator.outputs)  # so that all that have to stay float as well are told at once
        elif all(self.graph.tensors[index].dtype != "float32" for index in operator.outputs):
            self.counted.update(operator.outputs)
        elif not self.is_believed(operator, self.states.keys() >= set(sources) - self.counted) and is_kept:
            self.hidden.update(operator.outputs)

    def is_believed(self, operator: Operator, has_sources: bool) -> bool:
        """Put down what is believed of the operator's outputs, if anything is."""
        index, rule = operator.outputs[0], RULES.get(operator.name)
        if self.counted.intersection(operator.inputs) or self.has_computed_weights(operator):
            rule = None
        if index in self.norms:
            outputs = [_of_norm(self.norms[index], len(self.graph.tensors[index].shape))]
        elif (rule is None or not self.norms) and all(each in self.seen for each in operator.outputs):
            self.states |= {each: self.of_seen(each) for each in operator.outputs}
            return True
        elif not has_sources:
            return False  # behind an operator that is reported already, or that stays float
        elif rule is None:
            if operator.index not in self.kept:
                self.unknown[operator.index] = self.named(operator)
            return False
        else:
            outputs = list(rule(Site(self.graph, operator, self.constants, self.states)))
        activation = ACTIVATIONS[_fused(operator.options)]
        self.states |= {at: state.through(activation) for at, state in zip(operator.outputs, outputs, strict=True)}
        return True

    def has_computed_weights(self, operator: Operator) -> bool:
        """As a FULLY_CONNECTED that multiplies two activations."""
        filter_ = filter_of(operator)
        return filter_ is not None and not self.constants.has(operator.inputs[filter_.weights])

    def of_seen(self, index: int) -> State:
        return _of_seen(self.seen[index], len(self.graph.tensors[index].shape))

    def named(self, operator: Operator) -> str:
        return f'{operator} at "{self.graph.tensors[operator.outputs[0]].name.split(";")[0]}"'


def _of_norm(moments: Moments, rank: int) -> State:
    shape = (1,) * (rank - 1) + moments.mean.shape
    return State.gaussian(moments.mean.reshape(shape), moments.std.reshape(shape))


def _of_seen(seen: Seen, rank: int) -> State:
    shape = (1,) * (rank - 1) + seen.moments.mean.shape
    return State.gaussian(seen.moments.mean.reshape(shape), seen.moments.std.reshape(shape), seen.low, seen.high)


def _fused(options: Mapping[str, Any]) -> int:
    return int(options.get("fused_activation_function", 0))


def natural_input(mean: tuple[float, ...], std: tuple[float, ...], order: str, channels: int) -> State:
    """The input's, as photographs are: ImageNet's mean and deviation of 0..255 pixels, those of ``torch``."""
    pixel_mean, pixel_std = np.array((123.675, 116.28, 103.53)), np.array((58.395, 57.12, 57.375))
    if order == "bgr":
        pixel_mean, pixel_std = pixel_mean[::-1], pixel_std[::-1]
    if channels == 1:
        pixel_mean, pixel_std = pixel_mean.mean(keepdims=True), pixel_std.mean(keepdims=True)
    own_mean, own_std = np.array(mean[:channels]), np.array(std[:channels])
    shape = (1, 1, 1, channels)
    ends = [((end - own_mean) / own_std).reshape(shape) for end in (0.0, 255.0)]
    return State.gaussian(
        ((pixel_mean - own_mean) / own_std).reshape(shape), (pixel_std / own_std).reshape(shape), *ends
    )
