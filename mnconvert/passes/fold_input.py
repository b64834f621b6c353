"""Channel order and differing deviations of the preprocessing into the first convolution's weights.

The file then takes RGB with one std for all channels: pixels as they are, where the means are equal, too. Means can't
be folded: the zeros that a convolution pads its input with stand for the mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mnconvert.passes.editing import Editing
from mnconvert.quantize.constants import Constants
from mnconvert.quantize.plan import Array, Moments, Seen
from mninfer.model_file import Graph, Operator, check_model, encode_model
from mninfer.preprocessing import PreprocessSpec

__all__ = ["FoldedInput", "fold_input"]

_FILTER = 1
_READING = ("CONV_2D", "PAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedInput:
    """A float file and its preprocessing. ``changed`` are the tensors whose values are others than before: there a
    channel is what ``places`` says it was, times its factor.
    """

    flatbuffer: bytes
    preprocess: PreprocessSpec
    changed: frozenset[int] = frozenset()
    places: tuple[int, int, int] = (0, 1, 2)
    factors: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def seen(self, index: int, seen: Seen) -> Seen:
        """What was seen of a tensor of the file before, as it is in this one; low and high as wide as can be."""
        if index not in self.changed:
            return seen
        places, factors = list(self.places), np.array(self.factors)
        ends = [end * factor for end in (seen.low, seen.high) for factor in self.factors]
        moments = Moments(seen.moments.mean[places] * factors, seen.moments.std[places] * factors)
        return Seen(min(ends), max(ends), moments)


def fold_input(flatbuffer: bytes, preprocess: PreprocessSpec) -> FoldedInput:
    """The float file for RGB and one std; as it is where it has these, or where others than convolutions read it."""
    graph = check_model(flatbuffer)
    is_flipped, is_uneven = preprocess.order != "rgb", len(set(preprocess.std)) > 1
    reading = _reading(graph) if is_flipped or is_uneven else None
    if reading is None:
        return FoldedInput(flatbuffer=flatbuffer, preprocess=preprocess)
    places = (2, 1, 0) if is_flipped else (0, 1, 2)
    mean, std = (_taken(values, places) for values in (preprocess.mean, preprocess.std))
    common = 1.0 if is_uneven else std[0]
    weights = _folded(flatbuffer, graph, reading, places, np.array(std) / common)
    return FoldedInput(
        flatbuffer=weights,
        preprocess=replace(preprocess, order="rgb", mean=mean, std=(common, common, common)),
        changed=frozenset(operator.inputs[0] for operator in reading),
        places=places,
        factors=(std[0] / common, std[1] / common, std[2] / common),
    )


def _taken(values: tuple[float, float, float], places: tuple[int, int, int]) -> tuple[float, float, float]:
    first, second, third = places
    return values[first], values[second], values[third]


def _reading(graph: Graph) -> list[Operator] | None:
    """The operators that read the input, as it is or padded, if they are convolutions of three channels alone."""
    constants, found = Constants(graph), list(_readers(graph, graph.inputs[0]))
    for operator in found:
        if operator.name not in _READING or graph.tensors[operator.inputs[0]].shape[3:] != (3,):
            return None
        if operator.name == "CONV_2D" and not _is_own_filter(graph, operator, constants):
            return None
    return found if any(operator.name == "CONV_2D" for operator in found) else None


def _readers(graph: Graph, tensor: int) -> Iterator[Operator]:
    for operator in graph.operators:
        if tensor in operator.inputs:
            yield operator
            if operator.name == "PAD":
                yield from _readers(graph, operator.outputs[0])


def _is_own_filter(graph: Graph, operator: Operator, constants: Constants) -> bool:
    """Constant, over all channels, and no other operator's."""
    index = operator.inputs[_FILTER]
    users = [other for other in graph.operators if index in other.inputs]
    return constants.has(index) and graph.tensors[index].shape[3] == 3 and len(users) == 1


def _folded(
    flatbuffer: bytes, graph: Graph, reading: list[Operator], places: tuple[int, int, int], divisors: Array
) -> bytes:
    """No tensor is added or taken away, so that indices stay what they were."""
    editing, constants = Editing(flatbuffer), Constants(graph)
    for operator in reading:
        if operator.name == "CONV_2D":
            weights = constants.floats(operator.inputs[_FILTER])[..., list(places)] / divisors
            editing.set_data(operator.inputs[_FILTER], weights.astype(np.float32))
    return encode_model(editing.root)
