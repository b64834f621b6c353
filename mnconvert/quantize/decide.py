"""A float graph and what is known of its activations -> a ``QuantPlan``: every number of the integer file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from mnconvert.quantize.bias import INT32_MARGIN, INT48_MARGIN, expected_shift, least_scales, quantized_bias
from mnconvert.quantize.constants import Constants
from mnconvert.quantize.filters import Filter, filter_of
from mnconvert.quantize.flow import flow
from mnconvert.quantize.noise import least_noise_scale
from mnconvert.quantize.plan import Array, Moments, QuantPlan, RangeSource, Seen, TensorPlan, WeightPlan
from mnconvert.quantize.ranges import Range, find_ranges
from mnconvert.quantize.recipe import Recipe
from mnconvert.quantize.rounding import round_weights
from mnconvert.quantize.scales import asymmetric, symmetric, symmetric_scales
from mnconvert.quantize.state import State
from mninfer.model_file import Graph, Operator

__all__ = ["Known", "decide"]

INT16_UNIT = 1 / 32768  # SOFTMAX's, LOGISTIC's and TANH's scale by definition, as int8 has 1/256 and 1/128


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that numbers are decided from; ``seen`` is empty without pictures.

    ``pixel_scale`` is (scale, int8 zero point) where the input takes pixels as they are. What the network should see of
    a pixel is ``pixel_offset`` above what these two give: half a step, where a mean of 127.5 meets a whole zero point.
    """

    norms: Mapping[int, Moments]
    first: State
    input_range: tuple[float, float]
    pixel_scale: tuple[float, int] | None = None
    pixel_offset: float = 0.0
    seen: Mapping[int, Seen] = field(default_factory=dict)


def decide(graph: Graph, known: Known, recipe: Recipe, kept: Collection[int] = ()) -> QuantPlan:
    """Scales, zero points, weights and biases of all operators but those that are ``kept`` float.

    Raises:
        UnknownRangeError: operators that no range is known behind; lists all of them.
    """
    states = flow(graph, known.norms, known.first, known.seen, kept)
    ranges = find_ranges(graph, states, known.norms, known.seen, known.input_range, recipe.sigmas)
    deciding = _Deciding(graph, known, states, ranges, recipe)
    tensors = tuple(deciding.tensor(index, found) for index, found in ranges.items())
    deciding.scales.update({tensor.index: tensor.scale for tensor in tensors})
    weights = (deciding.weights(operator) for operator in graph.operators if operator.index not in kept)
    return QuantPlan(
        tensors=tensors,
        weights=tuple(plan for plan in weights if plan is not None),
        kept_float=tuple(sorted(kept)),
    )


class _Deciding:
    def __init__(
        self,
        graph: Graph,
        known: Known,
        states: Mapping[int, State],
        ranges: Mapping[int, Range],
        recipe: Recipe,
    ) -> None:
        self.graph, self.known, self.states, self.ranges, self.recipe = graph, known, states, ranges, recipe
        self.constants = Constants(graph)
        self.scales: dict[int, float] = {}

    def tensor(self, index: int, found: Range) -> TensorPlan:
        scale, zero_point = (symmetric if self.recipe.is_int16 else asymmetric)(found.low, found.high)
        if self.recipe.is_int16 and found.source is RangeSource.FIXED:
            scale = INT16_UNIT
        if found.source is RangeSource.INPUT and self.known.pixel_scale and not self.recipe.is_int16:
            scale, zero_point = self.known.pixel_scale
        return TensorPlan(
            index=index,
            name=self.graph.tensors[index].name,
            low=found.low,
            high=found.high,
            source=found.source,
            scale=scale,
            zero_point=zero_point,
            dtype="int16" if self.recipe.is_int16 else "int8",
            why=found.why,
        )

    def weights(self, operator: Operator) -> WeightPlan | None:
        filter_ = filter_of(operator)
        if filter_ is None or not self.constants.has(operator.inputs[filter_.weights]):
            return None
        source, output = operator.inputs[filter_.source], operator.outputs[0]
        bias_index = operator.inputs[filter_.bias] if filter_.bias < len(operator.inputs) else -1
        bias = self.constants.floats(bias_index) if bias_index >= 0 else None
        original = self.constants.floats(operator.inputs[filter_.weights])
        flat = filter_.flat(original)
        scales = self.weight_scales(flat, bias, source, output)
        values, num_flipped = round_weights(flat, scales, is_balanced=self.recipe.is_balanced)
        shift = self.bias_shift(filter_, source, flat, values * scales[:, None, None])
        bias_scales = (np.float32(self.scales[source]) * scales.astype(np.float32)).astype(np.float64)
        stored = slice(0, 1) if self.recipe.is_per_tensor else slice(None)
        return WeightPlan(
            operator=operator.index,
            name=self.graph.tensors[output].name,
            filter_index=operator.inputs[filter_.weights],
            bias_index=bias_index if bias is not None else None,
            values=filter_.shaped(values, original.shape),
            scales=scales[stored],
            axis=filter_.axis,
            bias=None if bias is None else quantized_bias(bias - shift, bias_scales, self.bias_dtype),
            bias_scales=bias_scales[stored],
            num_flipped=num_flipped,
            bias_shift=self.relative(output, shift),
        )

    @property
    def bias_dtype(self) -> type[np.int32] | type[np.int64]:
        return np.int64 if self.recipe.is_int16 else np.int32

    def weight_scales(self, flat: Array, bias: Array | None, source: int, output: int) -> Array:
        """One for each output channel, alike per tensor; wide enough for the bias, whose scale follows from them."""
        scales = symmetric_scales(flat, is_per_tensor=self.recipe.is_per_tensor)
        if self.recipe.is_per_tensor and self.recipe.clips:
            scales = np.full_like(scales, self.common_scale(flat, scales[0], source, output))
        if bias is not None:
            margin = INT48_MARGIN if self.recipe.is_int16 else INT32_MARGIN
            scales = np.maximum(scales, least_scales(bias, self.scales[source], margin))
        if self.recipe.is_per_tensor:
            scales = np.full_like(scales, scales.max())
        return scales.astype(np.float32).astype(np.float64)

    def bias_shift(self, filter_: Filter, source: int, flat: Array, written: Array) -> Array:
        """What the outputs are off on average: by rounding, and by pixels that lie between two zero points."""
        shift = self.shift(filter_, source, written - flat, self.expected(source)) * self.recipe.corrects_bias
        if self.ranges[source].source is RangeSource.INPUT and self.known.pixel_scale:
            shift -= self.shift(filter_, source, written, np.array([self.known.pixel_offset]))
        return shift

    def common_scale(self, flat: Array, scale: float, source: int, output: int) -> float:
        """One for all channels; ``scale`` fits the largest weight."""
        num_out, _, num_in = flat.shape
        std = self.per_channel(source, self.states[source].std)
        groups = std.reshape(-1, num_in)
        input_std = np.repeat(groups, num_out // len(groups), axis=0)[:, None, :]
        moments = self.known.norms.get(output)
        output_std = moments.std if moments is not None else self.per_channel(output, self.states[output].std)
        return least_noise_scale(flat, scale, input_std, output_std)

    def shift(self, filter_: Filter, source: int, change: Array, expected: Array) -> Array:
        """What a change of the weights adds to each output on average, given the input channels' expected values."""
        num_channels = self.graph.tensors[source].shape[-1]
        groups = filter_.num_groups(change, num_channels)
        return expected_shift(change, np.broadcast_to(expected, num_channels), groups)

    def expected(self, index: int) -> Array:
        if index in self.known.seen:
            return self.known.seen[index].moments.mean
        return self.per_channel(index, self.states[index].mean)

    def per_channel(self, index: int, values: Array) -> Array:
        """[channels], their mean for each where they are known for all together."""
        num_channels = self.graph.tensors[index].shape[-1]
        return values.ravel() if values.size == num_channels else np.full(num_channels, values.mean())

    def relative(self, index: int, shift: Array) -> float:
        """Of the channels that vary at all."""
        std = self.states[index].std.ravel()
        if std.size != shift.size:
            return 0.0
        is_alive = std > 1e-3 * std.max(initial=0.0)
        return float(np.max(np.abs(shift[is_alive]) / std[is_alive], initial=0.0))
