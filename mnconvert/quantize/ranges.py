"""The range of every activation: what its operator fixes, what pictures showed, what BatchNorm says, what flowed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mnconvert.quantize.plan import Moments, RangeSource, Seen
from mnconvert.quantize.sharing import shared_scales
from mnconvert.quantize.state import SIGMAS, State
from mninfer.model_file import Graph

__all__ = ["Range", "find_ranges"]

# Real ranges that kernels are written for (TFLite's quantization specification): 256 steps of 1/256 or 1/128.
_FIXED: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "L2_NORMALIZATION": (-1.0, 127 / 128),
        "LOGISTIC": (0.0, 255 / 256),
        "LOG_SOFTMAX": (-255 / 16, 0.0),
        "SOFTMAX": (0.0, 255 / 256),
        "TANH": (-1.0, 127 / 128),
    }
)


@dataclass(frozen=True, slots=True)
class Range:
    """``low`` and ``high`` are real; ``why`` is a short sentence."""

    low: float
    high: float
    source: RangeSource
    why: str


def find_ranges(
    graph: Graph,
    states: Mapping[int, State],
    norms: Mapping[int, Moments],
    seen: Mapping[int, Seen],
    input_range: tuple[float, float],
    sigmas: float = SIGMAS,
) -> dict[int, Range]:
    """A range for each activation that something is known of; those that share a scale share the widest."""
    own = {graph.inputs[0]: Range(*input_range, RangeSource.INPUT, "pixels 0 to 255, normalized")}
    for operator in graph.operators:
        for index in operator.outputs:
            if index in states or index in seen:
                own[index] = _own(operator.name, index, states, norms, seen, sigmas)
    groups: dict[int, list[int]] = {}
    for index, root in shared_scales(graph).items():
        if index in own:
            groups.setdefault(root, []).append(index)
    return {
        index: found
        for members in groups.values()
        for index, found in _shared(members, own, graph.tensors[members[0]].name.split(";")[0])
    }


def _own(
    name: str,
    index: int,
    states: Mapping[int, State],
    norms: Mapping[int, Moments],
    seen: Mapping[int, Seen],
    sigmas: float,
) -> Range:
    if name in _FIXED:
        return Range(*_FIXED[name], RangeSource.FIXED, f"{name} has one scale by definition")
    if index in norms:
        num_channels = norms[index].mean.size
        why = f"BatchNorm's beta ± {sigmas:g} deviations over {num_channels} channels, after its activation"
        return Range(*states[index].within(sigmas), RangeSource.BATCH_NORM, why)
    if index in seen and (name != "ADD" or not norms or index not in states):
        return Range(seen[index].low, seen[index].high, RangeSource.PICTURES, "what pictures like these keep to")
    return Range(*states[index].within(sigmas), RangeSource.MOMENTS, f"moments through {name}, ± {sigmas:g} deviations")


def _shared(members: Iterable[int], own: Mapping[int, Range], first_name: str) -> list[tuple[int, Range]]:
    """A range that an operator or the pixels fix rules; else the widest of what is said of each."""
    listed = list(members)
    ranges = [own[index] for index in listed]
    fixed = [each for each in ranges if each.source in (RangeSource.FIXED, RangeSource.INPUT)]
    ruling = fixed or [each for each in ranges if each.source is not RangeSource.MOMENTS] or ranges
    low, high = min(each.low for each in ruling), max(each.high for each in ruling)
    of_pixels = any(each.source is RangeSource.INPUT for each in ruling)
    shared = Range(low, high, RangeSource.INPUT if of_pixels else RangeSource.SAME, f"it shares {first_name}'s scale")
    is_own = [
        (each.low, each.high) == (low, high) and (each.source is RangeSource.INPUT or not of_pixels) for each in ranges
    ]
    return [
        (index, each if own_range else shared) for index, each, own_range in zip(listed, ranges, is_own, strict=True)
    ]
