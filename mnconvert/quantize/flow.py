"""Moments through a float graph: from the input and from each BatchNorm to every activation, operator by operator.

A BatchNorm's own statistics take the place of what flowed to it. An operator without a rule is named, all of them are.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from mnconvert.quantize.constants import Constants
from mnconvert.quantize.plan import Moments, Seen
from mnconvert.quantize.rules import ACTIVATIONS, RULES, Site
from mnconvert.quantize.state import State
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph

__all__ = ["flow", "natural_input"]


def flow(
    graph: Graph, norms: Mapping[int, Moments], first: State, seen: Mapping[int, Seen] = MappingProxyType({})
) -> dict[int, State]:
    """What is believed of each activation, by tensor; ``first`` is the input's.

    ``seen`` stands in for missing rules; where there is no BatchNorm at all, it is believed everywhere.

    Raises:
        UnsupportedModelError: operators that no rule is known for; lists all of them.
    """
    constants = Constants(graph)
    states = {graph.inputs[0]: first}
    unknown = []
    for operator in graph.operators:
        rule = RULES.get(operator.name)
        sources = [index for index in operator.inputs if index >= 0 and not constants.has(index)]
        if not all(index in states for index in sources):
            continue  # behind an operator that is reported already
        index = operator.outputs[0]
        if index in norms:
            outputs = [_of_norm(norms[index], len(graph.tensors[index].shape))]
        elif (rule is None or not norms) and all(each in seen for each in operator.outputs):
            states |= {each: _of_seen(seen[each], len(graph.tensors[each].shape)) for each in operator.outputs}
            continue
        elif rule is None:
            unknown.append(f'{operator} at "{graph.tensors[index].name.split(";")[0]}"')
            continue
        else:
            outputs = list(rule(Site(graph, operator, constants, states)))
        activation = ACTIVATIONS[_fused(operator.options)]
        states |= {at: state.through(activation) for at, state in zip(operator.outputs, outputs, strict=True)}
    if unknown:
        raise UnsupportedModelError(
            f"no range is known without data behind {len(unknown)} operators, the first {unknown[0]}",
            offenders=unknown,
            hints=("--calibrate FOLDER with a few dozen pictures", "--keep-float, for these layers"),
        )
    return states


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
